import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Tensor, TensorData } from "../../../src/graph/index.js";
import {
  conv,
  flatten,
  globalAveragePool,
  gradients,
  input,
  mul,
  parameter,
  relu,
  sum,
  tensorData,
} from "../../../src/graph/index.js";
import { normal } from "../../../src/nn/init.js";
import { asConstants } from "../../../src/nn/training-state.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import { webRuntime } from "../../../src/runtime/web.js";
import type { PredifyOptions } from "../../../src/systems/predify/index.js";
import {
  HyperparameterTask,
  candidates,
  Backbone,
  checkValues,
  freshValues,
  hyperparameterConstants,
  measureTimesteps,
  measureWindows,
  measureDistances,
  openPredictive,
  parseDecoder,
  parsePredifyConfig,
  optionsFromConfig,
  predictiveSteps,
  predify,
  targetedAttack,
  withGaussianNoise,
  withSaltAndPepper,
  writePredifyConfig,
  writeStep,
  writeUnrolled,
} from "../../../src/systems/predify/index.js";
import { readAnyWeights, readTorchWeights } from "../../../src/systems/predify/node.js";
import { openStepper } from "../../../src/train/stepper.js";
import { StriateError } from "../../../src/util/errors.js";
import { Random } from "../../../src/util/random.js";
import { numbers, runGraph } from "../../support/run.js";
import { expectClose, rowOf } from "../../support/steps.js";
import { asFile, randomImages, smallBackbone } from "./support.js";

const THREE: PredifyOptions = { pcoders: 3, feedforward: 0.4, feedback: 0.2, error: 0.5 };
const images = randomImages([2, 2, 8, 8]);

function refusal(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(StriateError);
    return (error as Error).message;
  }
  return "accepted";
}

