import type { TrainingData } from "../../train/task.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import { Trainer } from "../../train/trainer.js";
import { StriateError } from "../../util/errors.js";
import type { TrainableNetwork } from "./networks.js";
import type { TrainingRecipe } from "./recipe.js";
import { recipeOptimizer } from "./recipe.js";
import { taskOf } from "./train-network.js";

/** One learning rate and the smoothed loss at it. */
export interface RatePoint {
  readonly rate: number;
  readonly loss: number;
}

/** The result of `findRate`. */
export interface FoundRate {
  readonly points: readonly RatePoint[];
  /** A learning rate to start from: a tenth of the one at which the loss was smallest. */
  readonly suggested: number;
}

/** Options of `findRate`. */
export interface FindRateOptions extends SessionOptions {
  readonly recipe: TrainingRecipe;
  readonly seed: number;
  readonly trainable: ReadonlySet<string>;
  /** Smallest and greatest learning rate. Default 1e-6 to 1. */
  readonly range?: readonly [low: number, high: number];
  /** Number of steps. Default 100. */
  readonly steps?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (step: number, steps: number) => void;
}

/** Decay of the moving average of the loss. */
const DECAY = 0.9;
/** Number of steps at the beginning whose loss does not count, because the average still follows single batches. */
const SETTLING = 10;
/** The search ends when the loss is this many times the smallest one. */
const DIVERGED = 4;

/**
 * Tries learning rates from small to large, one training step each, and averages the loss (Smith 2017,
 * arXiv:1506.01186). The steps train a copy of the network, which is then thrown away. The search ends early if the loss
 * grows to four times its smallest value, or is not finite.
 *
 * @param data training images, with the fields that the task reads
 * @throws StriateError if the very first step has no finite loss
 */
export async function findRate(
  network: TrainableNetwork,
  data: TrainingData,
  options: FindRateOptions,
): Promise<FoundRate> {
  const { recipe, seed, trainable, range = [1e-6, 1], steps = 100, signal, onProgress } = options;
  const [low, high] = range;
  const rateAt = (step: number) => low * (high / low) ** (step / (steps - 1));
  const trainer = await Trainer.open(
    taskOf(network, recipe, trainable),
    data,
    {
      batchSize: recipe.batchSize,
      ...(recipe.accumulate !== undefined && { accumulate: recipe.accumulate }),
      seed,
      optimizer: recipeOptimizer(recipe, (name) => network.values.get(name)?.shape.length ?? 0),
      learningRate: rateAt,
      values: network.values,
      trainable: (name) => trainable.has(name),
    },
    workerRuntime,
    sessionOptionsOf(options),
  );
  const points: RatePoint[] = [];
  let mean = 0;
  try {
    for (let step = 0; step < steps && signal?.aborted !== true; step++) {
      const { loss } = await trainer.advance();
      mean = DECAY * mean + (1 - DECAY) * loss;
      points.push({ rate: rateAt(step), loss: mean / (1 - DECAY ** (step + 1)) });
      onProgress?.(step + 1, steps);
      if (points.at(-1)!.loss > DIVERGED * best(points).loss) break;
    }
  } catch (error) {
    // A rate that is far too large ends in numbers that are not finite, which is an answer.
    if (!(error instanceof StriateError) || points.length === 0) throw error;
  } finally {
    await trainer.close();
  }
  return { points, suggested: Number((best(points).rate / 10).toPrecision(1)) };
}

function best(all: readonly RatePoint[]): RatePoint {
  const points = all.length > SETTLING ? all.slice(SETTLING) : all;
  return points.reduce((a, b) => (b.loss < a.loss ? b : a));
}
