import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readImage, writePng } from "../../src/data/images/images-node.js";
import { imageData, prepareImages } from "../../src/data/images/prepared-images.js";
import type { RgbImage } from "../../src/data/images/rgb-image.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { openImages } from "../../src/systems/predify/training/image-sources-node.js";
import { ClassificationTask } from "../../src/systems/baselines/classification-task.js";
import { ResNet } from "../../src/systems/baselines/resnet.js";
import { train } from "../../src/train/run/run-node.js";
import { openStepper } from "../../src/train/stepper.js";
import { runTypescript } from "../support/child.js";
import { temporaryFolder } from "../support/folders.js";

describe("examples/stepper.ts", () => {
  it("watches phases fall into step, and leaves a file that runs by itself", async () => {
    const file = join(await temporaryFolder(), "komplexnet.step.onnx");
    const child = runTypescript(new URL("../../examples/stepper.ts", import.meta.url), [file]);
    const lines: string[] = [];
    for (let line = await child.nextLine(); line !== undefined; line = await child.nextLine())
      lines.push(line);
    expect(await child.ended()).toMatchObject({ status: 0, errors: "" });
    const agreements = lines.map((line) =>
      Array.from(line.matchAll(/\d\.\d\d/g), ([value]) => Number(value)),
    );
    expect(agreements).toHaveLength(30);
    expect(Math.max(...agreements[0]!)).toBeLessThan(0.2);
    expect(Math.min(...agreements[14]!, ...agreements[29]!)).toBeGreaterThan(0.95);
    // The right bar has moved: units that were silent before have phases of their own.
    expect(agreements[15]![1]).toBeLessThan(0.8);
    const stepper = await openStepper(nodeRuntime, await readFile(file));
    expect((await stepper.step({ images: 0 })).logits!.shape).toEqual([1, 10]);
    await stepper.close();
  });
});

/** Runs an example to its end, in the folder `cwd`, and gives the lines that it prints. */
async function linesOf(name: string, args: readonly string[] = [], cwd?: string): Promise<string[]> {
  const child = runTypescript(new URL(`../../examples/${name}`, import.meta.url), args, { cwd });
  const lines: string[] = [];
  for (let line = await child.nextLine(); line !== undefined; line = await child.nextLine()) lines.push(line);
  const { status, errors } = await child.ended();
  // A busy machine takes long to open a graph, which the library says.
  expect({ status, errors: errors.replace(/^Opening the graph takes long .*\n/gm, "") }).toEqual({
    status: 0,
    errors: "",
  });
  return lines;
}

describe("examples/vonenet.ts", () => {
  it("draws populations as they differ, and a cell that prefers its own orientation", async () => {
    const lines = await linesOf("vonenet.ts");
    const median = (variant: string) =>
      Number(/more than ([\d.]+)/.exec(lines.find((line) => line.startsWith(variant))!)![1]);
    // Uniform over octaves from 0.5 to 11.2 cycles per degree: the median is near their geometric mean. Monkeys' cells prefer more.
    expect(Math.abs(median("unif1") - Math.sqrt(0.5 * 11.2))).toBeLessThan(0.4);
    expect(median("biol")).toBeGreaterThan(median("unif1"));
    const response = (turn: number) =>
      Number(lines.find((line) => line.startsWith(`${turn} degrees`))!.split(": ")[1]);
    for (const turn of [-90, -60, -30, 30, 60]) expect(response(0)).toBeGreaterThan(response(turn));
  });
});

describe("examples/evnet.ts", () => {
  it("shows that large spots suppress cells, and that cells adapt to light", async () => {
    const lines = await linesOf("evnet.ts");
    for (const cell of ["P", "M"]) {
      const responses = numbersIn(lines, new RegExp(`^spot.*${cell} ([\\d.]+)`, "g"));
      expect(responses).toHaveLength(5);
      const largest = Math.max(...responses);
      expect(responses[0]).toBeLessThan(largest);
      expect(responses.at(-1)).toBeLessThan(0.7 * largest);
      const [dark, bright] = numbersIn(lines, new RegExp(`^background.*${cell} ([\\d.]+)`, "g"));
      expect(dark! / bright!).toBeCloseTo(1, 1);
    }
  });
});

describe("examples/phase-map.ts", () => {
  it("writes a picture and its legend", async () => {
    const folder = await temporaryFolder();
    const [picture, legend] = [join(folder, "phases.png"), join(folder, "wheel.svg")];
    expect(await linesOf("phase-map.ts", [picture, legend])).toEqual([
      `${picture}: 384 x 384 pixels; ${legend}`,
    ]);
    expect((await readFile(picture)).subarray(1, 4).toString()).toBe("PNG");
    expect(await readFile(legend, "utf8")).toMatch(/^<svg/);
  });
});

/** The numbers that `pattern` finds in the lines, in order. */
const numbersIn = (lines: readonly string[], pattern: RegExp): number[] =>
  lines.flatMap((line) => Array.from(line.matchAll(pattern), ([, found]) => Number(found)));

/** An image whose left half has narrow red stripes and whose right half has wide blue ones. */
function twoTextures(size: number): RgbImage {
  const data = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const left = x < size / 2;
      const bright = Math.floor(left ? x / 4 : y / 16) % 2 === 0;
      data.set(
        left ? [bright ? 230 : 120, 40, 40] : [30, bright ? 160 : 60, bright ? 220 : 130],
        3 * (y * size + x),
      );
    }
  }
  return { width: size, height: size, data };
}

