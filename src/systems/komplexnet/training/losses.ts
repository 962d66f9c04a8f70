import type { Tensor } from "../../../graph/index.js";
import { add, addAll, mul } from "../../../graph/index.js";
import { binaryCrossEntropyWithLogits } from "../../../nn/losses.js";
import type { KomplexNetConfig } from "../config.js";
import type { KomplexNetOutput } from "../model.js";
import type { SynchronyLoss } from "./synchrony-loss.js";
import { synchronyLoss } from "./synchrony-loss.js";

/**
 * Computes the binary cross-entropy of each timestep's logits with k-hot targets [batch, classes]. The result
 * is one scalar per timestep.
 */
export function crossEntropyPerStep(logits: readonly Tensor[], targets: Tensor): Tensor[] {
  const known = new Map<Tensor, Tensor>();
  return logits.map((step) => {
    const loss = known.get(step) ?? binaryCrossEntropyWithLogits(step, targets);
    known.set(step, loss);
    return loss;
  });
}

/**
 * Computes the mean of scalars. If phases never change, the same tensor occurs several times; it is then
 * added only once, multiplied by its share of the list.
 */
function meanOf(losses: readonly Tensor[]): Tensor {
  const distinct = [...new Set(losses)];
  return addAll(
    distinct.map((loss) => mul(loss, losses.filter((other) => other === loss).length / losses.length)),
  );
}

/** Computes the synchrony loss of the phases after the last timestep. */
export function lastSynchronyLoss(
  output: Pick<KomplexNetOutput, "phases" | "amplitude">,
  masks: Tensor,
  config: Pick<KomplexNetConfig, "background" | "overlapChannel">,
): SynchronyLoss {
  const { background, overlapChannel } = config;
  const phases = output.phases.at(-1)!;
  return synchronyLoss({ phases, amplitude: output.amplitude, masks, background, overlapChannel });
}

/** The loss of end-to-end training and its two parts. All are scalars. */
export interface EndToEndLoss {
  /** The loss to minimise: crossEntropy + coefficient x synchrony.loss. */
  readonly total: Tensor;
  /** Cross-entropy, averaged over the timesteps. */
  readonly crossEntropy: Tensor;
  readonly synchrony: SynchronyLoss;
}

/**
 * Computes the loss for end-to-end training and for the model with feedback: the cross-entropy averaged over
 * the timesteps, plus the synchrony loss of the phases after the last timestep.
 *
 * @param targets k-hot targets, [batch, classes]
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
 * Computes the loss for training with frozen dynamics (`kuramotoMode` "channels" or "input"): the
 * cross-entropy of the last timestep. The dynamics then need no backward pass, and earlier timesteps need no
 * classification.
 */
export function lastStepLoss(output: Pick<KomplexNetOutput, "logits">, targets: Tensor): Tensor {
  return binaryCrossEntropyWithLogits(output.logits.at(-1)!, targets);
}
