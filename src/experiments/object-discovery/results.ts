import type { RgbImage } from "../../data/images/rgb-image.js";
import type { SegmentedScenes } from "../../data/scenes/segmented-scenes.js";
import { sceneLabels, scenePicture } from "../../data/scenes/segmented-scenes.js";
import type { Judgement } from "../../metrics/judgement.js";
import { errorOverImages, judgeDifferences } from "../../metrics/judgement.js";
import { foregroundAri } from "../../metrics/segmentation.js";
import { average } from "../../metrics/statistics.js";
import type { SeedSummary, SeedValue } from "../../report/over-seeds.js";
import { spreadPlain, summariseSeeds } from "../../report/over-seeds.js";
import type { Provenance } from "../../report/provenance-node.js";
import { checkFinite, checkOneOf, checkSome } from "../../util/check.js";
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

/** Scores of the segments that one network's features give. */
export interface DiscoveryTestResult extends SegmentationTest {
  /** Up-tiling factor. */
  readonly upTiling: number;
}

export interface DiscoveryResult {
  readonly tests: readonly DiscoveryTestResult[];
  /** The scores of the network before training, in the same test. */
  readonly untrained: readonly DiscoveryTestResult[];
  /** Scores on further test sets. */
  readonly shifted: readonly { readonly id: string; readonly tests: readonly DiscoveryTestResult[] }[];
  /**
   * Scores on validation scenes without up-tiling, with the moving average of the weights. The first entry is the
   * untrained network.
   */
  readonly learningCurve: readonly {
    readonly step: number;
    readonly foregroundAri: number;
    readonly bestOverlap: number;
  }[];
  /** Contrastive loss, each value a mean over several training steps. */
  readonly losses: readonly { readonly step: number; readonly loss: number }[];
  readonly imagesPerSecond: number;
  readonly seconds: number;
}

/** The contents of the page and of results.json. Scores are fractions from 0 to 1. */
export interface ObjectDiscoveryReport {
  readonly title: string;
  readonly subtitle: string;
  /** The scale: `smoke`, `laptop` or `paper`. */
  readonly scale: string;
  readonly models: readonly ReportModel[];
  readonly sets: readonly DiscoverySet[];
  readonly provenance: Provenance & { readonly more: Readonly<Record<string, string>> };
}

export interface ReportModel {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** Position in the lists of colours, the same in every chart. */
  readonly style: number;
}

export interface DiscoverySet {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** A sentence that gives the source of the scenes. */
  readonly source: string;
  readonly testScenes: number;
  readonly rows: readonly DiscoveryRow[];
  /** Scores of the control without a network, for which every colour of an image is a segment. */
  readonly colourControl?: DiscoveryScores;
  readonly comparisons: readonly Comparison[];
  /** Test scenes in two groups, by whether objects share a colour; empty if one of the groups is too small. */
  readonly groups: readonly SceneGroup[];
  readonly learningCurves: readonly DiscoveryCurve[];
  readonly energies: readonly EnergyCurve[];
  readonly scenes: readonly DiscoveryScene[];
  readonly budget: DiscoveryBudget;
  /** The paper's FG-ARI of AKOrN (attn) without up-tiling. */
  readonly paperGoal?: { readonly label: string; readonly foregroundAri: number };
}

export interface DiscoveryScores {
  readonly foregroundAri: number;
  readonly bestOverlap: number;
}

/** Scores of one network with one up-tiling factor. */
export interface DiscoveryRow {
  readonly model: string;
  readonly upTiling: number;
  readonly parameters: number;
  readonly foregroundAri: SeedSummary;
  readonly bestOverlap: SeedSummary;
  /** Scores of the same networks before training. */
  readonly untrained: { readonly foregroundAri: SeedSummary; readonly bestOverlap: SeedSummary };
  /** The paper's scores. */
  readonly paper?: PaperResult;
}

/** Comparison of two networks on the same scenes and seeds. */
export interface Comparison {
  readonly model: string;
  readonly control: string;
  readonly upTiling: number;
  /** Judgement of the difference in FG-ARI. */
  readonly judged: Judgement;
  /** The mean difference of each seed. */
  readonly differences: readonly SeedValue[];
  /** Standard error of the mean difference over the test scenes. */
  readonly imageError: number;
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
  /** Scores on validation scenes, by training views seen. */
  readonly scores: readonly { readonly views: number; readonly foregroundAri: number }[];
  readonly losses: readonly { readonly views: number; readonly loss: number }[];
}

