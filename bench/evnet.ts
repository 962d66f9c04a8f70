import type { Tensor } from "../src/graph/index.js";
import { input, lower, mean, writeOnnx } from "../src/graph/index.js";
import { nodeRuntime } from "../src/runtime/node.js";
import { SubcorticalBlock, VOneBlock, evnetFrontEnd } from "../src/systems/vonenet/index.js";
import { Random } from "../src/util/random.js";
import type { BenchCase } from "./measure.js";

const STANDARD = { imageSize: 224, visualDegrees: 7 };
const SMALL = { imageSize: 64, visualDegrees: 2 };

/** Opens a stage for batches of one size; only the mean of the responses comes back. */
export async function openEVNet(
  part: "block" | "front-end",
  batch: number,
  geometry: typeof STANDARD,
): ReturnType<BenchCase["open"]> {
  const { imageSize } = geometry;
  const retina = new SubcorticalBlock(geometry);
  const forward = (images: Tensor): Tensor => {
    const responses = retina.forward(images);
    if (part === "block") return responses;
    const { fields, gain, stride, channels } = evnetFrontEnd("standard", geometry).block!;
    return new VOneBlock({ ...geometry, fields, gain, stride, channels }).forward(responses);
  };
  const shape = [batch, 3, imageSize, imageSize];
  const y = mean(forward(input("images", shape)));
  const session = await nodeRuntime.createSession(writeOnnx(lower({ y }, "cpu")).bytes, { threads: 2 });
  const size = shape.reduce((a, b) => a * b, 1);
  const data = new Random(1).fillUniform(new Float32Array(size));
  const images = { dtype: "float32" as const, shape, data };
  return { run: () => session.run({ images }), close: () => session.close() };
}

export function evnetCases(): BenchCase[] {
  const test = (
    name: string,
    bar: number,
    part: "block" | "front-end",
    batch: number,
    geometry: typeof STANDARD,
  ): BenchCase => ({
    name,
    amount: batch,
    unit: "images/s",
    bar,
    rounds: 5,
    peer: {
      name: "evnet",
      options: { part, batch, size: geometry.imageSize, degrees: geometry.visualDegrees },
    },
    open: () => openEVNet(part, batch, geometry),
  });
  return [
    test("EVNet: retina, 224 pixels, batch 8", 6, "block", 8, STANDARD),
    test("EVNet: retina and V1, 512 cells, 224 pixels, batch 8", 5, "front-end", 8, STANDARD),
    test("EVNet: retina, 64 pixels, batch 32", 8, "block", 32, SMALL),
  ];
}
