import type { Tensor, TensorData } from "../../../src/graph/index.js";
import { gradients, input, mul, sum } from "../../../src/graph/index.js";
import type { V1Noise } from "../../../src/systems/vonenet/index.js";
import {
  VOneBlock,
  colourWeight,
  inPixels,
  sampleReceptiveFields,
  v1GaborBank,
} from "../../../src/systems/vonenet/index.js";
import { frontEndFeatures } from "../../../src/systems/vonenet/networks/front-end.js";
import { RETINA_NOISE } from "../../../src/systems/vonenet/subcortical/subcortical-block.js";
import { V1_NOISE } from "../../../src/systems/vonenet/v1/vone-block.js";
import { check } from "../../../src/util/errors.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf } from "../golden-case.js";
import type { GoldenKind } from "../harness.js";
import { pixelTensors } from "../vonenet/filters.js";
import { blockOf, imagesOf, noiseOf, numberOf } from "./support.js";

/** Finds the tensor whose name ends as given, whatever the prefix of the model is. */
function named(golden: GoldenCase, end: string): string | undefined {
  return [...golden.tensors.keys()].find((name) => name.startsWith("param.") && name.endsWith(end));
}

function v1Noise(golden: GoldenCase): V1Noise | undefined {
  const { vone_noise: kind } = golden.config;
  if (kind === "none" || kind === undefined || kind === null) return undefined;
  const [scale, level] = [numberOf(golden, "vone_noise_scale"), numberOf(golden, "vone_noise_level")];
  if (kind === "gaussian") return { kind: "signed-gaussian", scale };
  check(kind === "neuronal", () => `${golden.file}: V1's noise is ${JSON.stringify(kind)}`);
  return { kind: "signed-neuronal", scale, level, fano: numberOf(golden, "vone_fano_factor") };
}

/** V1 of a case for square images of `imageSize` pixels, which may be a crop of the configured ones. */
function v1Of(golden: GoldenCase, imageSize: number, channels: number): VOneBlock {
  const { color_prob: probabilities } = golden.config;
  const fields = sampleReceptiveFields({
    simple: numberOf(golden, "simple"),
    complex: numberOf(golden, "complex"),
    seed: numberOf(golden, "gabor_seed"),
    maxFrequency: numberOf(golden, "sf_max"),
    colours: {
      channels,
      ...(Array.isArray(probabilities) && { probabilities: probabilities as number[] }),
    },
  });
  const noise = v1Noise(golden);
  return new VOneBlock({
    fields,
    imageSize,
    visualDegrees: (numberOf(golden, "deg") * imageSize) / numberOf(golden, "image"),
    channels,
    kernelSize: numberOf(golden, "ksize"),
    stride: numberOf(golden, "stride"),
    gain: numberOf(golden, "vone_k_exc"),
    ...(noise && { noise }),
  });
}

const frontEnd: GoldenKind = {
  name: "retina and V1",
  matches: ({ tensors }) => tensors.has("output.front_end"),
  compares: (name) => name.startsWith("input.gabor.") || /simple_conv_q[01]\.weight$/.test(name),
  run: async (golden, evaluate) => {
    const data = imagesOf(golden);
    const retina = blockOf(golden);
    const block = v1Of(golden, data.shape[2]!, retina.channels);
    const images = input("images", data.shape);
    const feeds: Record<string, TensorData> = { images: data };
    const fed = (name: string, value: TensorData | undefined): Tensor | undefined => {
      if (value === undefined) return undefined;
      feeds[name] = value;
      return input(name, value.shape);
    };
    const drawn = {
      [RETINA_NOISE]: fed("z0", noiseOf(golden, "subcorticalblock")),
      [V1_NOISE]: fed("z1", noiseOf(golden, "voneblock")),
    };
    const noise = Object.fromEntries(
      Object.entries(drawn).flatMap(([name, tensor]) => (tensor ? [[name, tensor] as const] : [])),
    );
    const bottleneck = named(golden, "bottleneck.weight")!;
    const weight = fed("weight", tensorOf(golden, bottleneck))!;
    const stages = { retina, block, lgnToV2: golden.config.lgn_to_v2 === true };
    const subcortical = retina.forward(images, drawn[RETINA_NOISE]);
    const features = frontEndFeatures(stages, { images, noise }, weight);
    const outputs: Record<string, Tensor> = {
      "output.subcorticalblock": subcortical,
      "output.voneblock": block.forward(subcortical, drawn[V1_NOISE]),
      "output.front_end": features,
    };
    const dy = fed("dy", golden.tensors.get("input.grad_out"));
    if (dy) {
      const [dx, dw] = gradients(sum(mul(features, dy)), [images, weight]);
      outputs["grad.input"] = dx!;
      outputs[`grad.${bottleneck}`] = dw!;
    }
    const geometry = { imageSize: numberOf(golden, "image"), visualDegrees: numberOf(golden, "deg") };
    // The files hold partners of simple cells as well, so all cells are taken as complex here.
    const parameters = inPixels(block.fields, geometry);
    const bank = v1GaborBank({ ...parameters, simple: 0, complex: block.cells }, block.bank.size);
    const filters = (kernels: Float32Array) => colourWeight(kernels, bank.colour, bank.size, block.channels);
    const colours = BigInt64Array.from(block.fields.colour, BigInt);
    return new Map([
      ...Object.entries(await evaluate(outputs, feeds)),
      ...Object.entries(pixelTensors(block.fields, geometry)).map(
        ([name, value]) => [`input.gabor.${name}`, value] as const,
      ),
      ["input.gabor.color", { dtype: "int64", shape: [colours.length], data: colours }],
      [named(golden, "simple_conv_q0.weight")!, filters(bank.kernels)],
      [named(golden, "simple_conv_q1.weight")!, filters(bank.quadrature)],
    ]);
  },
};

export const frontEndKinds: readonly GoldenKind[] = [frontEnd];
