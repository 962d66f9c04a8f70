import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ModelProto } from "../../../src/graph/onnx/generated/onnx_pb.js";
import {
  AttributeProto_AttributeType as Kind,
  ModelProtoSchema,
} from "../../../src/graph/onnx/generated/onnx_pb.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { writeOnnx } from "../../../src/graph/onnx/write/write.js";
import { StriateError } from "../../../src/util/errors.js";
import { floats, ints, modelBytes, modelProto, node, wave } from "./models.js";

/** Many kinds of fields in a few hundred bytes, so that most flips hit something that matters. */
const small = modelBytes({
  nodes: [
    node("Conv", ["x", "w", "b"], ["c"], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
    node("Relu", ["c"], ["r"]),
    node("Shape", ["r"], ["s"], { start: 0, end: 1 }),
    node("Concat", ["s", "rest"], ["target"], { axis: 0 }),
    node("Reshape", ["r", "target"], ["flat"]),
    node("Constant", [], ["k"], { value: { tensor: floats([0.5]) } }),
    node("Mul", ["flat", "k"], ["scaled"]),
    node("Split", ["scaled", "sizes"], ["p", "q"], { axis: 1 }),
    node("ReduceMean", ["p", "axes"], ["m"], { keepdims: 1 }),
    node("Softmax", ["q"], ["soft"], { axis: -1 }),
    node("Elu", ["m"], ["e"], { alpha: { float: 0.5 } }),
    node("Add", ["soft", "e"], ["y"]),
  ],
  inputs: [{ name: "x", shape: ["N", 1, 4, 4] }],
  outputs: ["y"],
  initializers: {
    w: wave([2, 1, 3, 3]),
    b: floats([0.1, 0.2]),
    rest: ints([-1]),
    sizes: ints([16, 16]),
    axes: ints([1]),
  },
});

/** Operators whose results grow with their attributes. */
const growing = modelProto({
  nodes: [
    node("MaxPool", ["x"], ["a"], {
      kernel_shape: [2, 2],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [0, 0, 1, 1],
    }),
    node("AveragePool", ["a"], ["b"], { kernel_shape: [2, 2], pads: [1, 1, 0, 0] }),
    node("LRN", ["b"], ["c"], { size: 3 }),
    node("GroupNormalization", ["c", "scale", "scale"], ["d"], { num_groups: 2 }),
    node("ConvTranspose", ["d", "w"], ["e"], {
      kernel_shape: [2, 2],
      strides: [2, 2],
      output_padding: [1, 1],
      group: 1,
    }),
    node("DepthToSpace", ["e"], ["f"], { blocksize: 2 }),
    node("Resize", ["f", "", "", "sizes"], ["g"], { mode: "linear" }),
    node("Pad", ["g", "pads"], ["h"]),
    node("Tile", ["h", "repeats"], ["i"]),
    node("Transpose", ["i"], ["j"], { perm: [0, 2, 3, 1] }),
    node("Trilu", ["j"], ["k"], { upper: 1 }),
    node("TopK", ["k", "few"], ["l", "places"], { axis: 3 }),
    node("OneHot", ["places", "depth", "onoff"], ["m"], { axis: -1 }),
    node("ReduceSum", ["m", "axes"], ["n"], { keepdims: 0 }),
    node("Flatten", ["n"], ["y"], { axis: 1 }),
    node("Range", ["zero", "limit", "one"], ["r"]),
    node("ConstantOfShape", ["few"], ["z"], { value: { tensor: ints([3]) } }),
    node("Expand", ["z", "repeats"], ["z2"]),
  ],
  inputs: [{ name: "x", shape: ["N", 4, 6, 6] }],
  outputs: ["y", "r", "z2"],
  initializers: {
    scale: wave([4]),
    w: wave([4, 4, 2, 2]),
    sizes: ints([1, 1, 20, 20]),
    pads: ints([0, 0, 1, 1, 0, 0, 1, 1]),
    repeats: ints([1, 2, 1, 1]),
    few: ints([1]),
    depth: ints([3], []),
    onoff: floats([0, 1]),
    axes: ints([3]),
    zero: ints([0], []),
    limit: ints([9], []),
    one: ints([1], []),
  },
});

const extremes = fc.constantFrom(
  0n,
  -1n,
  3n,
  1000n,
  2n ** 16n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 53n,
  2n ** 63n - 1n,
  -(2n ** 63n),
);

/** Every whole number of a file, as places to put another one. */
function wholeNumbers(model: ModelProto): ((value: bigint) => unknown)[] {
  const graph = model.graph!;
  const lists = [
    ...graph.node.flatMap(({ attribute }) => attribute.map(({ ints: list }) => list)),
    ...graph.initializer.map(({ dims }) => dims),
  ];
  const setters = lists.flatMap((list) => list.map((_, i) => (value: bigint) => (list[i] = value)));
  const single = graph.node.flatMap(({ attribute }) => attribute.filter(({ type }) => type === Kind.INT));
  const dims = graph.input.flatMap(({ type }) => type!.tensorType!.shape!.dim);
  const stored = graph.initializer.filter(({ dataType }) => dataType === 7);
  return [
    ...setters,
    ...single.map((attribute) => (value: bigint) => (attribute.i = value)),
    ...dims.map((dim) => (value: bigint) => (dim.value = { case: "dimValue", value })),
    ...stored.flatMap(({ rawData }) =>
      Array.from({ length: rawData.length / 8 }, (_, i) => (value: bigint) => {
        new DataView(rawData.buffer, rawData.byteOffset).setBigInt64(8 * i, value, true);
      }),
    ),
  ];
}

const goldens = resolve(import.meta.dirname, "../../../../shared/goldens/predify/cnn4.onnx");

/** A valid model, or one StriateError: nothing else, and no hang (these files take milliseconds). */
function survives(bytes: Uint8Array): "read" | "refused" {
  const start = performance.now();
  try {
    const model = readOnnx(bytes);
    expect(Object.keys(model.outputs).length).toBeGreaterThan(0);
    writeOnnx(model.outputs);
    return "read";
  } catch (error) {
    if (!(error instanceof StriateError)) throw error;
    expect(error.message.length).toBeLessThan(20_000);
    return "refused";
  } finally {
    expect(performance.now() - start).toBeLessThan(20_000);
  }
}

function damaged(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat({ max: bytes.length - 1 });
  const flips = fc.array(fc.tuple(place, fc.nat({ max: 7 })), { minLength: 1, maxLength: 6 });
  const overwrites = fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 12 }));
  return fc.oneof(
    place.map((end) => bytes.slice(0, end)),
    flips.map((all) => {
      const copy = bytes.slice();
      for (const [at, bit] of all) copy[at]! ^= 1 << bit;
      return copy;
    }),
    overwrites.map(([at, values]) => {
      const copy = bytes.slice();
      copy.set(values.slice(0, copy.length - at), at);
      return copy;
    }),
    fc.tuple(place, place).map(([a, b]) => Uint8Array.of(...bytes.slice(0, a), ...bytes.slice(b))),
  );
}

