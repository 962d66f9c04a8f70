import type { Tensor } from "../../../graph/index.js";
import { add, addAll, mul } from "../../../graph/index.js";
import { binaryCrossEntropyWithLogits } from "../../../nn/losses.js";
import type { KomplexNetConfig } from "../config.js";
import type { KomplexNetOutput } from "../model.js";
import type { SynchronyLoss } from "./synchrony-loss.js";
import { synchronyLoss } from "./synchrony-loss.js";

/** Binary cross-entropy of each timestep's logits with k-hot targets [batch, classes], scalars. */
export function crossEntropyPerStep(logits: readonly Tensor[], targets: Tensor): Tensor[] {
  const known = new Map<Tensor, Tensor>();
  return logits.map((step) => {
    const loss = known.get(step) ?? binaryCrossEntropyWithLogits(step, targets);
    known.set(step, loss);
    return loss;
  });
}

/** Mean of scalars; equal ones (phases that never change) enter once, with their weight. */
function meanOf(losses: readonly Tensor[]): Tensor {
  const distinct = [...new Set(losses)];
  return addAll(
    distinct.map((loss) => mul(loss, losses.filter((other) => other === loss).length / losses.length)),
  );
}

/** Synchrony loss of the phases after the last timestep. */
export function lastSynchronyLoss(
  output: Pick<KomplexNetOutput, "phases" | "amplitude">,
  masks: Tensor,
  config: Pick<KomplexNetConfig, "background" | "overlapChannel">,
): SynchronyLoss {
  const { background, overlapChannel } = config;
  const phases = output.phases.at(-1)!;
  return synchronyLoss({ phases, amplitude: output.amplitude, masks, background, overlapChannel });
}

/** The loss of end-to-end training and its two parts, scalars. */
export interface EndToEndLoss {
  /** crossEntropy + coefficient x synchrony loss. */
  readonly total: Tensor;
  /** Mean over the timesteps. */
  readonly crossEntropy: Tensor;
  readonly synchrony: SynchronyLoss;
}

/**
 * The loss of end-to-end training and of the model with feedback: cross-entropy, mean over the timesteps, plus the synchrony loss of
 * the last phases.
 *
 * @param targets k-hot, [batch, classes]
 * @param masks [batch, 1 + objects (+ overlap), 1, height, width]
 * @param coefficient weight of the synchrony loss, default 1
 */
export function endToEndLoss(
  output: KomplexNetOutput,
  targets: Tensor,
  masks: Tensor,
  config: Pick<KomplexNetConfig, "background" | "overlapChannel">,
  coefficient = 1,
): EndToEndLoss {
  const crossEntropy = meanOf(crossEntropyPerStep(output.logits, targets));
  const synchrony = lastSynchronyLoss(output, masks, config);
  const weighted = coefficient === 1 ? synchrony.loss : mul(synchrony.loss, coefficient);
  return { total: add(crossEntropy, weighted), crossEntropy, synchrony };
}

/**
 * The loss where the dynamics stay as they are (`"channels"`, `"input"`): cross-entropy of the last timestep. Nothing of the graph
 * before it needs a backward pass, nor the earlier timesteps' classification at all.
 */
export function lastStepLoss(output: Pick<KomplexNetOutput, "logits">, targets: Tensor): Tensor {
  return binaryCrossEntropyWithLogits(output.logits.at(-1)!, targets);
}
