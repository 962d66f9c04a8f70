import { describe, expect, it } from "vitest";
import { input, lower, writeOnnx } from "../../../src/graph/index.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { initialState, namedParameters } from "../../../src/nn/module.js";
import { asConstants } from "../../../src/nn/training-state.js";
import { EfficientNet, Vgg } from "../../../src/systems/baselines/index.js";
import { freshValues, pEfficientNetB0, predify, writeUnrolled } from "../../../src/systems/predify/index.js";
import { Random } from "../../../src/util/random.js";
import { runTypescript } from "../../support/child.js";

describe("unrolling", () => {
  it("holds every weight once, however many timesteps there are", () => {
    const model = new Vgg({ depth: 11, batchNorm: true, width: 0.25, hidden: 32, grid: 1, classes: 10 });
    const values = initialState(namedParameters(model), (name) => Random.derive(1, name));
    const logits = model.forward(input("input", ["batch", 3, 32, 32]));
    const file = readOnnx(writeOnnx(lower({ logits }, "portable"), { values: asConstants(values) }).bytes);
    const network = predify(file, { pcoders: 4 });
    const size = (timesteps: number) =>
      writeUnrolled(network, freshValues(network, 1), { timesteps }).bytes.length;
    const [four, sixteen] = [size(4), size(16)];
    // Twelve timesteps more cost nodes, no weights: those of this network are 2.4 MB.
    expect(sixteen - four).toBeLessThan(12 * 80_000);
    const operators = [
      ...readOnnx(writeUnrolled(network, freshValues(network, 1), { timesteps: 3 }).bytes).values,
    ];
    // ONNX Runtime would merge normalisation into convolutions with new weights for every timestep.
    expect(operators.filter(([, { node }]) => node.type === "BatchNormalization")).toEqual([]);
  });

  it("of EfficientNet-B0 with eight PCoders over ten timesteps is a graph within seconds", () => {
    const model = new EfficientNet();
    const values = initialState(namedParameters(model), (name) => Random.derive(1, name));
    const logits = model.forward(input("input", ["batch", 3, 224, 224]));
    const file = readOnnx(writeOnnx(lower({ logits }, "portable"), { values: asConstants(values) }).bytes);
    const started = process.cpuUsage();
    const network = predify(file, pEfficientNetB0());
    const { bytes } = writeUnrolled(network, freshValues(network, 1), { timesteps: 10, target: "cpu" });
    const { user } = process.cpuUsage(started);
    expect(network.pcoders).toHaveLength(8);
    expect(bytes.length).toBeLessThan(2 * 21_000_000);
    // The bar is 5 s with the session; `npm run bench -- predify` times both.
    expect(user / 1e6).toBeLessThan(15);
  });

  it("needs little more memory for more timesteps", async () => {
    const peak = async (timesteps: number) => {
      const child = runTypescript(new URL("./memory-child.ts", import.meta.url), [String(timesteps)]);
      const line = await child.nextLine();
      const { status, errors } = await child.ended();
      expect(errors, errors).not.toMatch(/Error/);
      expect(status).toBe(0);
      return Number(line);
    };
    const [four, sixteen] = [await peak(4), await peak(16)];
    console.log(`peak memory: ${Math.round(four)} MiB for 4 timesteps, ${Math.round(sixteen)} MiB for 16`);
    expect(sixteen).toBeLessThan(1.25 * four);
  });
});
