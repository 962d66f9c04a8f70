import type { TensorData } from "../../../graph/index.js";
import { checkOdd } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { FilterBank } from "./gabor.js";
import { checkCells } from "./receptive-fields.js";

/**
 * Expands kernels [cells, size, size] to a convolution weight [cells, channels, size, size]. For each cell,
 * it is zero except in the channel that the cell sees. `channels` is 3 by default.
 */
export function colourWeight(
  kernels: Float32Array,
  colour: ArrayLike<number>,
  size: number,
  channels = 3,
): TensorData {
  const area = size * size;
  const cells = colour.length;
  const data = new Float32Array(cells * channels * area);
  for (let cell = 0; cell < cells; cell++) {
    data.set(kernels.subarray(cell * area, (cell + 1) * area), (cell * channels + colour[cell]!) * area);
  }
  return { dtype: "float32", shape: [cells, channels, size, size], data };
}

/**
 * Makes the filter bank of a checkpoint of the authors from its tensors `simple_conv_q0.weight` and
 * `simple_conv_q1.weight`, each [cells, channels, size, size]. The first `simple` cells are simple cells, whose
 * filters in q1 are not used.
 *
 * @throws StriateError if the tensors have the wrong shapes, or if a filter sees more than one colour channel.
 */
export function bankFromWeights(q0: TensorData, q1: TensorData, simple: number): FilterBank {
  const [cells = 0, channels = 0, size = 0, width] = q0.shape;
  check(
    q0.shape.length === 4 && channels > 0 && size === width && q1.shape.join() === q0.shape.join(),
    () =>
      `V1 filters: expected two weights [cells, channels, size, size], got [${q0.shape.join(", ")}] and [${q1.shape.join(", ")}]`,
  );
  checkOdd("V1: kernel size", size);
  checkCells(simple, cells - simple);
  const first = withoutColour(q0, "q0", 0);
  const second = withoutColour(q1, "q1", simple);
  return {
    size,
    simple,
    complex: cells - simple,
    kernels: first.kernels,
    colour: first.colour,
    quadrature: second.kernels,
    quadratureColour: second.colour,
  };
}

function withoutColour(
  { shape, data }: TensorData,
  name: string,
  from: number,
): { readonly kernels: Float32Array; readonly colour: Int32Array } {
  const [cells, channels, size] = shape as [number, number, number];
  const area = size * size;
  const kernels = new Float32Array((cells - from) * area);
  const colour = new Int32Array(cells - from);
  for (let cell = from; cell < cells; cell++) {
    const planes = Array.from({ length: channels }, (_, c) =>
      (data as Float32Array).subarray((cell * channels + c) * area, (cell * channels + c + 1) * area),
    );
    const channelsSeen = planes.flatMap((plane, c) => (plane.some((value) => value !== 0) ? [c] : []));
    check(
      channelsSeen.length <= 1,
      () => `V1 filters: filter ${cell} of ${name}: expected one colour channel, got ${channelsSeen.length}`,
    );
    colour[cell - from] = channelsSeen[0] ?? 0;
    kernels.set(planes[channelsSeen[0] ?? 0]!, (cell - from) * area);
  }
  return { kernels, colour };
}
