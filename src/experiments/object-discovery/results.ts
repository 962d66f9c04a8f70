import type { RgbImage } from "../../data/images/rgb-image.js";
import type { SegmentedScenes } from "../../data/scenes/segmented-scenes.js";
import { sceneLabels, scenePicture } from "../../data/scenes/segmented-scenes.js";
import { foregroundAri } from "../../metrics/segmentation.js";
import { average } from "../../metrics/statistics.js";
import type { SeedSummary } from "../../report/over-seeds.js";
import { spreadPlain, summariseSeeds } from "../../report/over-seeds.js";
import type { Provenance } from "../../report/provenance-node.js";
import { standardError } from "../../report/verdict.js";
import { check } from "../../util/errors.js";
import { cellFolder } from "../cells.js";
import type { FinishedRun, ResultTable } from "../experiment.js";
import { parameterCount } from "../training.js";
import { colourControl, sharesColours } from "./colour-control.js";
import { objectTask } from "./networks.js";
import { readDiscoveryPictures } from "./pictures.js";
import type { DiscoveryCell, DiscoveryModelName, DiscoveryPlan, DiscoverySetName } from "./plan.js";
import {
  discoveryCells,
  DISCOVERY_MODEL_TEXTS,
  DISCOVERY_MODELS,
  DISCOVERY_PLANS,
  DISCOVERY_SETS,
  viewsSeen,
} from "./plan.js";
import type { PaperResult } from "./published.js";
import { paperResult } from "./published.js";
import type { SceneCache } from "./scenes.js";
import type { SegmentationTest } from "./segmentation.js";

/** How well segments of one network's features fit the objects. */
export interface DiscoveryTestResult extends SegmentationTest {
  /** Up-tiling factor. */
  readonly upTiling: number;
}

export interface DiscoveryResult {
  readonly tests: readonly DiscoveryTestResult[];
  /** The network before training, same test. */
  readonly untrained: readonly DiscoveryTestResult[];
  /** On further test sets. */
  readonly shifted: readonly { readonly id: string; readonly tests: readonly DiscoveryTestResult[] }[];
  /** On validation scenes, without up-tiling; weights are the moving average. The first is the untrained network. */
  readonly learningCurve: readonly {
    readonly step: number;
    readonly foregroundAri: number;
    readonly bestOverlap: number;
  }[];
  /** Contrastive loss, means over some steps of training. */
  readonly losses: readonly { readonly step: number; readonly loss: number }[];
  readonly imagesPerSecond: number;
  readonly seconds: number;
}

/** What the page shows and results.json holds. Scores are fractions 0 to 1. */
export interface ObjectDiscoveryReport {
  readonly title: string;
  readonly subtitle: string;
  /** `smoke`, `laptop`, `paper`. */
  readonly scale: string;
  readonly models: readonly ReportModel[];
  readonly sets: readonly DiscoverySet[];
  readonly provenance: Provenance & { readonly more: Readonly<Record<string, string>> };
}

export interface ReportModel {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** Position in lists of colours, the same in every chart. */
  readonly style: number;
}

export interface DiscoverySet {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** A sentence on where the scenes come from. */
  readonly source: string;
  readonly testScenes: number;
  readonly rows: readonly DiscoveryRow[];
  /** Scores without a network: every colour of a image a segment. */
  readonly colourControl?: DiscoveryScores;
  readonly comparisons: readonly Comparison[];
  /** Test scenes by whether objects share a colour; empty if all do or none does. */
  readonly groups: readonly SceneGroup[];
  readonly learningCurves: readonly DiscoveryCurve[];
  readonly energies: readonly EnergyCurve[];
  readonly scenes: readonly DiscoveryScene[];
  readonly budget: DiscoveryBudget;
  /** The paper's score of AKOrN (attn) without up-tiling. */
  readonly paperGoal?: { readonly label: string; readonly foregroundAri: number };
}

export interface DiscoveryScores {
  readonly foregroundAri: number;
  readonly bestOverlap: number;
}

/** One network under one up-tiling factor. */
export interface DiscoveryRow {
  readonly model: string;
  readonly upTiling: number;
  readonly parameters: number;
  readonly foregroundAri: SeedSummary;
  readonly bestOverlap: SeedSummary;
  /** The same networks before training. */
  readonly untrained: { readonly foregroundAri: SeedSummary; readonly bestOverlap: SeedSummary };
  /** What the paper reports. */
  readonly paper?: PaperResult;
}

