import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.js";
import { writePng } from "../../src/data/images/images-node.js";
import type { Tensor } from "../../src/graph/index.js";
import {
  add,
  constant,
  conv,
  flatten,
  gemm,
  globalAveragePool,
  input,
  maxPool,
  relu,
  topologicalOrder,
  writeOnnx,
} from "../../src/graph/index.js";
import { loadOnnx, openOnnx } from "../../src/graph/onnx/read/open-node.js";
import { readOnnx } from "../../src/graph/onnx/read/read.js";
import { saveOnnx } from "../../src/graph/onnx/write/save-node.js";
import { quantize } from "../../src/nn/index.js";
import { preprocessingMetadata } from "../../src/robustness/index.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { Random } from "../../src/util/random.js";
import { temporaryFolder } from "../support/folders.js";
import { captured } from "./streams.js";

const normals = (shape: readonly number[], seed: number, std: number) =>
  constant(
    Array.from(new Random(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)), 0, std)),
    shape,
  );

/** Red, green or blue: the mean of each channel decides, behind layers that mix and add. */
function network(): Uint8Array {
  const x = input("x", ["N", 3, 16, 16]);
  const first = relu(conv(x, normals([16, 3, 3, 3], 1, 0.3), normals([16], 2, 0.1), { padding: 1 }));
  const second = conv(maxPool(first, 2), normals([16, 16, 3, 3], 3, 0.05), normals([16], 4, 0.1), {
    padding: 1,
  });
  const joined = relu(add(second, maxPool(first, 2)));
  const mean = flatten(globalAveragePool(joined));
  const y = gemm(mean, normals([16, 3], 5, 1), normals([3], 6, 0.1));
  const metadata = { ...preprocessingMetadata({}), "someone.else": "kept" };
  return writeOnnx({ y }, { metadata }).bytes;
}

async function folder(pictures: number): Promise<string> {
  const root = await temporaryFolder();
  await writeFile(join(root, "net.onnx"), network());
  const random = new Random(1);
  for (const [c, name] of ["blue", "green", "red"].entries()) {
    await mkdir(join(root, "pictures", name), { recursive: true });
    for (let i = 0; i < pictures; i++) {
      const data = Uint8Array.from({ length: 16 * 16 * 3 }, (_, k) =>
        k % 3 === 2 - c ? random.integer(120, 256) : random.integer(0, 120),
      );
      await writePng(join(root, "pictures", name, `${i}.png`), { width: 16, height: 16, data });
    }
  }
  return root;
}

async function run(...args: string[]) {
  const { streams, out, err } = captured();
  const status = await runCommandLine(["quantize", ...args], streams);
  return { status, out: out(), err: err() };
}

const typesIn = (tensor: Tensor) =>
  topologicalOrder([tensor]).flatMap(({ type, leaf }) => (leaf === undefined ? [type] : []));