describe("a predified network", () => {
  const network = predify(smallBackbone(), THREE);
  const values = freshValues(network, 3);

  it("answers at timestep 0 as the backbone alone, and otherwise after", async () => {
    const backbone = await runGraph({ y: network.backbone.output }, { image: images });
    const runner = await openPredictive(network, values, nodeRuntime, { timesteps: 3 });
    const logits = numbers((await runner.run(images)).logits);
    await runner.close();
    expect(logits).toHaveLength(4 * 2 * 3);
    expect(logits.slice(0, 6)).toEqual(numbers(backbone.y));
    expect(logits.slice(6, 12)).not.toEqual(logits.slice(0, 6));
  });

  it("gives the same numbers unrolled and step by step, in Node and on WebAssembly, for any batch", async () => {
    const [{ bytes }, step] = [writeUnrolled(network, values, { timesteps: 3 }), writeStep(network, values)];
    const feeds = (batch: number) => ({
      image: randomImages([batch, 2, 8, 8]),
      feedforward: tensorData([0.4, 0.4, 0.4]),
      feedback: tensorData([0.2, 0.2, 0.2]),
      error: tensorData([0.5, 0.5, 0.5]),
    });
    for (const runtime of [nodeRuntime, webRuntime]) {
      const unrolled = await runtime.createSession(bytes);
      const single = await runtime.createSession(step.bytes);
      for (const batch of [1, 3]) {
        const expected = numbers((await unrolled.run(feeds(batch))).logits);
        let states: Record<string, TensorData> = Object.fromEntries(
          network.pcoders.map(({ number, shape }) => [
            `representation.pcoder${number}`,
            tensorData(new Float32Array(shape.reduce((a, b) => a * b, batch)), [batch, ...shape]),
          ]),
        );
        states.timestep = tensorData([0], []);
        const found: number[] = [];
        for (let t = 0; t <= 3; t++) {
          const results = await single.run({ ...feeds(batch), ...states });
          found.push(...numbers(results.logits));
          states = Object.fromEntries(Object.keys(states).map((name) => [name, results[`next:${name}`]!]));
        }
        expected.forEach((value, i) => {
          expect(found[i]).toBeCloseTo(value, 5);
        });
      }
      await unrolled.close();
      await single.close();
    }
  });

  it("steps through a stream: the same image, then another", async () => {
    const runner = await openPredictive(network, values, nodeRuntime, { timesteps: 2, errors: true });
    const stepper = await openStepper(
      nodeRuntime,
      { model: predictiveSteps(network, { errors: true }), values },
      { batch: 2, device: "cpu" },
    );
    for (const image of [images, randomImages([2, 2, 8, 8], 9)]) {
      const all = await runner.run(image);
      await stepper.reset();
      for (let t = 0; t <= 2; t++) {
        const answer = await stepper.step({ image });
        expectClose(numbers(answer.logits), rowOf(all.logits, t), `logits at ${t}`);
        expectClose(numbers(answer["error.pcoder2"]), rowOf(all["error.pcoder2"], t), `error at ${t}`);
      }
    }
    await expect(stepper.step({ image: images, feedforward: 0.7, feedback: 0.5 })).rejects.toThrow(
      /PCoder 1: expected feedforward \+ feedback of at most 1, got 0.69.* \+ 0.5/,
    );
    await runner.close();
    await stepper.close();
  });

  it("moves on another image as the equations say", async () => {
    const [one, two] = [images, randomImages([2, 2, 8, 8], 9)];
    const steps = predictiveSteps(network, { hyperparameters: "constants" });
    const stepper = await openStepper(nodeRuntime, { model: steps, values }, { batch: 2, device: "cpu" });
    for (let t = 0; t < 2; t++) await stepper.step({ image: one });
    const before = await stepper.readState();
    await stepper.step({ image: two });
    const after = await stepper.readState();
    await stepper.close();
    // By the equations, from the states after two timesteps of the first image.
    const image = input("image", [2, 2, 8, 8]);
    const states = network.pcoders.map(({ number, shape }) =>
      input(`representation.pcoder${number}`, [2, ...shape]),
    );
    const drives = network.feedforward(image);
    const predictions = network.pcoders.map((pcoder, i) =>
      pcoder.predict(states[i]!, states[i - 1] ?? image),
    );
    const weights = hyperparameterConstants(network.pcoders.map((pcoder) => pcoder.hyperparameters));
    const lowest = network.pcoders[0]!.update(
      drives[0]!,
      states[0]!,
      predictions[0]!,
      predictions[1]!.prediction,
      weights[0]!,
    );
    const expected = await runGraph({ lowest }, { ...before, image: two }, { values: asConstants(values) });
    expectClose(numbers(after["representation.pcoder1"]), numbers(expected.lowest), "pcoder1");
  });

  it("takes hyper-parameters run by run: without feedback and error it stays where it is", async () => {
    const runner = await openPredictive(network, values, nodeRuntime, { timesteps: 3 });
    const still = numbers((await runner.run(images, { hyperparameters: { feedback: 0, error: 0 } })).logits);
    for (let t = 1; t <= 3; t++) {
      still.slice(0, 6).forEach((value, i) => {
        expect(still[t * 6 + i]).toBeCloseTo(value, 5);
      });
    }
    const moved = numbers((await runner.run(images)).logits);
    expect(Math.abs(moved[18]! - moved[0]!)).toBeGreaterThan(1e-3);
    await expect(
      runner.run(images, { hyperparameters: { feedforward: 0.7, feedback: 0.5 } }),
    ).rejects.toThrow(/expected feedforward \+ feedback of at most 1/);
    await runner.close();
  });

  it("moves down its prediction errors when the error step is all there is", async () => {
    const alone = predify(smallBackbone(), { pcoders: 1, feedforward: 0, feedback: 0, error: 0.05 });
    const runner = await openPredictive(alone, freshValues(alone, 1), nodeRuntime, {
      timesteps: 6,
      errors: true,
    });
    const errors = numbers((await runner.run(images))["error.pcoder1"]);
    errors.slice(1).forEach((error, t) => {
      expect(error).toBeLessThan(errors[t]!);
    });
    await runner.close();
  });

  it("depends on the batch as a plain PCoder over batches, and not per image or as a PCoderN", async () => {
    const lastLogits = async (options: Partial<PredifyOptions>, count: number) => {
      const net = predify(smallBackbone(), { ...THREE, error: 50, ...options });
      const runner = await openPredictive(net, freshValues(net, 3), nodeRuntime, { timesteps: 2 });
      const { logits } = await runner.run(
        randomImages([4, 2, 8, 8]).shape[0] === count ? randomImages([4, 2, 8, 8]) : firstImage(),
      );
      await runner.close();
      return numbers(logits).slice(2 * count * 3, 2 * count * 3 + 3);
    };
    const firstImage = () => {
      const four = randomImages([4, 2, 8, 8]);
      return { ...four, shape: [1, 2, 8, 8], data: (four.data as Float32Array).slice(0, 128) };
    };
    const gap = async (options: Partial<PredifyOptions>) => {
      const [one, four] = [await lastLogits(options, 1), await lastLogits(options, 4)];
      return Math.max(...one.map((value, i) => Math.abs(value - four[i]!)));
    };
    expect(await gap({ gradientScaling: false })).toBeGreaterThan(1e-3);
    expect(await gap({ gradientScaling: false, errorOver: "image" })).toBeLessThan(1e-5);
    expect(await gap({ error: 0.5 })).toBeLessThan(1e-5);
  });

  it("works on volumes, with a centre in all axes for C", async () => {
    const volume = predify(smallBackbone(3), THREE);
    expect(volume.pcoders.map(({ decoder }) => decoder.window())).toEqual([27 * 2, 216 * 4, 64 * 6]);
    const runner = await openPredictive(volume, freshValues(volume, 1), nodeRuntime, { timesteps: 2 });
    const { logits } = await runner.run(randomImages([2, 2, 8, 8, 8]));
    expect(logits!.shape).toEqual([3, 2, 3]);
    await runner.close();
  });

  it("starts from random states and takes a top-down prior where asked to", async () => {
    const free = predify(smallBackbone(), { ...THREE, randomInit: true, topDownPrior: true });
    const prior = randomImages([2, ...free.pcoders.at(-1)!.shape]);
    const open = await openPredictive(free, freshValues(free, 3), nodeRuntime, { timesteps: 2 });
    const run = (seed: number, top = prior) => open.run(images, { prior: top, random: new Random(seed) });
    const [one, again, other] = [await run(1), await run(1), await run(2)];
    expect(numbers(one.logits)).toEqual(numbers(again.logits));
    expect(numbers(one.logits)).not.toEqual(numbers(other.logits));
    expect(numbers((await run(1, randomImages(prior.shape, 5))).logits)).not.toEqual(numbers(one.logits));
    await expect(open.run(images, { random: new Random(1) })).rejects.toThrow(/prior/);
    const stepper = await openStepper(
      nodeRuntime,
      { model: predictiveSteps(free), values: freshValues(free, 3) },
      { batch: 2, device: "cpu" },
    );
    const random = new Random(1);
    const drawn = free.pcoders.map(({ number, shape }) => [
      `representation.pcoder${number}`,
      tensorData(random.fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 2))), [2, ...shape]),
    ]);
    await stepper.reset({ state: Object.fromEntries(drawn) as Record<string, TensorData> });
    for (let t = 0; t <= 2; t++) {
      const { logits } = await stepper.step({ image: images, prior });
      expectClose(numbers(logits), rowOf(one.logits, t), `logits at ${t}`);
    }
    await open.close();
    await stepper.close();
  });

  it("measures C where asked to: at most the structural window, and it is needed before running", async () => {
    const decoder = [{ type: "convTranspose", kernel: 4, stride: 2, padding: 1 }, { type: "relu" }] as const;
    const places = candidates(new Backbone(smallBackbone())).map(({ name }) => name);
    const net = predify(smallBackbone(), {
      window: "measured",
      pcoders: [{ after: places[0]! }, { after: places[1]!, decoder }],
    });
    const fresh = freshValues(net, 1);
    expect(() => {
      checkValues(net, fresh);
    }).toThrow(/measureWindows/);
    const measured = await measureWindows(net, fresh, images, new Random(4), nodeRuntime);
    const windows = [1, 2].map((i) => Number(measured.get(`pcoder${i}.C_sqrt`)!.data[0]) ** 2);
    expect(windows[0]).toBeCloseTo(net.pcoders[0]!.decoder.window(), 2);
    expect(windows[1]).toBeLessThan(net.pcoders[1]!.decoder.window());
    expect(windows[1]).toBeGreaterThan(0.4 * net.pcoders[1]!.decoder.window());
    checkValues(net, measured);
  });

  it("says which answer is no number", async () => {
    const runner = await openPredictive(network, values, nodeRuntime, { timesteps: 2 });
    const broken = Float32Array.from(images.data as Float32Array).fill(NaN, 0, 1);
    await expect(runner.run({ ...images, data: broken })).rejects.toThrow(/got NaN at timestep 0/);
    await expect(runner.run(randomImages([2, 3, 8, 8]))).rejects.toThrow(
      /expected float32\[batch, 2, 8, 8\], got float32\[2, 3, 8, 8\]/,
    );
    await runner.close();
    const spoilt = new Map(values).set("pcoder1.pmodule.0.bias", tensorData([NaN, 1]));
    expect(refusal(() => writeUnrolled(network, spoilt, { timesteps: 1 }))).toMatch(
      /expected finite numbers, got NaN at position 0/,
    );
  });
});

