import { fromRgb } from "../../draw/index.js";
import { contactSheet } from "../../report/contact-sheet.js";
import type { DigitsReport, MetricSummary } from "../../report/digits-data.js";
import { summarise } from "../../report/digits-data.js";
import { pngDataUri } from "../../report/png.js";
import type { SynchronyReport } from "../../report/synchrony-data.js";
import type { RgbImage } from "../../data/images/rgb-image.js";
import { IMAGES } from "../../systems/komplexnet/training/tasks.js";
import type { TrainingData } from "../../train/task.js";
import { cellFolder } from "../cells-node.js";
import { readPictures } from "../digits/pictures-node.js";
import type { SceneSources } from "../digits/scenes.js";
import { imageChannels, PIXELS, testScenes } from "../digits/scenes.js";
import type { Scale } from "../experiment.js";
import { machine, versions } from "../machine-node.js";
import type { AblationResult, CellResult, KernelResult, NetworkResult } from "./cell-node.js";
import type {
  AblationCell,
  CellConfig,
  Dynamics,
  KernelCell,
  NetworkCell,
  ScalePlan,
  SetName,
} from "./config.js";
import { SETS } from "./config.js";
import { MODEL_TEXTS, networkTask } from "./models.js";

interface Finished {
  readonly plan: ScalePlan;
  readonly scale: Scale;
  readonly seeds: readonly number[];
  readonly sets: readonly SetName[];
  readonly results: ReadonlyMap<CellConfig, CellResult>;
  readonly testing: SceneSources;
  /** Holds the folders of all cells. */
  readonly folder: string;
  readonly device: string;
  readonly seconds: number;
}

/** What the page shows, out of the cells. */
export async function synchronyReport(run: Finished): Promise<SynchronyReport> {
  const all = [...run.results];
  const of = <C extends CellConfig, R extends CellResult>(kind: C["kind"] & R["kind"]) =>
    all.filter(([config]) => config.kind === kind) as [C, R][];
  const networks = of<NetworkCell, NetworkResult>("network");
  const present = run.sets.filter((set) => networks.some(([config]) => config.set === set));
  const sets: DigitsReport[] = [];
  for (const set of present) {
    sets.push(
      await setReport(
        run,
        set,
        networks.filter(([config]) => config.set === set),
      ),
    );
  }
  return {
    title: "Synchrony and several objects",
    subtitle:
      "Do synchronised phases help networks to tell objects apart, and does feedback help the phases?",
    sets,
    ablation: ablationRows(of<AblationCell, AblationResult>("ablation")),
    kernels: of<KernelCell, KernelResult>("kernel").map(([{ set, seed }, { before, after }]) => ({
      set: SETS[set].title,
      seed,
      before,
      after,
    })),
    sheets: present.map((set) => ({ title: SETS[set].title, uri: sheetOf(run, set) })),
  };
}

