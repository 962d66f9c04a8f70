import fc from "fast-check";
import type { Attributes, Tensor } from "../../../src/graph/index.js";
import * as g from "../../../src/graph/index.js";
import { apply, applySingle } from "../../../src/graph/operator.js";
import type { Table } from "./entry.js";
import { ZERO } from "./entry.js";
import type { Values } from "./values.js";
import { distinct, flags, seeds, shapes, uniform, whole } from "./values.js";

/** Coordinates from -1.3 to 1.3 whose distance to every cell, and to the middle between cells, is not small. */
function grid(shape: readonly number[], lengths: readonly number[], aligned: boolean, seed: number): Values {
  const values = uniform(shape, seed, 0, 1, "float32");
  const data = values.data.map((draw, i) => {
    const length = lengths[lengths.length - 1 - (i % lengths.length)]!;
    // In elements: from one before the first to one behind the last, a fifth beyond one of them.
    const cell = Math.floor(draw * (length + 2)) - 1;
    const at = cell + (draw * 977 > Math.floor(draw * 977) + 0.5 ? 0.22 : -0.23);
    return aligned ? (length > 1 ? (2 * at) / (length - 1) - 1 : draw) : (2 * at + 1) / length - 1;
  });
  return { ...values, data };
}

const grids = fc
  .tuple(
    shapes(4, 5, 3),
    shapes(3, 3, 3),
    fc.constantFrom("linear", "linear", "nearest", "cubic"),
    fc.constantFrom("zeros", "border", "reflection"),
    fc.boolean(),
    seeds,
  )
  .map(([shape, out, mode, padding, alignCorners, seed]) => {
    const lengths = shape.slice(2).map((n) => n + 1);
    const x = uniform([shape[0]!, shape[1]!, ...lengths], seed, -1, 1, "float32");
    const places = out.slice(0, lengths.length);
    const how = mode === "cubic" && lengths.length !== 2 ? "linear" : mode;
    return {
      label: `[${x.shape}] at [${places}] ${how} ${padding} aligned ${alignCorners} seed ${seed}`,
      inputs: [x, grid([shape[0]!, ...places, lengths.length], lengths, alignCorners, seed + 1)],
      build: (values: Tensor, at: Tensor) => g.gridSample(values, at, { mode: how, padding, alignCorners }),
      step: 0.01,
    };
  });

/** Regions whose samples lie a fifth or more of an element beside every element, some of them outside. */
const regions = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }), fc.boolean(), fc.boolean(), seeds)
  .map(([size, samples, isHalf, isOutside, seed]) => {
    const [batch, channels, height, width, count] = [2, 2, 7, 6, 3];
    const x = uniform([batch, channels, height, width], seed, -1, 1, "float32");
    const corners = uniform([count, 4], seed + 1, 0, 1, "float32");
    const start = (draw: number) => Math.floor((draw * 977) % 3) - (isOutside ? 3 : 0) + (isHalf ? 0.3 : 0.8);
    // Cells of one element for each sample: all samples are at the same place between elements.
    const data = corners.data.map((draw, i) =>
      i % 4 < 2 ? start(draw) : start(corners.data[i - 2]!) + size * samples,
    );
    return {
      label: `${size} cells of ${samples} samples, half ${isHalf}, outside ${isOutside}, seed ${seed}`,
      inputs: [x, { ...corners, data }, whole([count], seed + 2, 0, batch)],
      build: (maps: Tensor, rois: Tensor, images: Tensor) =>
        applySingle("RoiAlign", [maps, rois, images], {
          output_height: size,
          output_width: size,
          sampling_ratio: samples,
          spatial_scale: { float: 1 },
          coordinate_transformation_mode: isHalf ? "half_pixel" : "output_half_pixel",
        }),
      step: 0.01,
    };
  });

