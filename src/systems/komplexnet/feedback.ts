import type { Tensor } from "../../graph/index.js";
import {
  convTranspose,
  matmul,
  mul,
  parameter,
  scope,
  sub,
  tanh,
  transposeMatrix,
  unsqueeze,
} from "../../graph/index.js";
import { fill } from "../../nn/init.js";
import { stackBatch } from "./batch-stack.js";
import type { Polar } from "./complex-layers.js";
import type { FeedbackOptions, KomplexNetConfig } from "./config.js";
import { FILTERS } from "./config.js";
import type { Phases } from "./kuramoto.js";
import { pull, repulsion } from "./kuramoto.js";
import type { StageOutputs } from "./stages.js";

const SMALL_START = fill(1e-6);

/**
 * Pull of the deeper layers on the first layer's phases (the recurrent model). A unit with complex output m exp(i theta) pulls with
 * strength tanh m towards theta:
 *
 *     from the convolution  d2 = eta2 sum_j (K2_ij - epsilon2) tanh(m_j) sin(theta_j - phi_i)
 *     from hidden layer     d3[c,y,x] = eta3 sum_k K3[c,k] tanh(m_k) sin(theta_k - phi[c,y,x])
 *     from the read-out     d4, likewise with K4
 *
 * The sums of d3 and d4 do not depend on the place, so they are one small matrix product for each image.
 */
export class Feedback {
  /** K2, [channels, 8, size, size]: a transposed convolution of stride 2. */
  readonly fromConvolution: Tensor;
  /** K3, [8, hidden]. */
  readonly fromHidden: Tensor;
  /** K4, [8, classes]. */
  readonly fromReadout: Tensor;
  readonly options: Required<FeedbackOptions>;

  constructor(
    config: Pick<KomplexNetConfig, "channels" | "hidden" | "classes">,
    options: Required<FeedbackOptions>,
  ) {
    this.options = options;
    this.fromConvolution = parameter([config.channels, FILTERS, options.size, options.size], SMALL_START);
    this.fromHidden = parameter([FILTERS, config.hidden], SMALL_START);
    this.fromReadout = parameter([FILTERS, config.classes], SMALL_START);
  }

  /** The three increments, from the outputs of the timestep before. */
  increments(
    phases: Phases,
    before: Omit<StageOutputs, "logits">,
  ): [convolution: Tensor, hidden: Tensor, readout: Tensor] {
    const [, hiddenRate, readoutRate] = this.options.rates;
    return scope("feedback", () => [
      this.#convolutionIncrement(phases, before.convolution),
      broadcastPull(phases, before.hidden, this.fromHidden, hiddenRate),
      broadcastPull(phases, before.readout, this.fromReadout, readoutRate),
    ]);
  }

  #convolutionIncrement(phases: Phases, z: Polar): Tensor {
    const { rates, size, desynchrony } = this.options;
    const active = activity(z);
    const field = convTranspose(active, mul(this.fromConvolution, rates[0]), undefined, {
      stride: 2,
      padding: (size - 1) / 2,
      outputPadding: 1,
    });
    const repelled = desynchrony === 0 ? field : sub(field, repulsion(active, rates[0] * desynchrony));
    return pull(phases, repelled);
  }
}

/** tanh m cos theta and tanh m sin theta, stacked in the batch. */
function activity(z: Polar): Tensor {
  const strength = tanh(z.magnitude);
  return stackBatch([mul(strength, z.cos), mul(strength, z.sin)]);
}

function broadcastPull(phases: Phases, z: Polar, kernel: Tensor, rate: number): Tensor {
  const field = matmul(activity(z), transposeMatrix(mul(kernel, rate)));
  return pull(phases, unsqueeze(field, [2, 3]));
}