describe("gradients through all passes", () => {
  it("agree with finite differences for image and hyper-parameters, the error gradients held constant", async () => {
    const net = predify(smallBackbone(), { ...THREE, error: 0 });
    const task = new HyperparameterTask(net, { timesteps: 3 });
    const x = input("image", [2, 2, 8, 8]);
    const probe = randomImages([2, 3], 8);
    const { passes } = net.unroll(3, { image: x, hyperparameters: task.weights });
    const loss = sum(mul(passes.at(-1)!.logits, input("probe", [2, 3])));
    // The last PCoder's lambda is used by nothing.
    const names = [
      "ff_part1",
      "fb_part1",
      "mem_part1",
      "ff_part2",
      "fb_part2",
      "ff_part3",
      "pcoder2.pmodule.1.weight",
    ];
    const wrt: Tensor[] = [x, ...names.map((name) => task.parameters.get(name)!)];
    const slopes = gradients(loss, wrt);
    const start = new Map([...freshValues(net, 2)]);
    for (const name of task.parameters.keys()) {
      if (!start.has(name)) start.set(name, tensorData([name.startsWith("errorm") ? 0 : 0.3], []));
    }
    const feeds = { image: images, probe, ...Object.fromEntries(start) };
    const found = await runGraph(Object.fromEntries(slopes.map((g, i) => [`g${i}`, g])), feeds);
    const random = new Random(11);
    for (const [i, name] of ["image", ...names].entries()) {
      const value = feeds[name as "image"];
      const direction = random.fillNormal(new Float32Array(value.data.length));
      const at = async (h: number) => {
        const data = (value.data as Float32Array).map((v, k) => v + h * direction[k]!);
        return numbers((await runGraph({ loss }, { ...feeds, [name]: { ...value, data } })).loss)[0]!;
      };
      const h = name === "image" ? 2e-4 : 5e-3;
      const expected = ((await at(h)) - (await at(-h))) / (2 * h);
      const slope = numbers(found[`g${i}`]).reduce((total, g, k) => total + g * direction[k]!, 0);
      expect(Math.abs(slope - expected), name).toBeLessThan(0.02 * Math.abs(expected) + 2e-3);
    }
  });

  it("attack through the dynamics: the loss falls, pixels stay in the cube and the bounds", async () => {
    const net = predify(smallBackbone(), THREE);
    const unit = { ...images, data: (images.data as Float32Array).map((v) => 1 / (1 + Math.exp(-v))) };
    const found = await targetedAttack(
      net,
      freshValues(net, 1),
      unit,
      [0, 2],
      { epsilon: 0.3, steps: 30, relativeStep: 0.1, timesteps: 2, random: new Random(1) },
      nodeRuntime,
    );
    (found.images.data as Float32Array).forEach((value, i) => {
      expect(Math.abs(value - Number(unit.data[i]))).toBeLessThan(0.3 + 1e-6);
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1);
    });
    expect(found.succeeded).toHaveLength(2);
    const runner = await openPredictive(net, freshValues(net, 1), nodeRuntime, { timesteps: 2 });
    const margin = async (shown: typeof unit) => {
      const logits = numbers((await runner.run(shown)).logits).slice(12);
      return logits[0]! - logits[1]! + (logits[5]! - logits[4]!);
    };
    expect(await margin({ ...unit, data: found.images.data as Float32Array<ArrayBuffer> })).toBeGreaterThan(
      await margin(unit),
    );
    await runner.close();
  });
});

