import type { RgbImage } from "../../data/images/rgb-image.js";
import { fromRgb } from "../../draw/index.js";
import { contactSheet } from "../../report/contact-sheet.js";
import { pngDataUri } from "../../report/png.js";
import { IMAGES } from "../../systems/komplexnet/training/tasks.js";
import type { MemoryData } from "../../train/task.js";
import { cellFolder } from "../cells.js";
import { readDigitsPictures } from "../digits/pictures.js";
import type { DigitsReport, DigitsLearningPoint } from "../digits/results.js";
import { gatherRuns } from "../digits/results.js";
import type { SceneData } from "../digits/scenes.js";
import { imageChannels, PIXELS, testScenes } from "../digits/scenes.js";
import type { DigitsTestResult } from "../digits/tester.js";
import type { FinishedRun } from "../experiment.js";
import { ofKind } from "../experiment.js";
import { parameterCount } from "../training.js";
import { SYNCHRONY_MODEL_TEXTS, networkTask } from "./networks.js";
import type {
  AblationCell,
  SynchronyCell,
  Dynamics,
  SynchronyNetworkCell,
  SynchronyPlan,
  SynchronySetName,
} from "./plan.js";
import { SYNCHRONY_SETS } from "./plan.js";

export interface SynchronyNetworkResult {
  readonly kind: "network";
  readonly conditions: readonly (DigitsTestResult & { readonly condition: string })[];
  readonly learningCurve: readonly DigitsLearningPoint[];
  readonly imagesPerSecond: number;
  readonly seconds: number;
}

/** Synchrony loss of a coupling kernel on validation scenes after each timestep. */
interface KernelLosses {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export interface KernelResult extends KernelLosses {
  readonly kind: "kernel";
  readonly imagesPerSecond: number;
  readonly seconds: number;
}

export interface AblationResult {
  readonly kind: "ablation";
  /** Scores with each setting of the dynamics; the first is the setting of training. */
  readonly rows: readonly { readonly dynamics: Dynamics; readonly tested: DigitsTestResult }[];
  readonly seconds: number;
}

export type SynchronyResult = SynchronyNetworkResult | KernelResult | AblationResult;

/** Everything that the report of the synchrony experiment shows, as plain data. */
export interface SynchronyReport {
  readonly title: string;
  readonly subtitle: string;
  /** One report for each set of scenes; each has an `id`. */
  readonly sets: readonly DigitsReport[];
  readonly ablation: readonly AblationRow[];
  readonly kernels: readonly KernelTraining[];
  /** Contact sheets of the scenes under every condition, as PNG data URIs. */
  readonly sheets: readonly { readonly title: string; readonly uri: string }[];
}

/** Scores of the trained feed-forward network with one setting of the dynamics, for each seed. */
export interface AblationRow {
  /** The name of a setting, such as "timesteps 6". */
  readonly label: string;
  /** Whether the network was trained with this setting. */
  readonly trained: boolean;
  readonly runs: readonly {
    readonly seed: number;
    readonly setAccuracy: number;
    readonly ari: number;
    /** The answers: "1" for each scene that is right, otherwise "0". */
    readonly right: string;
  }[];
}

/** Results of a coupling kernel that was trained on the synchrony loss. */
export interface KernelTraining extends KernelLosses {
  readonly set: string;
  readonly seed: number;
}

/** A point of the scatter plot: a network under one condition, mean over seeds. */
export interface SynchronyPoint {
  readonly set: string;
  readonly model: string;
  readonly condition: string;
  readonly ari: number;
  readonly setAccuracy: number;
}

/** The points of all networks with phases under all conditions. */
export function synchronyPoints(report: SynchronyReport): SynchronyPoint[] {
  return report.sets.flatMap(({ title, rows, models, conditions }) =>
    rows.flatMap(({ model, condition, metrics }) => {
      const { ari, setAccuracy } = metrics;
      if (ari === undefined || setAccuracy === undefined) return [];
      const name = models.find(({ id }) => id === model)!.label;
      const under = conditions.find(({ id }) => id === condition)!.label;
      return [{ set: title, model: name, condition: under, ari: ari.mean, setAccuracy: setAccuracy.mean }];
    }),
  );
}

/**
 * Spearman's rank correlation, or `undefined` if there are fewer than three pairs or the values of one side are all
 * equal.
 */
export function rankCorrelation(one: readonly number[], other: readonly number[]): number | undefined {
  if (one.length < 3) return undefined;
  const [a, b] = [ranks(one), ranks(other)];
  const mean = (one.length + 1) / 2;
  const product = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, value, i) => sum + (value - mean) * (y[i]! - mean), 0);
  const size = Math.sqrt(product(a, a) * product(b, b));
  return size === 0 ? undefined : product(a, b) / size;
}

/** Ranks of values; equal values share the mean of their ranks. */
function ranks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });
}

type Run = FinishedRun<SynchronyPlan, SynchronyCell, SynchronyResult> & SceneData;