/** One network against another on the same scenes and seeds. */
export interface Comparison {
  readonly model: string;
  readonly control: string;
  readonly upTiling: number;
  /** Difference of FG-ARI. */
  readonly difference: number;
  /** Half of the 95 % interval: the larger of that over scenes and that over seeds. */
  readonly margin: number;
  readonly seeds: number;
}

export interface SceneGroup {
  readonly label: string;
  readonly scenes: number;
  /** Mean FG-ARI over the scenes and seeds. */
  readonly scores: readonly {
    readonly model: string;
    readonly upTiling: number;
    readonly foregroundAri: number;
  }[];
}

export interface DiscoveryCurve {
  readonly model: string;
  readonly seed: number;
  /** On validation scenes, over training views seen. */
  readonly scores: readonly { readonly views: number; readonly foregroundAri: number }[];
  readonly losses: readonly { readonly views: number; readonly loss: number }[];
}

/** Mean energy of an oscillator before each step. */
export interface EnergyCurve {
  readonly model: string;
  readonly seed: number;
  /** Counted from 1. */
  readonly layer: number;
  readonly trained: readonly number[];
  readonly untrained: readonly number[];
}

/** One test scene with what the networks make of it. */
export interface DiscoveryScene {
  readonly image: RgbImage;
  /** `[height, width]`: 0 background, -1 ignored. */
  readonly truth: ArrayLike<number>;
  readonly models: readonly {
    readonly model: string;
    readonly segments: readonly {
      readonly upTiling: number;
      readonly labels: ArrayLike<number>;
      readonly foregroundAri: number;
    }[];
    /** The features that are clustered, in the colours of their principal components. */
    readonly features: RgbImage;
    /** Oscillators after every step, in such colours; empty for networks without oscillators. */
    readonly fields: readonly RgbImage[];
  }[];
}

export interface DiscoveryBudget {
  readonly steps: number;
  readonly batchSize: number;
  readonly trainScenes: number;
  readonly channels: number;
  /** Training views that each network saw, two for each image and step. */
  readonly views: number;
  readonly temperature: number;
  readonly paper: { readonly views: number; readonly channels: number };
}

/** Throws `StriateError` if a set names a network that the report does not list, or a score is no number. */
export function checkDiscoveryReport({ models, sets }: ObjectDiscoveryReport): void {
  const known = new Set(models.map(({ id }) => id));
  check(models.length > 0 && sets.length > 0, () => "report: expected at least one network and one set");
  for (const set of sets) {
    const named = [
      ...set.rows,
      ...set.comparisons,
      ...set.learningCurves,
      ...set.energies,
      ...set.scenes.flatMap((scene) => scene.models),
      ...set.groups.flatMap(({ scores }) => scores),
    ];
    for (const { model } of named) {
      check(
        known.has(model),
        () => `report, ${set.title}: expected ${[...known].join(", ")}; got "${model}"`,
      );
    }
    for (const { model, foregroundAri, bestOverlap } of set.rows) {
      check(
        Number.isFinite(foregroundAri.mean) && Number.isFinite(bestOverlap.mean),
        () => `report, ${set.title}: the scores of ${model} are no numbers`,
      );
    }
  }
}

/** "AKOrN (attn)", "AKOrN (attn), up-tiling × 4". */
export function rowLabel(label: string, upTiling: number): string {
  return upTiling === 1 ? label : `${label}, up-tiling × ${upTiling}`;
}

export interface FinishedCell {
  readonly config: DiscoveryCell;
  readonly result: DiscoveryResult;
}

