import { expect, it } from "vitest";
import { difference, floats, ints, modelBytes, node, rewritten, run, wave } from "./models.js";

it("slices to the length of another axis, and copies by it, are read", async () => {
  const nodes = [
    node("Shape", ["y"], ["lengths"]),
    node("Slice", ["x", "start", "lengths", "axis"], ["cut"]),
    node("Concat", ["lengths", "one"], ["repeats"], { axis: 0 }),
    node("Tile", ["x", "repeats"], ["copies"]),
  ];
  const inputs = [
    { name: "x", shape: ["L", 3] },
    { name: "y", shape: ["M"] },
  ];
  const initializers = { start: ints([0]), axis: ints([0]), one: ints([1]) };
  const bytes = modelBytes({ nodes, inputs, outputs: ["cut", "copies"], initializers });
  const again = rewritten(bytes);
  for (const length of [2, 5]) {
    const feeds = { x: wave([4, 3]), y: floats(Array<number>(length).fill(1)) };
    expect(difference(await run(bytes, feeds), await run(again.bytes, feeds))).toBe(0);
  }
});
