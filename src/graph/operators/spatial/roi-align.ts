import { isStatic } from "../../dims.js";
import type { Call } from "../../operator.js";
import {
  applySingle,
  defineOperator,
  floatAttribute,
  intAttribute,
  rejectCall,
  required,
  stringAttribute,
} from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { integers } from "../../tensor.js";
import { floatConstant } from "../linear/axis-matrix.js";
import {
  add,
  and,
  cast,
  greaterOrEqual,
  lessOrEqual,
  maximum,
  mul,
  sub,
} from "../elementwise/elementwise.js";
import { readAt } from "./grid-sample.js";
import { mean } from "../reduce/reduce.js";
import { gather } from "../select/select.js";
import { unsqueeze } from "../shape/shape.js";

/** Height and width of the result. */
function sizeOfResult({ attributes }: Call): readonly [height: number, width: number] {
  return [intAttribute(attributes, "output_height", 1), intAttribute(attributes, "output_width", 1)];
}

defineOperator({
  type: "RoiAlign",
  infer: (call) => {
    const [x, rois, batch] = [required(call, 0, "x"), required(call, 1, "rois"), required(call, 2, "batch")];
    if (x.rank !== 4 || rois.rank !== 2 || rois.shape[1] !== 4 || batch.rank !== 1)
      rejectCall(
        call,
        "expected maps [batch, channels, height, width], regions [count, 4] and one index for each",
      );
    const count = [rois.shape[0]!, batch.shape[0]!].find(isStatic) ?? rois.shape[0]!;
    return [{ dtype: x.dtype, shape: [count, x.shape[1]!, ...sizeOfResult(call)] }];
  },
  gradient: (call) => call.through((inputs) => [averaged({ ...call, inputs })]),
});

/**
 * Divides regions of maps into cells and returns the mean of each cell (RoIAlign of Mask R-CNN, He et al.
 * 2017). `x` is [batch, channels, height, width]; `regions` is [count, 4] with x1, y1, x2, y2; `images` is
 * the index of each region's image in the batch. The gradient needs a number of samples above 0.
 */
export function roiAlign(
  x: Tensor,
  regions: Tensor,
  images: Tensor,
  options: {
    readonly size: readonly [height: number, width: number];
    /**
     * Number of samples along each axis of a cell (default 2). 0 takes as many samples as a cell has
     * elements, and has no gradient.
     */
    readonly samples?: number;
    /** Number of elements of the map for each unit of the regions' coordinates (default 1). */
    readonly scale?: number;
  },
): Tensor {
  const { size, samples = 2, scale = 1 } = options;
  return applySingle("RoiAlign", [x, regions, images], {
    output_height: size[0],
    output_width: size[1],
    sampling_ratio: samples,
    spatial_scale: { float: scale },
  });
}

/**
 * RoiAlign composed of operators that have gradients: every sample is interpolated from the elements around
 * it.
 */
function averaged(call: Call): Tensor {
  const [x, rois, batch] = call.inputs as [Tensor, Tensor, Tensor];
  const { attributes } = call;
  const samples = intAttribute(attributes, "sampling_ratio", 0);
  if (stringAttribute(attributes, "mode", "avg") !== "avg" || samples < 1)
    rejectCall(call, 'it has a gradient only for mode "avg" with a sampling_ratio above 0');
  const isHalf = stringAttribute(attributes, "coordinate_transformation_mode", "half_pixel") === "half_pixel";
  const scale = floatAttribute(attributes, "spatial_scale", 1);
  const size = sizeOfResult(call);
  const [height, width] = size;
  const edge = (column: number) =>
    sub(mul(applySingle("Gather", [rois, integers([column])], { axis: 1 }), scale), isHalf ? 0.5 : 0);
  const cells = height * width * samples ** 2;
  // Samples are ordered by cell in row-major order, and also within each cell in row-major order.
  const steps = [0, 1].map((axis) =>
    Array.from({ length: cells }, (_, i) => {
      const [cell, sample] = [Math.floor(i / samples ** 2), i % samples ** 2];
      const place = axis === 0 ? Math.floor(cell / width) : cell % width;
      const part = axis === 0 ? Math.floor(sample / samples) : sample % samples;
      return (place + (part + 0.5) / samples) / size[axis]!;
    }),
  );
  const coordinates = steps.map((share, axis) => {
    const [start, end] = [edge(1 - axis), edge(3 - axis)];
    const length = isHalf ? sub(end, start) : maximum(sub(end, start), 1);
    return add(start, mul(length, floatConstant(share, [1, cells], x.dtype)));
  });
  const maps = gather(x, batch);
  // A sample up to one element beyond an edge counts as the edge; samples further out are 0.
  const inside = coordinates.map((at, axis) => {
    const last = x.shape[axis + 2]!;
    if (!isStatic(last)) return rejectCall(call, "its gradient needs maps of known height and width");
    return and(greaterOrEqual(at, -1), lessOrEqual(at, last));
  });
  const read = readAt(maps, coordinates, { mode: "linear", padding: "border", alignCorners: true });
  const kept = mul(read, unsqueeze(cast(and(inside[0]!, inside[1]!), x.dtype), [1]));
  const parts = applySingle("Reshape", [kept, integers([0, 0, height, width, samples ** 2])]);
  return mean(parts, [4]);
}
