import type { Tensor } from "../../graph/index.js";
import {
  convTranspose,
  matmul,
  mul,
  parameter,
  scope,
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
import { couplingTerm, pulledAtRate } from "./kuramoto.js";
import type { StageOutputs } from "./stages.js";

const SMALL_START = fill(1e-6);

/**
 * The activity with which deeper layers pull on the phases. For outputs m exp(i theta), it consists of
 * tanh(m) cos(theta) and tanh(m) sin(theta), concatenated along the batch axis.
 */
export interface Activity {
  readonly convolution: Tensor;
  readonly hidden: Tensor;
  readonly readout: Tensor;
}

/**
 * Strengths of the pulls. Each is a number, or a scalar tensor for a graph input whose value may change from
 * call to call.
 */
export interface FeedbackStrength {
  readonly rates: readonly (Tensor | number)[];
  readonly desynchrony: Tensor | number;
}

/**
 * The pull of deeper layers on the phases phi of the first layer (the paper's recurrent model). A unit with
 * the complex output m exp(i theta) pulls phases towards theta with the strength tanh(m):
 *
 *     from the convolution  d2 = eta2 sum_j (K2_ij - epsilon2) tanh(m_j) sin(theta_j - phi_i)
 *     from hidden layer     d3[c,y,x] = eta3 sum_k K3[c,k] tanh(m_k) sin(theta_k - phi[c,y,x])
 *     from the read-out     d4, likewise with K4
 *
 * K2, K3 and K4 are the kernels, eta2, eta3 and eta4 the rates, and epsilon2 is the global repulsion. The
 * sums over k do not depend on the position (y, x), so each is one small matrix product per image.
 */
export class Feedback {
  /** K2, [channels, 8, size, size], the kernel of a transposed convolution of stride 2. */
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

  /** Computes the three increments of the phases from the layers' outputs at the previous timestep. */
  increments(
    phases: Phases,
    before: Omit<StageOutputs, "logits">,
  ): [convolution: Tensor, hidden: Tensor, readout: Tensor] {
    return this.pulls(
      phases,
      scope("feedback", () => activityOf(before)),
    );
  }

  /**
   * Computes the three increments of the phases from the layers' activity. The strengths may differ from
   * those in the options.
   */
  pulls(
    phases: Phases,
    active: Activity,
    { rates, desynchrony }: FeedbackStrength = this.options,
  ): [convolution: Tensor, hidden: Tensor, readout: Tensor] {
    const [fromConvolution, fromHidden, fromReadout] = rates as [
      Tensor | number,
      Tensor | number,
      Tensor | number,
    ];
    return scope("feedback", () => [
      this.#convolutionPull(phases, active.convolution, fromConvolution, desynchrony),
      broadcastPull(phases, active.hidden, this.fromHidden, fromHidden),
      broadcastPull(phases, active.readout, this.fromReadout, fromReadout),
    ]);
  }

  #convolutionPull(
    phases: Phases,
    active: Tensor,
    rate: Tensor | number,
    desynchrony: Tensor | number,
  ): Tensor {
    const kernel = typeof rate === "number" ? mul(this.fromConvolution, rate) : this.fromConvolution;
    const field = convTranspose(active, kernel, undefined, {
      stride: 2,
      padding: (this.options.size - 1) / 2,
      outputPadding: 1,
    });
    return pulledAtRate(phases, field, active, { rate, desynchrony });
  }
}

/** Computes the activity of the complex layers from their outputs. */
export function activityOf({ convolution, hidden, readout }: Omit<StageOutputs, "logits">): Activity {
  return { convolution: activity(convolution), hidden: activity(hidden), readout: activity(readout) };
}

function activity(z: Polar): Tensor {
  const strength = tanh(z.magnitude);
  return stackBatch([mul(strength, z.cos), mul(strength, z.sin)]);
}

function broadcastPull(phases: Phases, active: Tensor, kernel: Tensor, rate: Tensor | number): Tensor {
  const field = matmul(active, transposeMatrix(mul(kernel, rate)));
  return couplingTerm(phases, unsqueeze(field, [2, 3]));
}