describe("damaged files", () => {
  it("of every kind of field are read or refused", () => {
    expect(survives(small)).toBe("read");
    const seen = { read: 0, refused: 0 };
    fc.assert(
      fc.property(damaged(small), (bytes) => {
        seen[survives(bytes)] += 1;
      }),
      { numRuns: 3000, seed: 5 },
    );
    console.log(`damaged copies of a small file: ${seen.read} read, ${seen.refused} refused`);
    expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(100);
  });

  it("of a real network are read or refused", (context) => {
    if (!existsSync(goldens)) return context.skip("no ../shared/goldens/predify/cnn4.onnx");
    const real = new Uint8Array(readFileSync(goldens));
    fc.assert(
      fc.property(damaged(real), (bytes) => void survives(bytes)),
      { numRuns: 300, seed: 6 },
    );
  });

  it("with absurd numbers anywhere are read or refused, without giant allocations", () => {
    const bytes = toBinary(ModelProtoSchema, growing);
    expect(survives(bytes)).toBe("read");
    const places = wholeNumbers(growing).length;
    const changes = fc.array(fc.tuple(fc.nat({ max: places - 1 }), extremes), { minLength: 1, maxLength: 3 });
    const seen = { read: 0, refused: 0 };
    fc.assert(
      fc.property(changes, (all) => {
        const model = fromBinary(ModelProtoSchema, bytes.slice());
        const setters = wholeNumbers(model);
        for (const [place, value] of all) setters[place]!(value);
        seen[survives(toBinary(ModelProtoSchema, model))] += 1;
      }),
      { numRuns: 1500, seed: 8 },
    );
    console.log(`absurd numbers in ${places} places: ${seen.read} read, ${seen.refused} refused`);
    expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(50);
  });

  it("of random bytes are refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => survives(bytes) === "refused"),
      { numRuns: 1000, seed: 7 },
    );
  });
});
