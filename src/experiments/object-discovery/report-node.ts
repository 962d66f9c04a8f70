import { summarise } from "../../report/digits-data.js";
import type { MetricSummary } from "../../report/digits-data.js";
import type {
  Comparison,
  DiscoveryRow,
  DiscoveryScene,
  DiscoverySet,
  ObjectDiscoveryReport,
  SceneGroup,
} from "../../report/object-discovery-data.js";
import { foregroundAri } from "../../metrics/segmentation.js";
import { sceneLabels, scenePicture } from "../../data/scenes/segmented-scenes.js";
import type { SegmentedScenes } from "../../data/scenes/segmented-scenes.js";
import { cellFolder } from "../cells-node.js";
import type { Scale } from "../experiment.js";
import { machine, versions } from "../machine-node.js";
import type { CellResult, Tested } from "./cell-node.js";
import { colourControl, sharesColours } from "./colour-control.js";
import type { CellConfig } from "./config.js";
import { cellsOf, PLANS, viewsSeen } from "./config.js";
import { MODEL_TEXTS, MODELS } from "./models.js";
import type { ModelName } from "./models.js";
import { parameterCount } from "./networks.js";
import { paperResult } from "./paper-results.js";
import { readPictures } from "./pictures-node.js";
import type { SceneParts } from "./scenes.js";
import type { SetName } from "./sets.js";
import { SETS } from "./sets.js";
import type { FinishedCell } from "./tables.js";
import { bySetAndModel } from "./tables.js";

interface Finished {
  readonly scale: Scale;
  readonly seeds: readonly number[];
  readonly results: readonly FinishedCell[];
  readonly scenes: (config: CellConfig) => Promise<SceneParts>;
  /** Holds the folders of all cells. */
  readonly folder: string;
  readonly command: string;
  readonly device: string;
  readonly seconds: number;
}

/** What the page shows, out of the cells. */
export async function objectDiscoveryReport(run: Finished): Promise<ObjectDiscoveryReport> {
  const { scale, seeds, results, command, device, seconds } = run;
  const present = MODELS.filter((model) => results.some(({ config }) => config.model === model));
  const names = [...new Set(results.map(({ config }) => config.set))];
  const sets: DiscoverySet[] = [];
  for (const set of names)
    sets.push(
      ...(await setReports(
        run,
        set,
        results.filter(({ config }) => config.set === set),
      )),
    );
  return {
    title: "Objects without labels",
    subtitle: "Do oscillators that synchronise bind what belongs to one object?",
    scale,
    models: present.map((id) => {
      const { label, description } = MODEL_TEXTS[id];
      return { id, label, description, style: MODELS.indexOf(id) };
    }),
    sets,
    provenance: {
      seeds,
      machine: machine(),
      versions: versions(),
      date: new Date().toISOString(),
      wallTimeSeconds: seconds,
      command,
      more: {
        Clustering: "average linkage on features of length 1, cut to the set's number of segments",
        Weights: "moving average, as the authors have it",
        Device: device,
      },
    },
  };
}

/** The set itself, and a short report for each further test set. */
async function setReports(
  { scenes, folder }: Finished,
  set: SetName,
  cells: readonly FinishedCell[],
): Promise<DiscoverySet[]> {
  const { title, description, clusters } = SETS[set];
  const { config } = cells[0]!;
  const parts = await scenes(config);
  const groups = bySetAndModel(cells);
  const control = colourControl(parts.test, clusters);
  const goal = paperResult(set, "akorn-attn", 1);
  const common = {
    description,
    source:
      config.data === undefined
        ? "The scenes are made here in the manner of the published ones."
        : `The scenes are read from ${config.data}.`,
    budget: budgetOf(config),
  };
  const main: DiscoverySet = {
    ...common,
    id: set,
    title,
    testScenes: parts.test.count,
    rows: groups.flatMap((group) => rowsOf(group, set, ({ tests }) => tests)),
    ...(control && { colourControl: control }),
    comparisons: comparisonsOf(groups, ({ tests }) => tests),
    groups: sceneGroups(parts.test, groups),
    learningCurves: cells.map(({ config: { model, seed, batchSize }, result }) => ({
      model,
      seed,
      scores: result.learningCurve.map(({ step, foregroundAri: score }) => ({
        views: 2 * step * batchSize,
        foregroundAri: score,
      })),
      losses: result.losses.map(({ step, loss }) => ({ views: 2 * step * batchSize, loss })),
    })),
    energies: cells.flatMap(({ config: { model, seed }, result }) =>
      result.tests[0]!.energies.map((trained, i) => ({
        model,
        seed,
        layer: i + 1,
        trained,
        untrained: result.untrained[0]!.energies[i]!,
      })),
    ),
    scenes: await scenesOf(parts.test, groups, folder),
    ...(goal && {
      paperGoal: {
        label: "AKOrN (attn) in the paper, full recipe",
        foregroundAri: goal.foregroundAri[0] / 100,
      },
    }),
  };
  const shifted = parts.shifted.map(({ id, title: name, scenes: others }): DiscoverySet => {
    const pick = (result: CellResult) => result.shifted.find((one) => one.id === id)!.tests;
    return {
      ...common,
      id,
      title: name,
      testScenes: others.count,
      rows: groups.flatMap((group) => rowsOf(group, id, pick)),
      comparisons: comparisonsOf(groups, pick),
      groups: [],
      learningCurves: [],
      energies: [],
      scenes: [],
    };
  });
  return [main, ...shifted];
}