/** Makes the report from the results of all cells. */
export async function synchronyReport(run: Run): Promise<SynchronyReport> {
  const networks = ofKind(run.results, "network");
  const sets: DigitsReport[] = [];
  for (const { set } of run.plan.sets) {
    const cells = networks.filter(([config]) => config.set === set);
    if (cells.length > 0) sets.push(await setReport(run, set, cells));
  }
  return {
    title: "Synchrony and several objects",
    subtitle:
      "Do synchronised phases help networks to tell objects apart, and does feedback help the phases to synchronise?",
    sets,
    ablation: ablationRows(ofKind(run.results, "ablation")),
    kernels: ofKind(run.results, "kernel").map(([{ set, seed }, { before, after }]) => ({
      set: SYNCHRONY_SETS[set].title,
      seed,
      before,
      after,
    })),
    sheets: sets.map(({ id, title }) => ({ title, uri: sheetOf(run, id as SynchronySetName) })),
  };
}

async function setReport(
  { plan, scale, testing, cells: folder, device, provenance }: Run,
  set: SynchronySetName,
  cells: readonly (readonly [SynchronyNetworkCell, SynchronyNetworkResult])[],
): Promise<DigitsReport> {
  const { title, digits, conditions, background = "none" } = SYNCHRONY_SETS[set];
  const { models, steps } = plan.sets.find((one) => one.set === set)!;
  const first = (model: string) => cells.find(([config]) => config.model === model)![0];
  const runs = cells.map(([{ model, seed }, result]) => ({ ...result, model, seed }));
  const shown = testScenes(testing, SYNCHRONY_SETS[set], conditions[0]!, plan.testScenes);
  const folders = new Map(models.map((model) => [model as string, cellFolder(folder, first(model))]));
  const pictures = await readDigitsPictures(folders, shown, {
    channels: imageChannels(SYNCHRONY_SETS[set]),
    objects: digits,
  });
  return {
    id: set,
    title,
    scale,
    digits,
    models: models.map((model) => ({
      ...SYNCHRONY_MODEL_TEXTS[model],
      parameters: parameterCount(networkTask(first(model)).parameters),
    })),
    ...gatherRuns(models, conditions, runs, ({ phases }) => phases?.ari),
    synchronyMeasure: { label: "Phases against masks (ARI)", better: "higher" },
    phasePictures: pictures.slice(0, set === "digits2" ? 3 : 2),
    reference: null,
    onnxCheck: null,
    provenance: {
      ...provenance,
      steps,
      batchSize: plan.batchSize,
      imagesSeen: steps * plan.batchSize,
      testImages: plan.testScenes,
      more: {
        "Gabors and coupling":
          plan.mode === "channels" ? "frozen at their initial values" : "trained end to end",
        timesteps: String(plan.dynamics.timesteps),
        "learning rate": `${plan.learningRate.others}, transformer ${plan.learningRate.transformer}`,
        "further steps for feedback and its control": String(plan.furtherSteps),
        "scenes whose phases are measured": String(plan.measuredScenes),
        background:
          background === "none"
            ? "none"
            : `CIFAR-10, ${background}; the measures of the phases count it as an object, too`,
        device,
      },
    },
  };
}

function ablationRows(
  cells: readonly (readonly [AblationCell, AblationResult])[],
): SynchronyReport["ablation"] {
  const [first] = cells;
  if (!first) return [];
  const trained = first[0].start.dynamics;
  return first[1].rows.map(({ dynamics }, i) => ({
    label: settingOf(dynamics, trained),
    trained: i === 0,
    runs: cells.map(([{ seed }, { rows }]) => {
      const { metrics, phases, right } = rows[i]!.tested;
      return { seed, setAccuracy: metrics.setAccuracy!, ari: phases!.ari.at(-1)!, right };
    }),
  }));
}

function settingOf(dynamics: Dynamics, trained: Dynamics): string {
  const words = { timesteps: "timesteps", desynchrony: "epsilon", couplingSize: "coupling size" } as const;
  const names = Object.keys(words) as (keyof Dynamics)[];
  const changed = names.filter((name) => dynamics[name] !== trained[name]);
  const shown = changed.length === 0 ? names : changed;
  return shown.map((name) => `${words[name]} ${dynamics[name]}`).join(", ");
}

const SHEET_SCENES = 8;

/** Contact sheets of the first test scenes under every condition. */
function sheetOf({ testing, plan }: Run, set: SynchronySetName): string {
  const columns = Math.min(SHEET_SCENES, plan.testScenes);
  const indices = Array.from({ length: columns }, (_, i) => i);
  const channels = imageChannels(SYNCHRONY_SETS[set]);
  const sheet = contactSheet({
    title: SYNCHRONY_SETS[set].title,
    columns: indices.map((i) => `${i + 1}`),
    rows: SYNCHRONY_SETS[set].conditions.map((condition) => ({
      label: condition.id,
      images: picturesOf(
        testScenes(testing, SYNCHRONY_SETS[set], condition, plan.testScenes),
        indices,
        channels,
      ),
    })),
    cell: 64,
  });
  return pngDataUri(fromRgb(sheet));
}

function picturesOf(data: MemoryData, indices: readonly number[], channels: number): RgbImage[] {
  const images = new Float32Array(indices.length * channels * PIXELS);
  data.fill(indices, { [IMAGES]: images });
  return indices.map((n) => {
    const rgb = new Uint8Array(3 * PIXELS);
    for (let i = 0; i < PIXELS; i++) {
      for (let c = 0; c < 3; c++) {
        const from = (n * channels + (channels === 3 ? c : 0)) * PIXELS + i;
        rgb[3 * i + c] = Math.round(255 * images[from]!);
      }
    }
    return { width: 32, height: 32, data: rgb };
  });
}
