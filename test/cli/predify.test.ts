import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.js";
import { writePng } from "../../src/data/images/images-node.js";
import { readOnnx } from "../../src/graph/onnx/read/read.js";
import { Random } from "../../src/util/random.js";
import { temporaryFolder } from "../support/folders.js";
import { sharedPath } from "../systems/predify/support.js";
import { captured } from "./streams.js";

const models = sharedPath("data/models");

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const { streams, out, err } = captured();
  const status = await runCommandLine(["predify", ...args], streams);
  return { status, out: out(), err: err() };
}

describe.skipIf(models === undefined)("striate predify", () => {
  const model = join(models ?? "", "cifar10-resnet8.onnx");

  it("goes from a file to a predified one: inspect, init, train on a folder of images, export again", async () => {
    const folder = await temporaryFolder();
    const path = (name: string) => join(folder, name);
    const seen = await run("inspect", model);
    expect(seen.out).toMatch(/t_Relu_12 +│ Relu +│ \[32, 16, 16\] +│ resolution/);
    expect((await run("inspect", model, "--all")).out).toContain("t_Add_5");

    const config = path("predify.toml");
    expect((await run("init", model, "--pcoders", "2", "--out", config)).status).toBe(0);
    expect(await readFile(config, "utf8")).toContain('module = "t_Relu_12"');
    expect((await run("init", model, "--out", config)).err).toMatch(/exists already/);

    const random = new Random(1);
    for (let i = 0; i < 12; i++) {
      const data = Uint8Array.from({ length: 40 * 36 * 3 }, () => random.integer(0, 256));
      await writePng(path(`picture${i}.png`), { width: 40, height: 36, data });
    }
    await writeFile(path("broken.jpg"), "no image");
    const out = path("out.onnx");
    const common = ["--config", config, "--timesteps", "2", "--out", out];
    const trained = await run(
      model,
      ...common,
      "--train-on",
      folder,
      "--batch-size",
      "4",
      "--preprocessing",
      "raw",
      "--step",
      "--run",
      path("run"),
    );
    expect(trained.err).toMatch(/1 of 13 images were skipped: broken.jpg/);
    expect(trained.err).toMatch(/prediction errors on held-out images: 1: /);
    expect(trained.status).toBe(0);
    expect(Object.keys(readOnnx(await readFile(out)).inputs)).toEqual([
      "input",
      "feedforward",
      "feedback",
      "error",
    ]);
    expect(Object.keys(readOnnx(await readFile(path("out.step.onnx"))).outputs)).toContain(
      "next:representation.pcoder1",
    );

    const again = await run(
      model,
      "--config",
      config,
      "--timesteps",
      "2",
      "--constants",
      "--weights",
      path("out.safetensors"),
      "--out",
      path("again.onnx"),
    );
    expect(again.status).toBe(0);
    expect(Object.keys(readOnnx(await readFile(path("again.onnx"))).inputs)).toEqual(["input"]);
  });

  it.each([
    [["nowhere.onnx", "--train-on", "x"], /Could not read the ONNX model "nowhere.onnx"/],
    [[model], /expected --train-on FOLDER or --weights FILE/],
    [[model, "--train-on", "nowhere"], /Could not read the folder "nowhere"/],
    [[model, "--weights", "nowhere.safetensors"], /nowhere.safetensors/],
    [[model, "--train-on", "x", "--out", "model"], /ends in .onnx/],
    [[model, "--train-on", "x", "--pcoders", "40"], /the network has 4 possible places/],
    [
      [model, "--config", "nowhere.toml", "--train-on", "x"],
      /Could not read the configuration "nowhere.toml"/,
    ],
    [
      ["inspect", model, "--input-size", "3x31x32"],
      /input_size: expected a size that fits .*, got \[3, 31, 32\]/,
    ],
    [["inspect", model, "--input-size", "big"], /such as 3x224x224/],
    [[model, "--learning-rate", "0"], /number above 0/],
  ])("%j says what is wrong", async (args, message) => {
    const { status, err } = await run(...args);
    expect(status).toBe(1);
    expect(err).toMatch(message);
  });
});
