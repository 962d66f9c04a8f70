import { mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { add, input, matmul, parameter, tensorData, writeOnnx } from "../../../src/graph/index.js";
import { bytesOfModel, loadOnnx, openOnnx } from "../../../src/graph/onnx/read/open-node.js";
import { saveOnnx } from "../../../src/graph/onnx/write/save-node.js";
import { zeros } from "../../../src/nn/init.js";
import { writeFileAtomic } from "../../../src/util/files-node.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "striate-save-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const WIDTH = 40;
const weights = Float32Array.from({ length: WIDTH * WIDTH }, (_, i) => Math.sin(i));
const bias = Float32Array.from({ length: WIDTH }, (_, i) => i / 7);

/** x · weight + other weight, with a bias that is small enough to stay inside. */
function network() {
  const x = input("x", ["n", WIDTH]);
  const named = (name: string, shape: readonly number[]) => parameter(shape, zeros, { name });
  const [a, b, c] = [named("a", [WIDTH, WIDTH]), named("b", [WIDTH, WIDTH]), named("bias", [WIDTH])];
  const values = new Map([
    [a, tensorData(weights, [WIDTH, WIDTH])],
    [b, tensorData(weights.toReversed(), [WIDTH, WIDTH])],
    [c, tensorData(bias, [WIDTH])],
  ]);
  const y = add(matmul(matmul(x, a), b), c);
  return writeOnnx({ y }, { values: (p) => values.get(p), metadata: { "striate.system": "test" } });
}

async function answers(path: string): Promise<number[]> {
  const session = await ort.InferenceSession.create(path);
  const x = new ort.Tensor("float32", Float32Array.from({ length: WIDTH }, Math.cos), [1, WIDTH]);
  const { y } = await session.run({ x });
  await session.release();
  return Array.from(y!.data as Float32Array);
}

describe("saveOnnx", () => {
  it("writes one file, or the weights beside the model: the same answers either way", async () => {
    const model = network();
    const [inside, outside] = [join(folder, "inside.onnx"), join(folder, "outside.onnx")];
    expect(await saveOnnx(inside, model)).toEqual([inside]);
    expect(await saveOnnx(outside, model, { externalData: true })).toEqual([outside, `${outside}.data`]);
    expect((await readdir(folder)).sort()).toEqual(["inside.onnx", "outside.onnx", "outside.onnx.data"]);
    // Two matrices of 6,400 bytes, the second from the next page on.
    expect((await stat(`${outside}.data`)).size).toBe(8192 + WIDTH * WIDTH * 4);
    expect((await stat(outside)).size).toBeLessThan(1000);
    expect(await answers(outside)).toEqual(await answers(inside));
  });

  it("gives a file that reads as it was written, metadata and all", async () => {
    const path = join(folder, "model.onnx");
    await saveOnnx(path, network(), { externalData: true });
    const file = await openOnnx(path);
    expect([...file.locations]).toEqual(["model.onnx.data"]);
    expect(bytesOfModel(path, file)).toBe((await stat(path)).size + (await stat(`${path}.data`)).size);
    const { parameters, metadata } = await loadOnnx(path);
    expect(metadata["striate.system"]).toBe("test");
    const { data } = parameters.get("b")!;
    expect(Array.from(data.data as Float32Array)).toEqual(Array.from(weights.toReversed()));
  });

  it("replaces a model whose weights were inside, and the other way round", async () => {
    const path = join(folder, "model.onnx");
    await saveOnnx(path, network());
    const before = await answers(path);
    await saveOnnx(path, network(), { externalData: true });
    expect(await answers(path)).toEqual(before);
    await saveOnnx(path, network());
    expect(await answers(path)).toEqual(before);
  });

  it("goes beyond 2 GB beside the model alone", () => {
    // Memory that nobody touches is not there.
    const large = new Float32Array(200_000_000);
    const shape = [large.length];
    const parts = ["a", "b", "c"].map((name) => parameter(shape, zeros, { name }));
    const y = parts.reduce((total, part) => add(total, part), input("x", shape));
    const model = writeOnnx({ y }, { values: () => ({ dtype: "float32", shape, data: large }) });
    expect(model.isTooLarge).toBe(true);
    expect(() => model.bytes).toThrow(/expected at most 2 GB, .* got 24000\d+ bytes: saveOnnx/);
    const { bytes, values } = model.withValuesIn("weights");
    expect(bytes.length).toBeLessThan(1000);
    expect(values.reduce((total, { length }) => total + length, 0)).toBeGreaterThan(2 ** 31);
    expect(network().isTooLarge).toBe(false);
  });

  it("says which file cannot be written", async () => {
    const path = join(folder, "absent", "model.onnx");
    await expect(saveOnnx(path, network(), { externalData: true })).rejects.toThrow(
      /absent.*model\.onnx\.data/,
    );
  });
});

describe("writeFileAtomic", () => {
  it("writes pieces one after another", async () => {
    const path = join(folder, "pieces");
    await writeFileAtomic(path, [Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3)]);
    expect([...(await readFile(path))]).toEqual([1, 2, 3]);
  });
});
