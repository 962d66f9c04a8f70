import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.js";
import { writePng } from "../../src/data/images/images-node.js";
import {
  constant,
  conv,
  flatten,
  gemm,
  globalAveragePool,
  input,
  lower,
  relu,
  tensorData,
  writeOnnx,
} from "../../src/graph/index.js";
import { loadOnnx } from "../../src/graph/onnx/read/open-node.js";
import { readOnnx } from "../../src/graph/onnx/read/read.js";
import type { ResultCard } from "../../src/robustness/card.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { webRuntime } from "../../src/runtime/web.js";
import { withKuramoto, writeKuramotoModel } from "../../src/systems/akorn/layer/with-kuramoto.js";
import {
  VOneBlock,
  evnetFrontEnd,
  sampleReceptiveFields,
  withV1,
  writeV1Network,
} from "../../src/systems/vonenet/index.js";
import { describeModel } from "../../src/train/model-description.js";
import { Random } from "../../src/util/random.js";
import { temporaryFolder } from "../support/folders.js";
import { captured } from "./streams.js";

const SIDE = 24;
const CLASSES = 3;

/** An ordinary network: three convolutions, the mean over space, a linear layer. */
function ordinaryNetwork(): Uint8Array {
  const weight = (shape: readonly number[], gain: number) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = Random.derive("weight", ...shape).fillNormal(new Float32Array(size), 0, gain);
    return constant(tensorData(values, shape));
  };
  const image = input("image", ["batch", 3, SIDE, SIDE]);
  const first = relu(conv(image, weight([8, 3, 3, 3], 0.3), undefined, { padding: 1 }));
  const second = relu(conv(first, weight([8, 8, 3, 3], 0.2), undefined, { padding: 1, stride: 2 }));
  const third = relu(conv(second, weight([12, 8, 3, 3], 0.2), undefined, { padding: 1, stride: 2 }));
  const logits = gemm(flatten(globalAveragePool(third)), weight([12, CLASSES], 0.5));
  return writeOnnx(lower({ logits, first }, "portable")).bytes;
}

async function pictures(folder: string): Promise<string> {
  for (let label = 0; label < CLASSES; label++) {
    await mkdir(join(folder, `class${label}`), { recursive: true });
    for (let i = 0; i < 4; i++) {
      const random = Random.derive("picture", label, i);
      const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, at) =>
        random.integer(0, at % 3 === label ? 256 : 100),
      );
      await writePng(join(folder, `class${label}`, `${i}.png`), { width: SIDE, height: SIDE, data });
    }
  }
  return folder;
}

async function striate(...args: string[]): Promise<string> {
  const { streams, out, err } = captured();
  const status = await runCommandLine(args, streams);
  expect(err(), args.join(" ")).not.toContain("error:");
  expect(status).toBe(0);
  return out();
}

it("V1, predictive feedback and oscillators go into one network, file by file, and its robustness is measured", async () => {
  const folder = await temporaryFolder();
  const path = (name: string) => join(folder, name);
  const data = await pictures(path("pictures"));

  // V1 in front, with noise.
  const fields = sampleReceptiveFields({ simple: 6, complex: 6 });
  const block = new VOneBlock({
    fields,
    imageSize: SIDE,
    visualDegrees: 1,
    stride: 1,
    kernelSize: 9,
    noise: { kind: "neuronal" },
  });
  const behindV1 = withV1(readOnnx(ordinaryNetwork()), { block, replaces: "first", gain: 0.05 });
  await writeFile(path("v1.onnx"), writeV1Network(behindV1).bytes);

  // Predictive feedback on it.
  await striate(
    "predify",
    path("v1.onnx"),
    ...["--pcoders", "2", "--train-on", data, "--batch-size", "4", "--validation", "0"],
    ...["--timesteps", "2", "--out", path("predified.onnx"), "--run", path("run"), "--threads", "1"],
  );

  // Oscillators in its middle: on what comes out of V1, before the first PCoder.
  const predified = await loadOnnx(path("predified.onnx"));
  const at = [...predified.values].find(
    ([, { shape, rank }]) => rank === 4 && shape[1] === 8 && shape[2] === SIDE,
  )!;
  const model = withKuramoto(predified, at[0], { steps: 2, coupling: { type: "convolution", kernel: 3 } });
  await writeFile(path("all.onnx"), writeKuramotoModel(model).bytes);
  const bytes = await readFile(path("all.onnx"));
  const { metadata } = readOnnx(bytes);
  expect(describeModel(metadata, "all.onnx")).toMatchObject({
    preprocessing: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    noise: { "v1:noise": { distribution: "normal" }, noise: { distribution: "normal" } },
    inputs: { feedforward: [0.3, 0.3], feedback: [0.3, 0.3], error: [0.01, 0.01] },
    timesteps: { output: "logits", count: 3 },
  });

  // Every timestep, under corruptions and attacks.
  await striate(
    "robustness",
    path("all.onnx"),
    ...["--data", data, "--images", "6", "--attack-images", "3", "--attacks", "pgd", "--eps", "2/255"],
    ...["--corruptions", "gaussian_noise", "--severities", "3", "--passes", "2", "--threads", "1"],
    ...["--out", path("all.html")],
  );
  const card = JSON.parse(await readFile(path("all.json"), "utf8")) as ResultCard;
  expect(card.overTime?.map(({ timestep }) => timestep)).toEqual([0, 1, 2]);
  for (const { clean, summary, attacks } of card.overTime ?? [])
    expect([clean?.accuracy.n, summary?.meanError !== undefined, attacks[0]?.robust.n]).toEqual([6, true, 3]);
  expect(card.complete).toBe(true);

  await expectSameInBrowsers(bytes, [3, 2, CLASSES]);
});