describe("measuring", () => {
  it("counts right answers, errors and distances at every timestep", async () => {
    const net = predify(smallBackbone(), THREE);
    const runner = await openPredictive(net, freshValues(net, 1), nodeRuntime, {
      timesteps: 2,
      errors: true,
      representations: true,
    });
    const { logits } = await runner.run(images);
    const first = numbers(logits);
    const labels = [0, 1].map((b) =>
      [0, 1, 2].reduce((best, c) => (first[b * 3 + c]! > first[b * 3 + best]! ? c : best), 0),
    );
    const scores = await measureTimesteps(runner, [{ images, labels }]);
    expect(scores.accuracy[0]).toBe(1);
    expect(scores).toMatchObject({ images: 2 });
    expect(scores.errors).toHaveLength(3);
    const noisy = withGaussianNoise(images, 0.5, 1);
    const distances = await measureDistances(runner, [[images, noisy]]);
    expect(distances.map((row) => row.length)).toEqual([3, 3, 3]);
    distances.flat().forEach((d) => {
      expect(d).toBeGreaterThan(0);
    });
    const same = await measureDistances(runner, [[images, images]]);
    same.flat().forEach((d) => {
      expect(d).toBeCloseTo(0, 6);
    });
    await runner.close();
    const salted = withSaltAndPepper(images, 0.25, 2).data as Float32Array;
    const changed = salted.filter((value, i) => value !== images.data[i]).length / salted.length;
    expect(changed).toBeGreaterThan(0.1);
    expect(changed).toBeLessThan(0.4);
  });
});

