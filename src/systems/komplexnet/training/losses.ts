import type { Tensor } from "../../../graph/index.js";
import { add, addAll, mul } from "../../../graph/index.js";
import { binaryCrossEntropyWithLogits } from "../../../nn/losses.js";
import type { KomplexNetConfig } from "../config.js";
import type { KomplexNetOutput } from "../model.js";
import type { SynchronyLoss } from "./synchrony-loss.js";
import { synchronyLoss } from "./synchrony-loss.js";

/** The binary cross-entropy of each timestep's logits with k-hot targets [batch, classes]: one scalar per timestep. */
export function crossEntropyPerStep(logits: readonly Tensor[], targets: Tensor): Tensor[] {
  const known = new Map<Tensor, Tensor>();
  return logits.map((step) => {
    const loss = known.get(step) ?? binaryCrossEntropyWithLogits(step, targets);
    known.set(step, loss);
    return loss;
  });
}

/**
 * The mean of scalars. A tensor that occurs several times, as when phases never change, is added once with its weight.
 */
function meanOf(losses: readonly Tensor[]): Tensor {
  const distinct = [...new Set(losses)];
  return addAll(
    distinct.map((loss) => mul(loss, losses.filter((other) => other === loss).length / losses.length)),
  );
}

/** The synchrony loss of the phases after the last timestep. */
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
  /** crossEntropy + coefficient x the synchrony loss. */
  readonly total: Tensor;
  /** Cross-entropy, averaged over the timesteps. */
  readonly crossEntropy: Tensor;
  readonly synchrony: SynchronyLoss;
}

/**
 * The loss of end-to-end training and of the model with feedback: the cross-entropy averaged over the timesteps plus
 * the synchrony loss of the last phases.
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
 * The loss if the dynamics are frozen (`"channels"`, `"input"`): the cross-entropy of the last timestep. The dynamics
 * need no backward pass, and earlier timesteps need no classification.
 */
export function lastStepLoss(output: Pick<KomplexNetOutput, "logits">, targets: Tensor): Tensor {
  return binaryCrossEntropyWithLogits(output.logits.at(-1)!, targets);
}