async function setReport(
  { plan, scale, seeds, testing, folder, device, seconds }: Finished,
  set: SetName,
  cells: readonly (readonly [NetworkCell, NetworkResult])[],
): Promise<DigitsReport> {
  const { title, digits, conditions } = SETS[set];
  const { models, steps } = plan.sets.find((one) => one.set === set)!;
  const of = (model: string) => cells.filter(([config]) => config.model === model);
  const series = (pick: (tested: NetworkResult["conditions"][number]) => readonly number[] | undefined) =>
    cells.flatMap(([{ model, seed }, result]) =>
      result.conditions.flatMap((tested) => {
        const values = pick(tested);
        return values ? [{ model, seed, condition: tested.condition, values }] : [];
      }),
    );
  const shown = testScenes(testing, SETS[set], conditions[0]!, plan.testScenes);
  const folders = new Map(models.map((model) => [model as string, cellFolder(folder, of(model)[0]![0])]));
  const [background = "none"] = [SETS[set].background];
  return {
    id: set,
    title,
    scale,
    digits,
    models: models.map((model) => ({
      ...MODEL_TEXTS[model],
      parameters: parameterCount(of(model)[0]![0]),
    })),
    conditions: conditions.map(({ id, label, description }) => ({ id, label, description })),
    rows: models.flatMap((model) =>
      conditions.map(({ id }) => ({ model, condition: id, metrics: metricsOf(of(model), id) })),
    ),
    learningCurves: cells.map(([{ model, seed }, { learningCurve }]) => ({
      model,
      seed,
      points: learningCurve,
    })),
    accuracyPerTimestep: series(({ accuracyPerTimestep }) => accuracyPerTimestep),
    synchronyPerTimestep: series(({ phases }) => phases?.ari),
    synchronyMeasure: { label: "Phases against masks (ARI)", better: "higher" },
    phasePictures: (
      await readPictures(folders, shown, { channels: imageChannels(SETS[set]), objects: digits })
    ).slice(0, set === "digits2" ? 3 : 2),
    reference: null,
    onnxCheck: null,
    provenance: {
      seeds,
      steps,
      batchSize: plan.batchSize,
      imagesSeen: steps * plan.batchSize,
      testImages: plan.testScenes,
      machine: machine(),
      versions: versions(),
      date: new Date().toISOString(),
      wallTimeSeconds: seconds,
      command: `striate run synchrony --scale ${scale} --seed ${seeds[0]!} --seeds ${seeds.length}`,
      more: {
        "Gabors and coupling": plan.mode === "channels" ? "frozen at their start" : "trained end to end",
        timesteps: String(plan.dynamics.timesteps),
        "learning rate": `${plan.learningRate.others}, transformer ${plan.learningRate.transformer}`,
        "further steps for feedback and its control": String(plan.furtherSteps),
        "scenes whose phases are measured": String(plan.measuredScenes),
        background:
          background === "none"
            ? "none"
            : `CIFAR-10, ${background}; an object of its own in the phases' measures`,
        device,
      },
    },
  };
}

function metricsOf(
  cells: readonly (readonly [NetworkCell, NetworkResult])[],
  condition: string,
): Record<string, MetricSummary> {
  const tested = cells.map(([{ seed }, { conditions }]) => {
    const { metrics, phases } = conditions.find((one) => one.condition === condition)!;
    const measures = Object.entries<readonly number[]>({ ...phases });
    const last = Object.fromEntries(measures.map(([name, values]) => [name, values.at(-1)!]));
    return { seed, metrics: { ...metrics, ...last } };
  });
  return Object.fromEntries(
    Object.keys(tested[0]!.metrics).map((name) => [
      name,
      summarise(tested.map(({ seed, metrics }) => ({ seed, value: metrics[name]! }))),
    ]),
  );
}

function parameterCount(config: NetworkCell): number {
  let count = 0;
  for (const { shape } of networkTask(config).parameters.values())
    count += shape.reduce<number>((a, b) => a * (b as number), 1);
  return count;
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
      const { metrics, phases } = rows[i]!.tested;
      return { seed, setAccuracy: metrics.setAccuracy!, ari: phases!.ari.at(-1)! };
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

/** The first test scenes under every condition. */
function sheetOf({ testing, plan }: Finished, set: SetName): string {
  const columns = Math.min(SHEET_SCENES, plan.testScenes);
  const indices = Array.from({ length: columns }, (_, i) => i);
  const channels = imageChannels(SETS[set]);
  const sheet = contactSheet({
    title: SETS[set].title,
    columns: indices.map((i) => `${i + 1}`),
    rows: SETS[set].conditions.map((condition) => ({
      label: condition.id,
      images: picturesOf(testScenes(testing, SETS[set], condition, plan.testScenes), indices, channels),
    })),
    cell: 64,
  });
  return pngDataUri(fromRgb(sheet));
}

function picturesOf(data: TrainingData, indices: readonly number[], channels: number): RgbImage[] {
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