/** Runs a file in Node and in a browser's runtime, and compares the logits. */
async function expectSameInBrowsers(bytes: Uint8Array, shape: readonly number[]): Promise<void> {
  const random = new Random(5);
  const feeds = Object.fromEntries(
    Object.entries(readOnnx(bytes).inputs).map(([name, { shape }]) => {
      const dims = shape.map((dim) => (typeof dim === "number" ? dim : 2));
      const values = new Float32Array(dims.reduce((a, b) => a * b, 1));
      return [name, tensorData(random.fillUniform(values, 0.1, 0.3), dims)];
    }),
  );
  const [node, web] = await Promise.all(
    [nodeRuntime, webRuntime].map(async (runtime) => {
      const session = await runtime.createSession(bytes);
      const { logits } = await session.run(feeds);
      await session.close();
      return logits!;
    }),
  );
  expect(node!.shape).toEqual(shape);
  const difference = (node!.data as Float32Array).map((value, i) => Math.abs(value - Number(web!.data[i])));
  const largest = (node!.data as Float32Array).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(Math.max(...difference)).toBeLessThan(1e-4 * largest);
}

it("a retina and V1 before a network are predified, attacked, exported and opened again", async () => {
  const folder = await temporaryFolder();
  const path = (name: string) => join(folder, name);
  const data = await pictures(path("pictures"));
  const { retina, block } = evnetFrontEnd("standard", {
    imageSize: SIDE,
    visualDegrees: 1.5,
    simple: 6,
    complex: 6,
    kernelSize: 9,
    stride: 1,
    colourListLength: 12,
  });
  const network = withV1(readOnnx(ordinaryNetwork()), {
    block: block!,
    retina,
    replaces: "first",
    gain: 0.05,
  });
  await writeFile(path("evnet.onnx"), writeV1Network(network).bytes);
  await striate(
    "predify",
    path("evnet.onnx"),
    ...["--pcoders", "2", "--train-on", data, "--batch-size", "4", "--validation", "0"],
    ...["--timesteps", "2", "--out", path("predified.onnx"), "--run", path("run"), "--threads", "1"],
  );
  const bytes = await readFile(path("predified.onnx"));
  const { metadata } = readOnnx(bytes);
  expect(describeModel(metadata, "predified.onnx")).toMatchObject({
    noise: { "retina:noise": { distribution: "normal" }, "v1:noise": { distribution: "normal" } },
    timesteps: { output: "logits", count: 3 },
  });
  // The retina takes pixels from 0 to 1, and so does what was built on it.
  expect(describeModel(metadata, "predified.onnx").preprocessing).toMatchObject({
    scale: 1,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  });
  await striate(
    "robustness",
    path("predified.onnx"),
    ...["--data", data, "--images", "6", "--attack-images", "3", "--attacks", "pgd", "--eps", "2/255"],
    ...["--passes", "2", "--threads", "1", "--out", path("card.html")],
  );
  const card = JSON.parse(await readFile(path("card.json"), "utf8")) as ResultCard;
  expect(card.overTime?.map(({ timestep }) => timestep)).toEqual([0, 1, 2]);
  for (const { clean, attacks } of card.overTime ?? [])
    expect([clean?.accuracy.n, attacks[0]?.robust.n]).toEqual([6, 3]);
  expect(card.complete).toBe(true);
  await expectSameInBrowsers(bytes, [3, 2, CLASSES]);
});
