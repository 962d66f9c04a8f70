import type { Tensor, TensorData } from "../../../graph/index.js";
import { cast, gradients, input, lower, writeOnnx } from "../../../graph/index.js";
import { crossEntropy } from "../../../nn/losses.js";
import type { State } from "../../../nn/module.js";
import { asConstants } from "../../../nn/training-state.js";
import type { Runtime, SessionOptions } from "../../../runtime/runtime.js";
import { targetOf } from "../../../runtime/runtime.js";
import { checkLength } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { Random } from "../../../util/random.js";
import type { PredictiveNetwork } from "../core/network.js";
import type { Normalisation } from "../training/tasks.js";
import { normalised } from "../training/tasks.js";

/** Options of a targeted attack: its size and its steps. */
export interface AttackOptions {
  /** Largest change of a pixel value, in the units of the images. */
  readonly epsilon: number;
  /** Number of steps. Default 100. */
  readonly steps?: number;
  /** Step size divided by epsilon. Default 0.025, as in the paper. */
  readonly relativeStep?: number;
  /** Smallest and largest value of a pixel. Default 0 and 1. */
  readonly bounds?: readonly [number, number];
}

/** The graph of a targeted attack: the loss and its gradient through all passes of the network. */
export interface AttackGraph {
  readonly image: Tensor;
  /** The classes that the attack makes the network predict, as int64 [batch]. */
  readonly targets: Tensor;
  /** The cross-entropy with the targets at the last timestep, summed over images. The attack minimises it. */
  readonly loss: Tensor;
  readonly gradient: Tensor;
  readonly logits: readonly Tensor[];
}

/**
 * Writes the graph of an attack. It computes the cross-entropy at the last timestep, and its gradient with
 * respect to the image through all timesteps. The gradient treats the error gradients inside the PCoders as
 * constants.
 *
 * @param timesteps index of the last timestep, so there are `timesteps` + 1 passes
 */
export function traceAttack(
  network: PredictiveNetwork,
  timesteps: number,
  options: { readonly batch: number; readonly normalisation?: Normalisation },
): AttackGraph {
  const { backbone } = network;
  const image = input("image", [options.batch, ...backbone.imageShape]);
  const targets = input("targets", [options.batch], "int64");
  const networkInput = options.normalisation ? normalised(image, options.normalisation) : image;
  const { passes } = network.unroll(timesteps, { image: networkInput, hyperparameters: "constants" });
  const logits = passes.map((pass) => pass.logits);
  const loss = crossEntropy(logits.at(-1)!, cast(targets, "int64"), { reduction: "sum" });
  return { image, targets, loss, gradient: gradients(loss, [image])[0]!, logits };
}

/** Computes x - step x sign(gradient), clipped to ±epsilon around `original` and then to the bounds. */
export function attackStep(
  x: Float32Array,
  original: Float32Array,
  gradient: ArrayLike<number>,
  { epsilon, relativeStep = 0.025, bounds = [0, 1] }: AttackOptions,
): Float32Array {
  const step = epsilon * relativeStep;
  return x.map((value, i) => {
    const moved = value - step * Math.sign(gradient[i]!);
    return clamp(clamp(moved, original[i]! - epsilon, original[i]! + epsilon), ...bounds);
  });
}

/**
 * Computes the start of the attack: original + noise, clipped to the bounds. `noise` is uniform in ±epsilon.
 */
export function attackStart(
  original: Float32Array,
  noise: ArrayLike<number>,
  { bounds = [0, 1] }: Pick<AttackOptions, "bounds">,
): Float32Array {
  return original.map((value, i) => clamp(value + noise[i]!, ...bounds));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/**
 * Runs the paper's attack: the targeted basic iterative method in the maximum norm with a random start
 * (Kurakin et al. 2017), through all passes of the unrolled network. In the paper, the target class is
 * (label + 800) mod 1000.
 *
 * @param images [batch, ...imageShape], within `bounds`
 * @returns the attacked images, and for each image whether the network predicts its target at the last
 * timestep
 */
export async function targetedAttack(
  network: PredictiveNetwork,
  values: State,
  images: TensorData,
  targets: readonly number[],
  options: AttackOptions & {
    readonly timesteps: number;
    readonly normalisation?: Normalisation;
    readonly random: Random;
  },
  runtime: Runtime,
  session: SessionOptions = {},
): Promise<{ readonly images: TensorData; readonly succeeded: readonly boolean[] }> {
  const batch = images.shape[0]!;
  check(
    network.options.randomInit !== true,
    () => "attack: expected a deterministic network, got one whose representations start at random",
  );
  check(
    network.backbone.noise.size === 0,
    () => "attack: expected a deterministic network, got one with noise inputs",
  );
  checkLength("attack: targets", targets, batch);
  const { steps = 100, epsilon, random } = options;
  const graph = traceAttack(network, options.timesteps, { ...options, batch });
  const constants = { values: asConstants(values) };
  const outputs = lower(
    { gradient: graph.gradient, logits: graph.logits.at(-1)! },
    targetOf(runtime, session),
    constants,
  );
  const opened = await runtime.createSession(writeOnnx(outputs, constants), session);
  try {
    const original = images.data as Float32Array;
    const noise = random.fillUniform(new Float32Array(original.length), -epsilon, epsilon);
    let x = attackStart(original, noise, options);
    const run = () =>
      opened.run({
        image: { ...images, data: x },
        targets: { dtype: "int64", shape: [batch], data: BigInt64Array.from(targets, BigInt) },
      });
    for (let i = 0; i < steps; i++) {
      const { gradient } = await run();
      x = attackStep(x, original, gradient!.data as Float32Array, options);
    }
    const { logits } = await run();
    return {
      images: { ...images, data: x },
      succeeded: targets.map((target, i) => winner(logits!, i) === target),
    };
  } finally {
    await opened.close();
  }
}

function winner({ shape, data }: TensorData, row: number): number {
  const classes = shape.at(-1)!;
  let best = 0;
  for (let c = 1; c < classes; c++) if (data[row * classes + c]! > data[row * classes + best]!) best = c;
  return best;
}
