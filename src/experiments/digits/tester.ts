import {
  binaryAccuracy,
  binaryCrossEntropyWithLogits,
  microF1,
  phaseClusterAri,
  synchrony,
  topKRecall,
  topKSetAccuracy,
  topKSetCorrect,
} from "../../metrics/index.js";
import type { State } from "../../nn/module.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import { MASKS, TARGETS } from "../../systems/komplexnet/training/tasks.js";
import { Evaluator } from "../../train/evaluator.js";
import type { Task, MemoryData } from "../../train/task.js";
import { CLASSES, PIXELS } from "./scenes.js";

/** The measurements of one network under one condition. */
export interface DigitsTestResult {
  /** Metrics of the logits at the last timestep, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** One character for each scene: "1" if the set of its digits is right at the last timestep, otherwise "0". */
  readonly right: string;
  /** Set accuracy after each timestep, first to last. */
  readonly accuracyPerTimestep: readonly number[];
  /** Synchrony loss after each timestep; empty for networks without phases. */
  readonly synchronyPerTimestep: readonly number[];
  /** Set accuracy for each unordered pair of digits, [10, 10]; an entry is null if no scene has the pair. */
  readonly pairs: readonly (readonly (number | null)[])[];
  /** Measures of the phases of active units; absent if the network has no phases or the test does not measure them. */
  readonly phases?: PhaseMeasures;
}

/** Measures of the phases, each a list of means over scenes, one for each timestep. */
export interface PhaseMeasures {
  /** Order parameter within objects; 1 means that all units of an object have the same phase. */
  readonly order: readonly number[];
  /** Order parameter of the objects' mean phases; 0 means that they lie evenly round the circle. */
  readonly desynchrony: readonly number[];
  /** Mean angle between the mean phases of two objects, in radians. */
  readonly separation: readonly number[];
  /**
   * Agreement of clusters of phases with the masks (adjusted Rand index): 1 if each object has a phase of its own,
   * about 0 at chance.
   */
  readonly ari: readonly number[];
}

export interface TestOptions {
  /** A name that gives each test its own random draws. */
  readonly label: string;
  /** If given, the test also measures phases; the task must output them. */
  readonly measure?: {
    /** Number of scenes to measure, from the first on; it is rounded up to full batches. */
    readonly scenes: number;
    readonly maskChannels: number;
    /** Whether the last mask channel marks pixels that objects share; such pixels are left out. */
    readonly overlapChannel: boolean;
    /** Whether the background counts as an object, too. */
    readonly background: boolean;
  };
  readonly onBatch?: (done: number, images: number) => void;
}

/** Tests a network in batches. */
export interface Tester {
  test(values: State, data: MemoryData, options: TestOptions): Promise<DigitsTestResult>;
  close(): Promise<void>;
}

/** @param seed random seed of the network's draws, such as initial phases */
export async function openTester(
  task: Task,
  batch: number,
  seed: number,
  session: SessionOptions,
): Promise<Tester> {
  const evaluator = await Evaluator.open(task, batch, new Map(), workerRuntime, session);
  return {
    close: () => evaluator.close(),
    test: async (values, data, { label, measure, onBatch }) => {
      const logits: Float32Array[] = [];
      const losses: number[] = [];
      const measures = new Means();
      const batches = Math.floor(data.count / batch);
      const targets = new Float32Array(batches * batch * CLASSES);
      for (let b = 0; b < batches; b++) {
        const indices = Array.from({ length: batch }, (_, i) => b * batch + i);
        data.fill(indices, { [TARGETS]: targets.subarray(b * batch * CLASSES, (b + 1) * batch * CLASSES) });
        const outputs = await evaluator.run(values, data, indices, [seed, "test phases", label, b]);
        splitTimesteps(outputs.logits!.data as Float32Array, batch, b, batches, logits);
        (outputs.synchronyLoss?.data as Float32Array | undefined)?.forEach((loss, t) => {
          losses[t] = (losses[t] ?? 0) + loss / batches;
        });
        const { phases, amplitude } = outputs;
        if (phases && amplitude && measure && b * batch < measure.scenes) {
          const { maskChannels } = measure;
          const masks = new Float32Array(batch * maskChannels * PIXELS);
          data.fill(indices, { [MASKS]: masks });
          const sizes = { batch, channels: amplitude.shape[1]!, maskChannels, pixels: PIXELS };
          const amplitudes = amplitude.data as Float32Array;
          for (let t = 0; t < phases.shape[0]!; t++) {
            const size = amplitudes.length;
            const step = (phases.data as Float32Array).subarray(t * size, (t + 1) * size);
            const input = { ...sizes, masks, phases: step, amplitudes };
            measures.add(t, { ...synchrony(input, measure), ari: phaseClusterAri(input, measure) });
          }
        }
        onBatch?.((b + 1) * batch, batch);
      }
      return { ...scored(logits, targets, losses), ...(measures.any && { phases: measures.result() }) };
    },
  };
}