/** Regions whose corners and image lie 0.1 to 0.3 beside a whole number, some of them partly or wholly outside. */
const boxes = fc
  .tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
    fc.constantFrom(1, 0.5),
    fc.boolean(),
    seeds,
  )
  .map(([height, width, scale, isOutside, seed]) => {
    const [batch, channels, count] = [2, 2, 4];
    const draws = uniform([count, 5], seed + 1, 0, 1, "float32");
    const data = draws.data.map((draw, i) => {
      const column = i % 5;
      if (column === 0) return Math.floor(draw * batch) + 0.3;
      const length = column < 3 ? 5 : 4;
      const at = Math.floor(draw * length) + (column < 3 ? 0 : 2) + (isOutside && column < 3 ? -3 : 0);
      return (at + 0.1) / scale;
    });
    return {
      label: `${height} x ${width} cells, scale ${scale}, outside ${isOutside}, seed ${seed}`,
      inputs: [distinct([batch, channels, 7, 6], seed, "float32"), { ...draws, data }],
      build: (maps: Tensor, rois: Tensor) => g.maxRoiPool(maps, rois, { size: [height, width], scale }),
      step: 0.01,
    };
  });

const deformable = fc
  .tuple(
    fc.constantFrom(1, 2),
    fc.constantFrom(1, 2),
    fc.integer({ min: 1, max: 2 }),
    fc.integer({ min: 1, max: 2 }),
    fc.boolean(),
    seeds,
  )
  .map(([groups, offsets, stride, dilation, full, seed]) => {
    const [batch, channels, out, side, k] = [2, 4, 2 * groups, 5, 2];
    const length = Math.floor((side + 1 - ((k - 1) * dilation + 1)) / stride) + 1;
    const cells = offsets * k * k;
    const draws = (shape: readonly number[], at: number) => uniform(shape, seed + at, -1, 1, "float32");
    const moves = uniform([batch, 2 * cells, length, length], seed + 2, 0.2, 0.8, "float32");
    return {
      label: `${groups} groups, ${offsets} groups of offsets, stride ${stride}, dilation ${dilation}, seed ${seed}`,
      inputs: [
        draws([batch, channels, side, side], 0),
        draws([out, channels / groups, k, k], 1),
        { ...moves, data: moves.data.map((move, i) => move + ((i * 7) % 3) - 1) },
        ...(full ? [draws([out], 3), draws([batch, cells, length, length], 4)] : []),
      ],
      build: (x: Tensor, weight: Tensor, offset: Tensor, bias?: Tensor, mask?: Tensor) =>
        applySingle("DeformConv", [x, weight, offset, bias, mask], {
          kernel_shape: [k, k],
          strides: [stride, stride],
          dilations: [dilation, dilation],
          pads: [1, 0, 0, 1],
          group: groups,
          offset_group: offsets,
        }),
      step: 0.01,
    };
  });

const transforms = fc
  .tuple(
    shapes(2, 3, 6),
    fc.constantFrom("forward", "inverse", "onesided", "back from one side"),
    fc.integer({ min: -1, max: 2 }),
    fc.boolean(),
    seeds,
  )
  .map(([shape, kind, more, isFirst, seed]) => {
    const isOnesided = kind === "onesided" || kind === "back from one side";
    const parts = kind === "onesided" ? 1 : 2;
    const axis = isFirst ? 0 : shape.length - 1;
    const given = shape[axis]! + 1;
    const whole = kind === "back from one side" ? 2 * (given - 1) : given;
    const length = Math.max(2, whole + more);
    const attributes = {
      inverse: kind === "inverse" || kind === "back from one side" ? 1 : 0,
      onesided: isOnesided ? 1 : 0,
    };
    const operands = [g.constant(length, [], "int64"), g.constant(axis, [], "int64")];
    return {
      label: `${kind} [${shape.with(axis, given)}, ${parts}] of ${length} seed ${seed}`,
      inputs: [uniform([...shape.with(axis, given), parts], seed)],
      build: (x: Tensor) => applySingle("DFT", [x, ...operands], attributes),
      twice: true,
    };
  });