describe("striate quantize", () => {
  it.each(["minmax", "percentile", "entropy"])(
    "writes an int8 file and compares (%s)",
    async (calibration) => {
      const root = await folder(8);
      const file = join(root, "net.onnx");
      const common = ["--data", join(root, "pictures"), "--calibration-images", "8", "--threads", "1"];
      const { status, out, err } = await run(file, ...common, "--calibration", calibration);
      expect([status, err]).toEqual([0, expect.not.stringContaining("Error")]);
      expect(out).toMatch(/top-1 %/);
      expect(out).toMatch(/16 images of .* 95 % intervals by Wilson/);
      expect(out).toMatch(/quantised: 2 Conv, 1 Gemm/);
      const same = Number(/same answer % +│[^│]*│ +([\d.]+)/.exec(out)?.[1]);
      expect(same).toBeGreaterThanOrEqual(90);
      const written = readOnnx(await readFile(join(root, "net-int8.onnx")));
      expect(written.metadata).toMatchObject({ "someone.else": "kept" });
      expect(written.metadata["striate.preprocessing"]).toBeDefined();
      expect(Object.keys(written.inputs)).toEqual(["x"]);
      expect(typesIn(written.outputs.y!)).toContain("QuantizeLinear");
      // Kept nodes read what they read before.
      const kept = await run(file, ...common, "--keep", "y", "--out", join(root, "kept.onnx"));
      expect(kept.out).not.toContain("1 Gemm");
    },
  );

  it("reads weights beside the network and writes them there, and counts them as part of it", async () => {
    const root = await folder(4);
    const { outputs, parameters, metadata } = await loadOnnx(join(root, "net.onnx"));
    const data = new Map([...parameters.values()].map((one) => [one.tensor, one.data]));
    const written = writeOnnx(outputs, { values: (tensor) => data.get(tensor), metadata });
    await saveOnnx(join(root, "apart.onnx"), written, { externalData: true });
    const common = ["--data", join(root, "pictures"), "--calibration-images", "4", "--threads", "1"];
    const sizeIn = ({ out }: { out: string }) => Number(/size, MB +│ +([\d.]+)/.exec(out)?.[1]);
    const whole = await run(join(root, "net.onnx"), ...common);
    const apart = await run(join(root, "apart.onnx"), ...common, "--external-data");
    expect([whole.status, apart.status]).toEqual([0, 0]);
    expect([sizeIn(whole), sizeIn(apart)]).toEqual([0.01, 0.01]);
    expect((await openOnnx(join(root, "apart-int8.onnx"))).locations).toContain("apart-int8.onnx.data");
  });

  it("says what is wrong with its data, its names or the network", async () => {
    const root = await folder(2);
    const file = join(root, "net.onnx");
    await mkdir(join(root, "empty"));
    const none = await run(file, "--data", join(root, "empty"));
    expect([none.status, none.err]).toEqual([1, expect.stringMatching(/expected images in the folder/)]);
    await mkdir(join(root, "broken"));
    await writeFile(join(root, "broken", "a.png"), "no image");
    const broken = await run(file, "--data", join(root, "broken"));
    expect([broken.status, broken.err]).toEqual([
      1,
      expect.stringMatching(/none of its images can be read|a\.png/),
    ]);
    const unknown = await run(file, "--data", join(root, "pictures"), "--keep", "nothing");
    expect([unknown.status, unknown.err]).toEqual([1, expect.stringMatching(/keep: .*"nothing"/)]);
    const plain = join(root, "plain.onnx");
    await writeFile(plain, writeOnnx({ y: flatten(globalAveragePool(input("x", ["N", 3, 16, 16]))) }).bytes);
    const nothing = await run(plain, "--data", join(root, "pictures"), "--preprocessing", "unit");
    expect([nothing.status, nothing.err]).toEqual([1, expect.stringMatching(/there is nothing to quantise/)]);
  });
});

describe("quantize", () => {
  it("gives a network of nearly the same answers, its weights in int8", async () => {
    const bytes = network();
    const model = readOnnx(bytes);
    const x = {
      dtype: "float32" as const,
      shape: [32, 3, 16, 16],
      data: new Random(7).fillUniform(new Float32Array(32 * 768)),
    };
    const { outputs, quantised } = await quantize(model, [{ x }], {
      runtime: nodeRuntime,
      calibration: "minmax",
    });
    expect(quantised).toMatchObject({ Conv: 2, Gemm: 1, Add: 1, GlobalAveragePool: 1 });
    const written = writeOnnx(outputs).bytes;
    const results = [];
    for (const file of [bytes, written]) {
      const session = await nodeRuntime.createSession(file, { threads: 1 });
      results.push((await session.run({ x })).y!.data);
      await session.close();
    }
    const [expected, got] = results as [Float32Array, Float32Array];
    const spread = Math.max(...expected) - Math.min(...expected);
    expect(Math.max(...got.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(0.05 * spread);
    const stored = topologicalOrder([outputs.y!]).flatMap(({ leaf }) =>
      leaf?.kind === "constant" && leaf.data.dtype === "int8" ? [leaf.data.data.length] : [],
    );
    expect(stored.reduce((a, b) => a + b, 0)).toBeGreaterThanOrEqual(16 * 27 + 16 * 144 + 48);
  });

  it("refuses to calibrate on nothing, or on what is no number", async () => {
    const model = readOnnx(network());
    const options = { runtime: nodeRuntime };
    await expect(quantize(model, [], options)).rejects.toThrow(
      "quantising: calibration: expected at least one batch, got none",
    );
    const x = { dtype: "float32" as const, shape: [1, 3, 16, 16], data: new Float32Array(768).fill(NaN) };
    await expect(quantize(model, [{ x }], options)).rejects.toThrow(
      "expected finite numbers, got NaN or an infinite one",
    );
  });
});
