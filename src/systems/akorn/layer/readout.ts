import type { Tensor } from "../../../graph/index.js";
import { add, l2Norm, parameter, reshape, scope } from "../../../graph/index.js";
import { zeros } from "../../../nn/init.js";
import { Conv2d } from "../../../nn/layers/convolution.js";
import type { Layer } from "../../../nn/layers/layer.js";

/**
 * Phase-invariant read-out (arXiv:2410.13821, eq. 7). A convolution computes a vector of N numbers for each
 * output channel and position. The output is the vector's Euclidean norm plus a bias. The layer maps [batch,
 * inputs, height, width] to [batch, outputs, height, width]. The side of its kernel must be odd.
 */
export class ReadOutConv implements Layer {
  readonly bias: Tensor;
  readonly conv: Conv2d;

  constructor(
    inputs: number,
    readonly outputs: number,
    /** N, the number of components of each vector. */
    readonly components: number,
    kernel = 1,
  ) {
    this.bias = parameter([outputs], zeros);
    this.conv = new Conv2d(inputs, outputs * components, kernel, { padding: kernel >> 1 });
  }

  forward(x: Tensor): Tensor {
    const { outputs, components } = this;
    return scope("readout", () => {
      const vectors = this.conv.forward(x);
      const [batch, , height, width] = vectors.shape;
      const split = reshape(vectors, [batch!, outputs, components, (height as number) * (width as number)]);
      const lengths = add(l2Norm(split, 2), reshape(this.bias, [outputs, 1]));
      return reshape(lengths, [batch!, outputs, height!, width!]);
    });
  }
}
