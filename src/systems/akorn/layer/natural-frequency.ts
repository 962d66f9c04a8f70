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
import { check } from "../../../util/errors.js";

/** How oscillators rotate on their own. */
export interface NaturalFrequencyOptions {
  /** omega at the start, in radians per unit of time (default 1). */
  readonly initial?: number;
  /** One frequency for all planes (true) or one for each (default false). */
  readonly shared?: boolean;
  /** Default true. */
  readonly trained?: boolean;
}

/**
 * Omega, AKOrN's rotation at a natural frequency (arXiv:2410.13821, section 4): in every plane (a, b) of neighbouring
 * channels Omega (a, b) = (omega b, -omega a). Planes pair the channels 2 k and 2 k + 1 whatever n is. `components` [2] or
 * [channels / 2, 2] holds the frequency as a vector, omega = |components|, so that it is never negative.
 */
export class NaturalFrequency {
  readonly components: Tensor;

  /** Throws `StriateError` for an odd number of channels. */
  constructor(
    readonly channels: number,
    options: NaturalFrequencyOptions = {},
  ) {
    const { initial = 1, shared = false, trained = true } = options;
    check(channels % 2 === 0, () => `natural frequency: ${channels} channels do not pair into planes`);
    const shape = shared ? [2] : [channels / 2, 2];
    this.components = parameter(shape, fill(initial / Math.SQRT2), { trainable: trained });
  }

  /** Omega as a matrix [channels, channels], skew-symmetric: x · Omega x = 0. */
  matrix(): Tensor {
    const { channels, components } = this;
    const frequency = reshape(l2Norm(components, -1, { keepAxes: true }), [-1, 1]);
    const planes = channels / 2;
    const each =
      frequency.shape[0] === 1 ? frequency : reshape(expand(frequency, [planes, 2]), [channels, 1]);
    return mul(planeTurns(channels), each);
  }

  /** Omega x for channels on axis 1 ([batch, channels, ...space]) or on the last axis of three ([batch, tokens, channels]). */
  forward(x: Tensor): Tensor {
    if (x.rank < 4) return matmul(x, transpose(this.matrix(), [1, 0]));
    const maps = reshape(x, [x.shape[0]!, this.channels, -1]);
    return reshape(matmul(this.matrix(), maps), x.shape);
  }
}

/** (a, b) to (b, -a) in every plane. */
function planeTurns(channels: number): Tensor {
  const values = new Float32Array(channels * channels);
  for (let a = 0; a < channels; a += 2) {
    values[a * channels + a + 1] = 1;
    values[(a + 1) * channels + a] = -1;
  }
  return constant({ dtype: "float32", shape: [channels, channels], data: values });
}
