import type { Tensor } from "../../../graph/index.js";
import {
  constant,
  expand,
  matmul,
  mul,
  parameter,
  reshape,
  transpose,
  l2Norm,
} from "../../../graph/index.js";
import { fill } from "../../../nn/init.js";
import { checkMultiple } from "../../../util/check.js";

/** Options of the natural frequencies. */
export interface NaturalFrequencyOptions {
  /** Initial frequency omega, in radians per unit of time. Default 1. */
  readonly initial?: number;
  /** Whether all planes share one frequency. Default false: each plane has its own. */
  readonly shared?: boolean;
  /** Whether the frequencies are trained. Default true. */
  readonly trained?: boolean;
}

/**
 * Omega, AKOrN's rotation at natural frequencies (arXiv:2410.13821, section 4). Whatever n is, channels 2 k
 * and 2 k + 1 form a plane (a, b), in which Omega (a, b) = (omega b, -omega a). Each frequency omega is
 * stored as a vector of two components and is the length of that vector, so it is never negative. The
 * parameter `components` has the shape [channels / 2, 2], or [2] if all planes share one frequency.
 */
export class NaturalFrequency {
  readonly components: Tensor;

  /** Throws `StriateError` if the number of channels is odd. */
  constructor(
    readonly channels: number,
    options: NaturalFrequencyOptions = {},
  ) {
    const { initial = 1, shared = false, trained = true } = options;
    checkMultiple("natural frequency: channels", channels, 2);
    const shape = shared ? [2] : [channels / 2, 2];
    this.components = parameter(shape, fill(initial / Math.SQRT2), { trainable: trained });
  }

  /** Computes Omega as a skew-symmetric matrix [channels, channels]; for any x, x · Omega x = 0. */
  matrix(): Tensor {
    const { channels, components } = this;
    const frequency = reshape(l2Norm(components, -1, { keepAxes: true }), [-1, 1]);
    const planes = channels / 2;
    const each =
      frequency.shape[0] === 1 ? frequency : reshape(expand(frequency, [planes, 2]), [channels, 1]);
    return mul(planeTurns(channels), each);
  }

  /**
   * Computes Omega x. If x has fewer than four axes, channels are its last axis, as in tokens [batch, tokens,
   * channels]. Otherwise x is a map [batch, channels, ...space].
   */
  forward(x: Tensor): Tensor {
    if (x.rank < 4) return matmul(x, transpose(this.matrix(), [1, 0]));
    const maps = reshape(x, [x.shape[0]!, this.channels, -1]);
    return reshape(matmul(this.matrix(), maps), x.shape);
  }
}

/** Makes the matrix that maps (a, b) to (b, -a) in every plane. */
function planeTurns(channels: number): Tensor {
  const values = new Float32Array(channels * channels);
  for (let a = 0; a < channels; a += 2) {
    values[a * channels + a + 1] = 1;
    values[(a + 1) * channels + a] = -1;
  }
  return constant({ dtype: "float32", shape: [channels, channels], data: values });
}