/** Groups cells that differ in their seeds alone, in the order in which the groups first appear. */
export function bySetAndModel(cells: readonly FinishedCell[]): FinishedCell[][] {
  const groups = new Map<string, FinishedCell[]>();
  for (const cell of cells) {
    const key = `${cell.config.set}/${cell.config.model}`;
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return [...groups.values()];
}

/** A table for each set: our scores beside the paper's. */
export function scoreTables(cells: readonly FinishedCell[]): ResultTable[] {
  const sets = [...new Set(cells.map(({ config }) => config.set))];
  return sets.map((set) => ({
    title: `${DISCOVERY_SETS[set].title}, %`,
    columns: ["network", "up-tiling", "FG-ARI", "MBO", "FG-ARI untrained", "paper FG-ARI", "paper MBO"],
    rows: bySetAndModel(cells.filter(({ config }) => config.set === set)).flatMap(tableRows),
    notes: ["paper: the full recipe on the published set, mean ± standard deviation over seeds."],
  }));
}

function tableRows(cells: readonly FinishedCell[]): string[][] {
  const { set, model } = cells[0]!.config;
  return cells[0]!.result.tests.map(({ upTiling }, i) => {
    const over = (pick: (result: DiscoveryResult) => number) =>
      spreadPlain(cells.map(({ result }) => pick(result)));
    const row = paperResult(set, model, upTiling);
    const reported = (score?: readonly [number, number]) =>
      score === undefined ? "" : `${score[0].toFixed(1)} ± ${score[1].toFixed(1)}`;
    return [
      DISCOVERY_MODEL_TEXTS[model].label,
      `× ${upTiling}`,
      over(({ tests }) => tests[i]!.foregroundAri),
      over(({ tests }) => tests[i]!.bestOverlap),
      over(({ untrained }) => untrained[i]!.foregroundAri),
      reported(row?.foregroundAri),
      reported(row?.bestOverlap),
    ];
  });
}

type Run = FinishedRun<DiscoveryPlan, DiscoveryCell, DiscoveryResult> & {
  readonly scenes: Pick<SceneCache, "of">;
};

/** Cells and their results. */
export function finishedCells(results: Run["results"]): FinishedCell[] {
  return [...results].map(([config, result]) => ({ config, result }));
}

/** Gathers the results of all cells. */
export async function objectDiscoveryReport(run: Run): Promise<ObjectDiscoveryReport> {
  const { scale, device, provenance } = run;
  const results = finishedCells(run.results);
  const present = DISCOVERY_MODELS.filter((model) => results.some(({ config }) => config.model === model));
  const sets: DiscoverySet[] = [];
  for (const set of new Set(results.map(({ config }) => config.set))) {
    const cells = results.filter(({ config }) => config.set === set);
    sets.push(...(await setReports(run, set, cells)));
  }
  return {
    title: "Objects without labels",
    subtitle: "Do oscillators that synchronise bind what belongs to one object?",
    scale,
    models: present.map((id) => {
      const { label, description } = DISCOVERY_MODEL_TEXTS[id];
      return { id, label, description, style: DISCOVERY_MODELS.indexOf(id) };
    }),
    sets,
    provenance: {
      ...provenance,
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
  { scenes, cells: folder }: Run,
  set: DiscoverySetName,
  cells: readonly FinishedCell[],
): Promise<DiscoverySet[]> {
  const { title, description, clusters } = DISCOVERY_SETS[set];
  const { config } = cells[0]!;
  const parts = await scenes.of(config);
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
    const pick = (result: DiscoveryResult) => result.shifted.find((one) => one.id === id)!.tests;
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

function budgetOf(config: DiscoveryCell): DiscoverySet["budget"] {
  const { steps, batchSize, trainScenes, network, temperature, set, model, seed } = config;
  const [paper] = discoveryCells(DISCOVERY_PLANS.paper, { seeds: [seed], sets: [set], models: [model] });
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
  pick: (result: DiscoveryResult) => readonly DiscoveryTestResult[],
): DiscoveryRow[] {
  const { config, result } = group[0]!;
  const { model } = config;
  return pick(result).map(({ upTiling }, i) => {
    const over = (value: (result: DiscoveryResult) => number): SeedSummary =>
      summariseSeeds(group.map((cell) => ({ seed: cell.config.seed, value: value(cell.result) })));
    const paper = paperResult(set, model, upTiling);
    return {
      model,
      upTiling,
      parameters: parameterCount(objectTask(config).parameters, "trainable"),
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

/** The network that each network of oscillators is compared with. */
const CONTROLS: Partial<Record<DiscoveryModelName, DiscoveryModelName>> = {
  "akorn-attn": "itrsa",
  "akorn-conv": "itrconv",
  "akorn-attn-2": "itrsa-2",
};

/** AKOrN against the same mixing without oscillators, on the same scenes and seeds. */
function comparisonsOf(
  groups: readonly (readonly FinishedCell[])[],
  pick: (result: DiscoveryResult) => readonly DiscoveryTestResult[],
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
      const ofScenes = pairs[0]!.map((_, n) => average(pairs.map((pair) => pair[n]!)));
      const ofSeeds = pairs.map(average);
      const margins = [standardError(ofScenes), standardError(ofSeeds)];
      return {
        model,
        control,
        upTiling,
        difference: average(ofScenes),
        margin: 1.96 * Math.max(...margins),
        seeds: pairs.length,
      };
    });
  });
}

/** Smaller groups of scenes are not reported. */
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
        foregroundAri: average(
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
      pictures: await readDiscoveryPictures(cellFolder(folder, first!.config)),
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