function budgetOf(config: CellConfig): DiscoverySet["budget"] {
  const { steps, batchSize, trainScenes, network, temperature, set, model, seed } = config;
  const [paper] = cellsOf(PLANS.paper, { seeds: [seed], sets: [set], models: [model] });
  return {
    steps,
    batchSize,
    trainScenes,
    channels: network.channels,
    views: viewsSeen(config),
    temperature,
    paper: { views: viewsSeen(paper!), channels: paper!.network.channels },
  };
}

function rowsOf(
  group: readonly FinishedCell[],
  set: string,
  pick: (result: CellResult) => readonly Tested[],
): DiscoveryRow[] {
  const { config, result } = group[0]!;
  const { model } = config;
  return pick(result).map(({ upTiling }, i) => {
    const over = (value: (result: CellResult) => number): MetricSummary =>
      summarise(group.map((cell) => ({ seed: cell.config.seed, value: value(cell.result) })));
    const paper = paperResult(set, model, upTiling);
    return {
      model,
      upTiling,
      parameters: parameterCount(config),
      foregroundAri: over((one) => pick(one)[i]!.foregroundAri),
      bestOverlap: over((one) => pick(one)[i]!.bestOverlap),
      untrained: {
        foregroundAri: over(({ untrained }) => untrained[i]!.foregroundAri),
        bestOverlap: over(({ untrained }) => untrained[i]!.bestOverlap),
      },
      ...(paper && { paper: { foregroundAri: paper.foregroundAri, bestOverlap: paper.bestOverlap } }),
    };
  });
}

/** Which network each one with oscillators is compared with. */
const CONTROLS: Partial<Record<ModelName, ModelName>> = {
  "akorn-attn": "itrsa",
  "akorn-conv": "itrconv",
  "akorn-attn-2": "itrsa-2",
};

/** AKOrN against the same mixing without oscillators, on the same scenes and seeds. */
function comparisonsOf(
  groups: readonly (readonly FinishedCell[])[],
  pick: (result: CellResult) => readonly Tested[],
): Comparison[] {
  return groups.flatMap((group) => {
    const { model } = group[0]!.config;
    const control = CONTROLS[model];
    const against = groups.find(([one]) => one!.config.model === control);
    if (control === undefined || against === undefined) return [];
    return pick(group[0]!.result).map(({ upTiling }, i): Comparison => {
      const pairs = group.map(({ config, result }) => {
        const other = against.find((one) => one.config.seed === config.seed)!;
        const scores = pick(other.result)[i]!.foregroundAriOfScenes;
        return pick(result)[i]!.foregroundAriOfScenes.map((score, n) => score - scores[n]!);
      });
      const ofScenes = pairs[0]!.map((_, n) => meanOf(pairs.map((pair) => pair[n]!)));
      const ofSeeds = pairs.map(meanOf);
      const margins = [standardError(ofScenes), standardError(ofSeeds)];
      return {
        model,
        control,
        upTiling,
        difference: meanOf(ofScenes),
        margin: 1.96 * Math.max(...margins),
        seeds: pairs.length,
      };
    });
  });
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** 0 for a single value. */
function standardError(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}

/** Fewer scenes say nothing about a group. */
const SMALLEST_GROUP = 4;

function sceneGroups(scenes: SegmentedScenes, groups: readonly (readonly FinishedCell[])[]): SceneGroup[] {
  const all = Array.from({ length: scenes.count }, (_, n) => n);
  const parts = [
    { label: "all objects differ in colour", members: all.filter((n) => !sharesColours(scenes, n)) },
    { label: "objects share a colour", members: all.filter((n) => sharesColours(scenes, n)) },
  ];
  if (parts.some(({ members }) => members.length < SMALLEST_GROUP)) return [];
  return parts.map(({ label, members }) => ({
    label,
    scenes: members.length,
    scores: groups.flatMap((group) =>
      group[0]!.result.tests.map(({ upTiling }, i) => ({
        model: group[0]!.config.model,
        upTiling,
        foregroundAri: meanOf(
          group.flatMap(({ result }) => members.map((n) => result.tests[i]!.foregroundAriOfScenes[n]!)),
        ),
      })),
    ),
  }));
}

/** The first test scenes with what the networks of the first seed make of them. */
async function scenesOf(
  test: SegmentedScenes,
  groups: readonly (readonly FinishedCell[])[],
  folder: string,
): Promise<DiscoveryScene[]> {
  const shown = await Promise.all(
    groups.map(async ([first]) => ({
      model: first!.config.model,
      pictures: await readPictures(cellFolder(folder, first!.config)),
    })),
  );
  const count = shown[0]!.pictures.features.length;
  return Array.from({ length: count }, (_, n) => {
    const truth = sceneLabels(test, n);
    return {
      image: scenePicture(test, n),
      truth,
      models: shown.map(({ model, pictures }) => ({
        model,
        segments: [...pictures.segments].map(([upTiling, labels]) => ({
          upTiling,
          labels: labels[n]!,
          foregroundAri: foregroundAri(truth, labels[n]!),
        })),
        features: pictures.features[n]!,
        fields: pictures.fields[n] ?? [],
      })),
    };
  });
}