describe("bad input", () => {
  const model = smallBackbone();
  const places = candidates(new Backbone(model)).map(({ name }) => name);
  const one = (after: string, more: object = {}) => ({ pcoders: [{ after, ...more }] });

  it("names the nearest tensors", () => {
    expect(refusal(() => predify(model, one(places[0]!.replace("0", "9"))))).toContain(`"${places[0]!}"`);
    expect(refusal(() => predify(model, one("features[3]")))).toMatch(
      /no tensor, node or module "features\[3\]".*nearest/,
    );
    expect(refusal(() => predify(model, one("nothing*")))).toMatch(/no feature map has a name that matches/);
  });

  it("refuses cut points out of order, twice, or that are no feature maps", () => {
    const after = (...names: string[]) => ({ pcoders: names.map((name) => ({ after: name })) });
    expect(refusal(() => predify(model, after(places[1]!, places[0]!)))).toMatch(/out of order/);
    expect(refusal(() => predify(model, after(places[0]!, places[0]!)))).toMatch(/already has a PCoder/);
    expect(refusal(() => predify(model, one("logits")))).toMatch(/expected a feature map/);
    expect(refusal(() => predify(model, one("image")))).toMatch(/expected a feature map/);
  });

  it("refuses cut points that the answer does not depend on", () => {
    const image = input("image", ["batch", 2, 8, 8]);
    const weight = parameter([3, 2, 3, 3], normal(0, 0.3), { name: "weight" });
    const main = relu(conv(image, weight, undefined, { padding: 1 }));
    const side = mul(main, 2);
    const file = asFile({ logits: flatten(globalAveragePool(main)), side }, new Map([["weight", weight]]));
    expect(refusal(() => predify(file, one("side")))).toMatch(
      /"side" does not lie on a path from the image to the output "logits"/,
    );
  });

  it("reads a checkpoint of the authors' code, and only tensors of it", async () => {
    const file = fileURLToPath(new URL("../../fixtures/predify-pcoder.pth", import.meta.url));
    const network = predify(model, THREE);
    const values = await readTorchWeights(file, network, { pcoder: 2 });
    expect([...values.keys()].sort()).toEqual([
      "pcoder2.C_sqrt",
      "pcoder2.pmodule.1.bias",
      "pcoder2.pmodule.1.weight",
      "pcoder2.source_std",
      "pcoder2.target_std",
    ]);
    // The authors' weights have no units: 1 changes nothing.
    expect(numbers(values.get("pcoder2.source_std"))).toEqual([1]);
    expect(numbers(values.get("pcoder2.C_sqrt"))).toEqual([3.5]);
    expect(values.get("pcoder2.pmodule.1.bias")!.data[0]).toBeCloseTo(0.12320377677679062, 8);
    await expect(readTorchWeights(file, network, { pcoder: 1 })).rejects.toThrow(/pcoder1.pmodule.0.weight/);
    await expect(readAnyWeights(`${file},${file}`, network)).rejects.toThrow(
      "one for each of 3 PCoders, got 2",
    );
  });

  it("takes a pattern for several", () => {
    const all = predify(model, one("*elu*")).pcoders.map(({ cut }) => cut.name);
    expect(all).toEqual(places);
    expect(refusal(() => predify(model, one("*elu*", { decoder: "ReLU()" })))).toMatch(
      /cannot share one decoder/,
    );
  });

  it("refuses decoders that do not fit", () => {
    expect(
      refusal(() => predify(model, one(places[1]!, { decoder: "ConvTranspose2d(6, 2, 3, padding=1)" }))),
    ).toMatch(/expected a prediction of \[2, 8, 8\] from \[6, 4, 4\], got \[2, 4, 4\]/);
    expect(
      refusal(() => predify(model, one(places[0]!, { decoder: "ConvTranspose2d(5, 2, 3, padding=1)" }))),
    ).toMatch(/expected 4 input channels, got 5/);
    expect(
      refusal(() => predify(model, one(places[0]!, { decoder: [{ type: "convTranspose", kernel: 0 }] }))),
    ).toMatch(/kernel/);
  });

  it("refuses weights that are none, unknown options, space left open", () => {
    expect(refusal(() => predify(model, { pcoders: 1, feedforward: 0.8, feedback: 0.3 }))).toMatch(
      /expected feedforward \+ feedback of at most 1/,
    );
    expect(refusal(() => predify(model, { pcoders: 1, feedforward: -0.1 }))).toMatch(/from 0 to 1/);
    expect(refusal(() => predify(model, { pcoder: 1 } as unknown as PredifyOptions))).toMatch(
      /did you mean pcoders/,
    );
    expect(refusal(() => predify(model, { pcoders: 9 }))).toMatch(
      /the network has 3 possible places .*, fewer than the 9 requested/,
    );
    const open = smallBackbone(2, ["height", "width"]);
    expect(refusal(() => predify(open, THREE))).toMatch(/expected fixed channels and size.*give input_size/);
    expect(predify(open, { ...THREE, inputSize: [2, 8, 8] }).pcoders[2]!.shape).toEqual([5, 2, 2]);
    expect(refusal(() => predify(model, { ...THREE, inputSize: [2, 9, 9] }))).toMatch(
      /input_size: expected a size that fits .*, got \[2, 9, 9\]/,
    );
  });

  it.each([
    ["__import__('os').system('x')", /cannot read|not known|unknown/],
    ["ConvTranspose2d(1, 2, 3); print(1)", /cannot read/],
    ["ConvTranspose2d(1, 2, open('/etc/passwd'))", /kernel_size/],
    ["eval('1')", /unknown module "eval"/],
    ["ConvTranspose2d(1, 2, 3, strid=2)", /did you mean stride/],
    ["ConvTranspose2d(1, 2, 3, 1, 1, 0, 1, True, 1, 5)", /at most 9/],
    ["ConvTranspose2d(1, 2, 3, 1, stride=2)", /stride twice/],
    ["ConvTranspose2d(1, 2, 3, padding=-1)", /at least 0/],
    ["ConvTranspose2d(1, 2, 3, bias=1)", /True or False/],
    ["Sequential()", /expected at least one module/],
    ["Sequential(Sequential(ReLU()))", /inside a Sequential/],
    [
      "Upsample(scale_factor=2, mode='bicubic')",
      /expected one of nearest, bilinear, trilinear, got "bicubic"/,
    ],
    ["Upsample(scale_factor=2, mode='bilinear', align_corners=True)", /align_corners/],
    ["Upsample(mode='bilinear')", /either size or scale_factor/],
    ["ReLU(", /got the end/],
    ["ReLU())", /expected the end, got "\)"/],
    ["(".repeat(50), /nested too deeply/],
    ["x".repeat(20_000), /at most 10000/],
    ["", /got the end/],
  ])("does not take the decoder %s", (text, message) => {
    expect(refusal(() => parseDecoder(text))).toMatch(message);
  });

  it("reads decoders as PyTorch writes them", () => {
    const steps = parseDecoder(
      "nn.Sequential(nn.Upsample(scale_factor=(2.0, 2), mode='bilinear', align_corners=False), torch.nn.ConvTranspose2d(8, 4, (3, 5), stride=2, padding=(1, 2), output_padding=1, groups=2, bias=False, dilation=2), nn.ReLU(inplace=True))",
    );
    expect(steps.map(({ type, position }) => [type, position])).toEqual([
      ["upsample", 0],
      ["convTranspose", 1],
      ["relu", 2],
    ]);
    expect(steps[1]).toMatchObject({
      kernel: [3, 5],
      padding: [1, 2],
      outputPadding: [1, 1],
      groups: 2,
      bias: false,
      dilation: [2, 2],
    });
  });

  it("refuses configurations with the key that is wrong, and nothing in them is run", () => {
    const base = 'input_size = [2, 8, 8]\n[[pcoders]]\nmodule = "a"\n';
    expect(refusal(() => parsePredifyConfig(`colour = 1\n${base}`))).toMatch(/unknown key "colour"/);
    expect(refusal(() => parsePredifyConfig(`${base}modul = "b"\n`))).toMatch(
      /pcoders\[1\]\.unknown key "modul".*did you mean module/,
    );
    expect(
      refusal(() => parsePredifyConfig(`${base}hyperparameters = {feedforward=0.9, feedback=0.9, pc=0}`)),
    ).toMatch(/expected feedforward \+ feedback of at most 1/);
    expect(refusal(() => parsePredifyConfig("= 1"))).toMatch(/expected valid TOML/);
    const hostile = `imports = ["import os; os.system('x')"]\n${base}predictor = "__import__('os')"\n`;
    const options = optionsFromConfig(parsePredifyConfig(hostile).config);
    expect(refusal(() => predify(model, options))).toMatch(/unknown module "__import__"/);
  });

  it("writes configurations that it reads back", () => {
    const pcoders = [
      {
        module: 'a "quoted" \\ name',
        predictor: "ReLU()",
        hyperparameters: { feedforward: 1, feedback: 0, pc: 1e-7 },
      },
    ];
    const config = {
      name: "N",
      gradientScaling: true,
      sharedHyperparameters: false,
      inputSize: [3, 8, 8],
      pcoders,
    };
    expect(parsePredifyConfig(writePredifyConfig(config)).config).toMatchObject(config);
  });
});
