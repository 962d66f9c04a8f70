import { isStatic } from "../../dims.js";
import type { Call } from "../../operator.js";
import {
  applySingle,
  defineOperator,
  floatAttribute,
  intsAttribute,
  rejectCall,
  required,
} from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { constant, integers } from "../../tensor.js";
import { floatConstant } from "../linear/axis-matrix.js";
import {
  add,
  and,
  cast,
  ceil,
  div,
  equal,
  floor,
  greater,
  less,
  lessOrEqual,
  maximum,
  mul,
  sub,
  where,
} from "../elementwise/elementwise.js";
import { max } from "../reduce/reduce.js";
import { gather } from "../select/select.js";
import { concat } from "../shape/join.js";
import { reshape, unsqueeze } from "../shape/shape.js";

/** Height and width of the result. */
function sizeOfResult(call: Call): readonly [height: number, width: number] {
  const [height, width] = intsAttribute(call.attributes, "pooled_shape") ?? [];
  if (height === undefined || width === undefined || height < 1 || width < 1)
    return rejectCall(call, "expected pooled_shape with a height and a width");
  return [height, width];
}

// Edges are rounded to elements, so only the maps have a gradient other than 0.
defineOperator({
  type: "MaxRoiPool",
  infer: (call) => {
    const [x, rois] = [required(call, 0, "x"), required(call, 1, "rois")];
    if (x.rank !== 4 || rois.rank !== 2 || rois.shape[1] !== 5)
      rejectCall(call, "expected maps [batch, channels, height, width] and regions [count, 5]");
    return [{ dtype: x.dtype, shape: [rois.shape[0]!, x.shape[1]!, ...sizeOfResult(call)] }];
  },
  gradient: (call) => [call.through((inputs) => [pooled({ ...call, inputs })])[0], "zero"],
});

/**
 * Divides regions of maps into cells and returns the largest element of each cell, or 0 for a cell outside of the map
 * (RoI pooling of Fast R-CNN, Girshick 2015). `x` is [batch, channels, height, width]; `regions` is [count, 5], with the
 * index of the image, x1, y1, x2 and y2. The gradient needs maps of known height and width.
 *
 * @throws StriateError for other shapes
 * @example
 * ```ts
 * import { input, maxRoiPool } from "striate/graph";
 *
 * const maps = input("maps", ["batch", 8, 14, 14]);
 * const cells = maxRoiPool(maps, input("regions", ["count", 5]), { size: [7, 7], scale: 1 / 16 });
 * console.log(cells.shape.join(", ")); // count, 8, 7, 7
 * ```
 */
export function maxRoiPool(
  x: Tensor,
  regions: Tensor,
  options: {
    readonly size: readonly [height: number, width: number];
    /** Number of elements of the map for each unit of the regions' coordinates (default 1). */
    readonly scale?: number;
  },
): Tensor {
  const { size, scale = 1 } = options;
  return applySingle("MaxRoiPool", [x, regions], {
    pooled_shape: size,
    spatial_scale: { float: scale },
  });
}

/** Rounds halves away from 0, which Round does not. */
function rounded(x: Tensor): Tensor {
  return where(less(x, 0), ceil(sub(x, 0.5)), floor(add(x, 0.5)));
}

/** MaxRoiPool composed of operators that have gradients: one maximum for each column of cells, then for each row. */
function pooled(call: Call): Tensor {
  const [x, rois] = call.inputs as [Tensor, Tensor];
  const scale = floatAttribute(call.attributes, "spatial_scale", 1);
  const size = sizeOfResult(call);
  const column = (at: number) => applySingle("Gather", [rois, integers([at])], { axis: 1 });
  const images = cast(reshape(column(0), [-1]), "int64");
  /** Whether each element along an axis of the maps is in each cell of a region: [count, length] for each cell. */
  const masks = (axis: 0 | 1): Tensor[] => {
    const length = x.shape[axis + 2]!;
    if (!isStatic(length)) return rejectCall(call, "its gradient needs maps of known height and width");
    const [start, end] = [2 - axis, 4 - axis].map((at) => rounded(mul(column(at), scale))) as [
      Tensor,
      Tensor,
    ];
    const cell = div(maximum(add(sub(end, start), 1), 1), size[axis]);
    const places = floatConstant(
      Array.from({ length }, (_, at) => at),
      [1, length],
      x.dtype,
    );
    return Array.from({ length: size[axis] }, (_, i) => {
      const from = add(floor(mul(cell, i)), start);
      const to = add(ceil(mul(cell, i + 1)), start);
      return and(lessOrEqual(from, places), greater(to, places));
    });
  };
  const none = constant(-Infinity, [], x.dtype);
  const maps = gather(x, images);
  const columns = masks(1).map((mask) =>
    max(where(unsqueeze(mask, [1, 2]), maps, none), [3], { keepAxes: true }),
  );
  const narrow = concat(columns, 3);
  const rows = masks(0).map((mask) =>
    max(where(unsqueeze(mask, [1, 3]), narrow, none), [2], { keepAxes: true }),
  );
  const y = concat(rows, 2);
  // A cell outside of the maps is empty.
  return where(equal(y, none), 0, y);
}