describe("examples/akorn.ts", () => {
  it("finds the two textures of an image without labels", async () => {
    const folder = await temporaryFolder();
    const [input, output] = [join(folder, "halves.png"), join(folder, "segments.png")];
    await writePng(input, twoTextures(256));
    await linesOf("akorn.ts", [input, "2", "24", output]);
    const { data, width } = await readImage(output);
    // Both segments are drawn in their mean colours: the left one is red, the right one blue.
    const right = Array.from({ length: data.length / 3 }, (_, i) => {
      const isRed = data[3 * i]! > data[3 * i + 2]!;
      const isLeft = i % width < width / 2;
      return isRed === isLeft;
    }).filter(Boolean).length;
    expect(right / (data.length / 3)).toBeGreaterThan(0.9);
  });
});

describe("examples/komplexnet.ts", () => {
  it("learns more of pairs of digits than how often each digit appears, and exports the network", async () => {
    const folder = await temporaryFolder();
    const lines = await linesOf("komplexnet.ts", ["9600"], folder);
    expect(numbersIn(lines, /^timestep \d: ([\d.]+) %/g)).toHaveLength(8);
    // Each digit is in a fifth of the images: whoever knows no more has a cross-entropy of 0.50 for each digit.
    expect(numbersIn(lines, /loss ([\d.]+)/g).at(-1)).toBeLessThan(0.48);
    expect(await readdir(folder)).toEqual(["komplexnet.onnx"]);
  });
});

describe("examples/komplexnet-feedback.ts", () => {
  it("learns phases that tell three digits apart", async () => {
    const agreement = numbersIn(await linesOf("komplexnet-feedback.ts", ["640"]), /ARI (-?[\d.]+)/g);
    expect(agreement).toHaveLength(8);
    expect(agreement.at(-1)).toBeGreaterThan(0.2);
    expect(agreement.at(-1)).toBeGreaterThan(agreement[0]!);
  });
});

describe("examples/corruptions.ts", () => {
  it("measures how much each corruption changes grey images", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "grey"));
    for (const name of ["1.png", "2.png"])
      await writePng(join(folder, "grey", name), {
        width: 240,
        height: 230,
        data: new Uint8Array(240 * 230 * 3).fill(128),
      });
    await writeFile(join(folder, "grey", "broken.png"), "no image");
    const lines = await linesOf("corruptions.ts", [folder]);
    const [noise, blur, fog] = numbersIn(lines, /: ([\d.]+) levels a value, 2 images/g);
    // Normal noise of standard deviation 0.18 has a mean size of 0.18 sqrt(2 / pi); JPEG takes away some of it.
    expect(noise).toBeLessThan(255 * 0.18 * Math.sqrt(2 / Math.PI));
    expect(noise).toBeGreaterThan(20);
    expect(blur).toBe(0);
    expect(fog).toBeGreaterThan(10);
    expect(lines.at(-1)).toMatch(/1 of 3 .*broken\.png/);
  });
});

describe("examples that take a network", () => {
  let folder: string;
  let model: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "striate-test-"));
    model = join(folder, "digits.onnx");
    const images = await prepareImages(await openImages("mnist"), [1, 32, 32], { most: 1920, seed: 2 });
    const network = new ResNet({ depth: 18, classes: 10, width: 0.125, stem: "small", inChannels: 1 });
    const run = await train(
      new ClassificationTask(network, [1, 32, 32]),
      imageData(images, { mean: [0], std: [1] }),
      {
        epochs: 1,
        batchSize: 32,
        seed: 1,
        learningRate: 0.003,
      },
    );
    await run.export(model);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("examples/robustness.ts: the classifier is good at digits, and an attack makes it worse", async () => {
    const lines = await linesOf("robustness.ts", [model]);
    expect(numbersIn(lines, /^clean: accuracy ([\d.]+)/g)[0]).toBeGreaterThan(0.8);
    const [weak, strong] = numbersIn(lines, /: (\d+) of 32 still right/g);
    expect(weak).toBeGreaterThan(strong!);
  });

  it("examples/fine-tune.ts: a new last layer learns other classes from few images", async () => {
    const photos = join(folder, "photos");
    const digits = await openImages("mnist");
    for (const label of [3, 5, 8]) await mkdir(join(photos, `digit ${label}`), { recursive: true });
    const counts = new Map<number, number>();
    for (let i = 5000; [3, 5, 8].some((label) => (counts.get(label) ?? 0) < 40); i++) {
      const label = digits.labels[i]!;
      const count = counts.get(label) ?? 0;
      counts.set(label, count + 1);
      if ([3, 5, 8].includes(label) && count < 40)
        await writePng(join(photos, `digit ${label}`, `${i}.png`), await digits.read(i));
    }
    const lines = await linesOf("fine-tune.ts", [model, photos, "unit"], folder);
    const [, right, count] = /^(\d+) of (\d+) test images right$/.exec(lines.at(-1)!)!;
    expect(Number(right) / Number(count)).toBeGreaterThan(0.6);
    expect(await readdir(folder)).toContain("fine-tuned.onnx");
  });

  it("examples/predify.ts: decoders learn to predict, and four timesteps answer", async () => {
    const lines = await linesOf("predify.ts", [model, "61"], folder);
    const errors = numbersIn(lines, /reconstruction error ([\d.]+)/g);
    expect(errors.at(-1)).toBeLessThan(0.9 * errors[0]!);
    expect(numbersIn(lines, /^timestep \d: class (\d)$/g)).toHaveLength(5);
    expect(await readdir(folder)).toContain("predified.onnx");
  });
});
