import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  flatten,
  gemm,
  input,
  lower,
  parameter,
  relu,
  tensorData,
  writeOnnx,
} from "../../src/graph/index.js";
import { openOnnx } from "../../src/graph/onnx/read/open-node.js";
import { zeros } from "../../src/nn/init.js";
import { asConstants } from "../../src/nn/training-state.js";
import { Classifier } from "../../src/robustness/classifier.js";
import { onnxNetwork } from "../../src/robustness/onnx-network.js";
import { workerRuntime } from "../../src/runtime/worker-node.js";
import { temporaryFolder } from "../support/folders.js";

const [HIDDEN, SIDE] = [1024, 32];

/** Layers whose names are of different lengths, so that their values lie at places of all kinds in the file. */
const LAYERS = Array.from({ length: 8 }, (_, i) => "a".repeat(i + 1));

function values() {
  const widths = LAYERS.map((_, i) => (i === 0 ? 3 * SIDE * SIDE : HIDDEN));
  return new Map(
    LAYERS.map((name, i) => {
      const data = Float32Array.from({ length: widths[i]! * HIDDEN }, (_, at) => ((at * 7 + i) % 13) / 1e4);
      return [name, tensorData(data, [widths[i]!, HIDDEN])];
    }),
  );
}

function model(): Uint8Array {
  const state = values();
  let x = flatten(input("x", ["batch", 3, SIDE, SIDE]));
  for (const [name, { shape }] of state) x = relu(gemm(x, parameter(shape, zeros, { name })));
  const constants = { values: asConstants(state) };
  return writeOnnx(lower({ scores: x }, "portable", constants), constants).bytes;
}

describe("opening a large file for attack", () => {
  it("holds its values once, in the memory that the file was read into", async () => {
    const path = join(await temporaryFolder(), "large.onnx");
    const bytes = model();
    await writeFile(path, bytes);
    const before = process.memoryUsage().arrayBuffers;
    const network = onnxNetwork(await openOnnx(path), { name: "large", preprocessing: {} });
    const classifier = new Classifier(network, workerRuntime, { threads: 1 });
    const images = { count: 2, data: new Float32Array(2 * 3 * SIDE * SIDE).fill(0.5) };
    const logits = await classifier.logits(images);
    await classifier.lossAndGradient("ce", images, Int32Array.of(0, 1));
    const grown = process.memoryUsage().arrayBuffers - before;
    await classifier.close();
    expect(logits.some((value) => value > 0)).toBe(true);
    // Every copy that is left would be another 1.
    expect(grown / bytes.length).toBeLessThan(1.25);
  });

  it("gives the values that are in the file, every time that it is read", async () => {
    const path = join(await temporaryFolder(), "large.onnx");
    await writeFile(path, model());
    const file = await openOnnx(path);
    for (let reading = 0; reading < 2; reading++) {
      const { parameters } = file.read();
      for (const [name, { data }] of values())
        expect(Buffer.compare(bytesOf(parameters.get(name)!.data.data), bytesOf(data)), name).toBe(0);
      expect(new Set([...parameters.values()].map(({ data }) => data.data.buffer)).size).toBe(1);
    }
  });
});

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer, byteOffset, byteLength);
