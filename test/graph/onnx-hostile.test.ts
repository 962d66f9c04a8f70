import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readOnnx } from "../../src/graph/onnx/read.js";
import { writeOnnx } from "../../src/graph/onnx/write.js";
import { StriateError } from "../../src/util/errors.js";
import { floats, ints, modelBytes, node, wave } from "./onnx-models.js";

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

const goldens = resolve(import.meta.dirname, "../../../shared/goldens/predify/cnn4.onnx");

/** A valid model, or one StriateError: nothing else, and quickly. */
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
    expect(performance.now() - start).toBeLessThan(2000);
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

  it("of random bytes are refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => survives(bytes) === "refused"),
      { numRuns: 1000, seed: 7 },
    );
  });
});