const MEASURES = ["order", "desynchrony", "separation", "ari"] as const;

/** Running means over batches; values that are not finite are left out. */
class Means {
  readonly #sums: Record<(typeof MEASURES)[number], { sum: number; count: number }[]> = {
    order: [],
    desynchrony: [],
    separation: [],
    ari: [],
  };

  get any(): boolean {
    return this.#sums.ari.length > 0;
  }

  add(
    t: number,
    values: { order: number; desynchrony: number; separation: number; ari: Float64Array },
  ): void {
    for (const name of MEASURES) {
      const at = (this.#sums[name][t] ??= { sum: 0, count: 0 });
      const given = values[name];
      for (const value of typeof given === "number" ? [given] : given) {
        if (!Number.isFinite(value)) continue;
        at.sum += value;
        at.count++;
      }
    }
  }

  result(): PhaseMeasures {
    const mean = (name: (typeof MEASURES)[number]) =>
      this.#sums[name].map(({ sum, count }) => (count === 0 ? 0 : sum / count));
    return {
      order: mean("order"),
      desynchrony: mean("desynchrony"),
      separation: mean("separation"),
      ari: mean("ari"),
    };
  }
}

/** Splits the logits of one batch, [timesteps, batch, classes], into one array for each timestep. */
function splitTimesteps(
  logits: Float32Array,
  batch: number,
  b: number,
  batches: number,
  into: Float32Array[],
): void {
  const size = batch * CLASSES;
  for (let t = 0; t * size < logits.length; t++) {
    into[t] ??= new Float32Array(batches * size);
    into[t]!.set(logits.subarray(t * size, (t + 1) * size), b * size);
  }
}

function scored(
  logits: readonly Float32Array[],
  targets: Float32Array,
  synchronyLosses: readonly number[],
): DigitsTestResult {
  const last = logits.at(-1)!;
  const loss = synchronyLosses.at(-1);
  return {
    right: Array.from(topKSetCorrect(last, targets, CLASSES, "trueLabels")).join(""),
    metrics: {
      setAccuracy: topKSetAccuracy(last, targets, CLASSES, "trueLabels"),
      labelAccuracy: topKRecall(last, targets, CLASSES, "trueLabels"),
      binaryAccuracy: binaryAccuracy(last, targets),
      f1: microF1(last, targets),
      loss: binaryCrossEntropyWithLogits(last, targets),
      ...(loss !== undefined && { synchronyLoss: loss }),
    },
    accuracyPerTimestep: logits.map((step) => topKSetAccuracy(step, targets, CLASSES, "trueLabels")),
    synchronyPerTimestep: synchronyLosses,
    pairs: pairAccuracies(last, targets),
  };
}

/** Set accuracy for each pair of digits. A scene of three digits counts for each of its three pairs. */
function pairAccuracies(logits: Float32Array, targets: Float32Array): (number | null)[][] {
  const right = Array.from({ length: CLASSES }, () => new Array<number>(CLASSES).fill(0));
  const seen = Array.from({ length: CLASSES }, () => new Array<number>(CLASSES).fill(0));
  for (let at = 0; at < targets.length; at += CLASSES) {
    const own = targets.subarray(at, at + CLASSES);
    const present = Array.from(own.keys()).filter((digit) => own[digit] === 1);
    const hit = topKSetAccuracy(logits.subarray(at, at + CLASSES), own, CLASSES, "trueLabels");
    for (const a of present) {
      for (const b of present) {
        if (a === b) continue;
        right[a]![b]! += hit;
        seen[a]![b]! += 1;
      }
    }
  }
  return seen.map((row, i) => row.map((count, j) => (count === 0 ? null : right[i]![j]! / count)));
}