/** Mean energy of an oscillator before each timestep. */
export interface EnergyCurve {
  readonly model: string;
  readonly seed: number;
  /** Layers are counted from 1. */
  readonly layer: number;
  readonly trained: readonly number[];
  readonly untrained: readonly number[];
}

/** One test scene with the segments, features and oscillators of the networks. */
export interface DiscoveryScene {
  readonly image: RgbImage;
  /** The true labels `[height, width]`: 0 for the background, -1 for pixels that are ignored. */
  readonly truth: ArrayLike<number>;
  readonly models: readonly {
    readonly model: string;
    readonly segments: readonly {
      readonly upTiling: number;
      readonly labels: ArrayLike<number>;
      readonly foregroundAri: number;
    }[];
    /** The clustered features, in the colours of their principal components. */
    readonly features: RgbImage;
    /**
     * The oscillators after every timestep, in the colours of their principal components; empty for networks without
     * oscillators.
     */
    readonly fields: readonly RgbImage[];
  }[];
}

export interface DiscoveryBudget {
  readonly steps: number;
  readonly batchSize: number;
  readonly trainScenes: number;
  readonly channels: number;
  /** Number of training views that each network saw: two for each image of each step. */
  readonly views: number;
  readonly temperature: number;
  readonly paper: { readonly views: number; readonly channels: number };
}

/** Throws `StriateError` if a set names a network that the report does not list, or a score is not a number. */
export function checkDiscoveryReport({ models, sets }: ObjectDiscoveryReport): void {
  const known = new Set(models.map(({ id }) => id));
  checkSome("report", models.length, "network");
  checkSome("report", sets.length, "set");
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
      checkOneOf(`report, ${set.title}`, model, [...known]);
    }
    for (const { model, foregroundAri, bestOverlap } of set.rows) {
      checkFinite(`report, ${set.title}: foreground ARI of ${model}`, foregroundAri.mean);
      checkFinite(`report, ${set.title}: best overlap of ${model}`, bestOverlap.mean);
    }
  }
}

/** The label of a row, such as "AKOrN (attn)" or "AKOrN (attn), up-tiling × 4". */
export function rowLabel(label: string, upTiling: number): string {
  return upTiling === 1 ? label : `${label}, up-tiling × ${upTiling}`;
}

export interface FinishedCell {
  readonly config: DiscoveryCell;
  readonly result: DiscoveryResult;
}

/** Groups the cells that differ only in their seeds. A group stands at the place of its first cell. */
export function bySetAndModel(cells: readonly FinishedCell[]): FinishedCell[][] {
  const groups = new Map<string, FinishedCell[]>();
  for (const cell of cells) {
    const key = `${cell.config.set}/${cell.config.model}`;
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return [...groups.values()];
}

/** Tables for the terminal, one for each set, with our scores beside the paper's. */
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

/** Cells with their results. */
export function finishedCells(results: Run["results"]): FinishedCell[] {
  return [...results].map(([config, result]) => ({ config, result }));
}

/** Makes the report from the results of all cells. */
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
        Weights: "moving average, as in the authors' code",
        Device: device,
      },
    },
  };
}

/** The report of a set, and a short report for each further test set. */
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
        ? "Striate generated the scenes in the style of the published ones."
        : `The scenes come from ${config.data}.`,
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

/** The control that each network of oscillators is compared with. */
const CONTROLS: Partial<Record<DiscoveryModelName, DiscoveryModelName>> = {
  "akorn-attn": "itrsa",
  "akorn-conv": "itrconv",
  "akorn-attn-2": "itrsa-2",
};

/** Comparisons of AKOrN with the same mixing without oscillators, on the same scenes and seeds. */
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
      const differences = pairs.map((pair, n) => ({ seed: group[n]!.config.seed, value: average(pair) }));
      const imageError = errorOverImages(pairs);
      const judged = judgeDifferences(
        differences.map(({ value }) => value),
        imageError,
      );
      return { model, control, upTiling, judged, differences, imageError };
    });
  });
}

/** Number of scenes that a group needs to be reported. */
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

/** The first test scenes with the segments, features and oscillators of the first seed's networks. */
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