export const PLACES: Table = {
  GridSample: { count: 24, cases: grids },
  DeformConv: { count: 6, cases: deformable },
  RoiAlign: { count: 12, cases: regions },
  MaxRoiPool: { count: 12, cases: boxes },
  DFT: { count: 12, cases: transforms },
  Det: {
    count: 5,
    cases: fc.tuple(shapes(0, 2, 2), fc.integer({ min: 1, max: 4 }), seeds).map(([lead, size, seed]) => ({
      label: `[${lead}] of ${size} seed ${seed}`,
      inputs: [uniform([...lead, size, size], seed, -1, 1, "float32")],
      build: (x: Tensor) => g.determinant(x),
      twice: size < 4,
    })),
  },
  ReverseSequence: {
    cases: fc.tuple(shapes(2, 4), fc.boolean(), seeds).map(([shape, swapped, seed]) => ({
      label: `[${shape}] swapped ${swapped} seed ${seed}`,
      inputs: [
        uniform(shape, seed),
        whole([shape[swapped ? 0 : 1]!], seed + 1, 1, shape[swapped ? 1 : 0]! + 1),
      ],
      build: (x: Tensor, lengths: Tensor) =>
        applySingle("ReverseSequence", [x, lengths], {
          time_axis: swapped ? 1 : 0,
          batch_axis: swapped ? 0 : 1,
        }),
      twice: true,
    })),
  },
  Compress: {
    count: 4,
    cases: fc.tuple(shapes(1, 3), fc.nat(2), fc.boolean(), seeds).map(([shape, drawn, flat, seed]) => {
      const axis = Math.min(drawn, shape.length - 1);
      const size = flat ? shape.reduce((a, b) => a * b, 1) : shape[axis]!;
      const condition = flags([size], seed + 1);
      return {
        label: `[${shape}] axis ${flat ? "none" : axis} seed ${seed}`,
        inputs: [uniform(shape, seed), { ...condition, data: condition.data.with(0, 1) }],
        build: (x: Tensor, keep: Tensor) => applySingle("Compress", [x, keep], flat ? {} : { axis }),
        twice: true,
      };
    }),
  },
  Unique: {
    count: 4,
    cases: fc
      .tuple(shapes(1, 3, 3), fc.nat(2), fc.boolean(), fc.boolean(), seeds)
      .map(([shape, drawn, flat, sorted, seed]) => {
        const axis = Math.min(drawn, shape.length - 1);
        return {
          label: `[${shape}] axis ${flat ? "none" : axis} sorted ${sorted} seed ${seed}`,
          inputs: [distinct(shape, seed, "float32")],
          build: (x: Tensor) =>
            apply("Unique", [x], { sorted: sorted ? 1 : 0, ...(!flat && { axis }) }, { outputs: 4 })[0]!,
        };
      }),
  },
  BitwiseAnd: ZERO,
  BitwiseOr: ZERO,
  BitwiseXor: ZERO,
  BitwiseNot: ZERO,
  BitShift: ZERO,
  BitCast: ZERO,
  HannWindow: ZERO,
  HammingWindow: ZERO,
  BlackmanWindow: ZERO,
  MelWeightMatrix: ZERO,
  EyeLike: ZERO,
};

const resized = (attributes: Attributes, region: readonly number[] | undefined) =>
  fc.tuple(fc.constantFrom("linear", "cubic"), shapes(2, 2, 4), seeds).map(([mode, [h, w], seed]) => ({
    label: `${mode} ${h}x${w} ${JSON.stringify(attributes)} seed ${seed}`,
    inputs: [uniform([1, 2, h! + 3, w! + 3], seed, -1, 1, "float32")],
    build: (x: Tensor) =>
      applySingle(
        "Resize",
        [
          x,
          region && g.constant(region),
          undefined,
          g.integers([...(attributes.axes ? [] : [1, 2]), h! + 1, w! + 1]),
        ],
        {
          mode,
          ...attributes,
        },
      ),
    step: 0.5,
  }));

/** Further forms of operators that have a row of their own. */
export const FORMS: Table = {
  "Resize against aliasing": { count: 6, cases: resized({ antialias: 1 }, undefined) },
  "Resize against aliasing, inside only": {
    count: 6,
    cases: resized({ antialias: 1, exclude_outside: 1 }, undefined),
  },
  "Resize of a crop": {
    count: 6,
    cases: resized(
      { coordinate_transformation_mode: "tf_crop_and_resize" },
      [0, 0, 0.2, 0.1, 1, 1, 0.7, 1.2],
    ),
  },
  "Resize in ratio": {
    cases: resized({ keep_aspect_ratio_policy: "not_larger", axes: [2, 3] }, undefined),
  },
};
