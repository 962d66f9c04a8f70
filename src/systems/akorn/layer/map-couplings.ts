import type { Tensor } from "../../../graph/index.js";
import { add, conv, gemm, matmul, mul, pad, reshape, showShape } from "../../../graph/index.js";
import { Conv2d } from "../../../nn/layers/convolution.js";
import { Linear } from "../../../nn/layers/linear.js";
import { checkOdd, checkShape } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { Coupling, CouplingField, FieldOptions } from "./coupling.js";
import { positionsOf } from "./oscillators.js";

/**
 * Makes the conversions between maps and fields for couplings that work on whole maps. A field is [batch,
 * oscillators, n, positions], so each conversion is a reshape.
 */
function mapField(map: Tensor, n: number): Pick<CouplingField, "batchAxis" | "toField" | "toMap"> {
  const [batch, channels] = map.shape as [number, number];
  const positions = positionsOf(map);
  return {
    batchAxis: 0,
    toField: (x) => reshape(x, [batch, channels / n, n, positions]),
    toMap: (field) => reshape(field, map.shape),
  };
}

/**
 * Local coupling: a convolution between all channels with an odd kernel, stride 1 and zero padding. The
 * rotation Omega is added to the centre of the kernel, so it costs nothing in the steps.
 */
export class ConvolutionCoupling implements Coupling {
  readonly weight: Tensor;
  readonly bias: Tensor;

  constructor(
    readonly channels: number,
    readonly kernel: number,
  ) {
    checkOdd("convolutional coupling: kernel", kernel);
    const { weight, bias } = new Conv2d(channels, channels, kernel);
    [this.weight, this.bias] = [weight, bias!];
  }

  field(map: Tensor, { n, gain, rotation }: FieldOptions): CouplingField {
    checkShape("convolutional coupling", map.shape, ["batch", "channels", "height", "width"]);
    const field = mapField(map, n);
    const reach = (this.kernel - 1) / 2;
    const { channels } = this;
    const centre = rotation && pad(reshape(rotation, [channels, channels, 1, 1]), ...around(reach));
    const weight = mul(centre ? add(this.weight, centre) : this.weight, gain);
    return {
      ...field,
      coupledInput: (x) => field.toField(conv(field.toMap(x), weight, undefined, { padding: reach })),
      bias: reshape(this.bias, [channels / n, n, 1]),
    };
  }
}

function around(reach: number): [number[], number[]] {
  return [
    [0, 0, reach, reach],
    [0, 0, reach, reach],
  ];
}

/**
 * Dense coupling of all channels at all positions: y = W vec(x) + b, where vec(x) is the whole map as a
 * vector of channels x positions elements. The paper mentions it, but the authors' code does not have it.
 */
export class DenseCoupling implements Coupling {
  readonly weight: Tensor;
  readonly bias: Tensor;

  /** @param positions number of positions in a map, height x width; 1 for vectors [batch, channels]. */
  constructor(
    readonly channels: number,
    readonly positions = 1,
  ) {
    const { weight, bias } = new Linear(channels * positions, channels * positions);
    [this.weight, this.bias] = [weight, bias!];
  }

  field(map: Tensor, { n, gain, rotation }: FieldOptions): CouplingField {
    const { channels, positions } = this;
    check(
      positionsOf(map) === positions,
      () => `dense coupling: expected a map of ${positions} positions, got ${showShape(map.shape)}`,
    );
    const field = mapField(map, n);
    const weight = mul(this.weight, gain);
    const turning = rotation && mul(rotation, gain);
    return {
      ...field,
      coupledInput: (x) => {
        const product = gemm(reshape(x, [x.shape[0]!, channels * positions]), weight, undefined, {
          transB: 1,
        });
        const coupled = reshape(product, x.shape);
        if (turning === undefined) return coupled;
        const turned = matmul(turning, reshape(x, [x.shape[0]!, channels, positions]));
        return add(coupled, reshape(turned, x.shape));
      },
      bias: reshape(this.bias, [channels / n, n, positions]),
    };
  }
}
