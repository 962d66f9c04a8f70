import type { Tensor, TensorData } from "../../../src/graph/index.js";
import { concat, gradients, input, mul, slice, sum } from "../../../src/graph/index.js";
import { SubcorticalBlock, adaptToLight } from "../../../src/systems/vonenet/index.js";
import {
  pathwayResponses,
  squareFilters,
} from "../../../src/systems/vonenet/subcortical/pathway-responses.js";
import { addSubcorticalNoise } from "../../../src/systems/vonenet/subcortical/subcortical-noise.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf } from "../golden-case.js";
import type { GoldenKind } from "../harness.js";
import { blockOf, imagesOf, noiseOf } from "./support.js";

const light: GoldenKind = {
  name: "light adaptation",
  matches: ({ tensors }) => tensors.has("output.plain"),
  run: async (golden, evaluate) => {
    const data = imagesOf(golden);
    const images = input("images", data.shape);
    const dy = input("dy", data.shape);
    const outputs: Record<string, Tensor> = {};
    for (const [name, kind] of [
      ["plain", "mean"],
      ["threshold", "thresholded"],
    ] as const) {
      const adapted = adaptToLight(images, kind);
      outputs[`output.${name}`] = adapted;
      outputs[`grad.input.${name}`] = gradients(sum(mul(adapted, dy)), [images])[0]!;
    }
    const feeds = { images: data, dy: tensorOf(golden, "input.grad_out") };
    return new Map(Object.entries(await evaluate(outputs, feeds)));
  },
};

const SUBCORTICAL = "subcorticalblock.";

/** The tensors of a block by the authors' names, joined over the pathways where the authors join them. */
function tensorsOf({ weights }: SubcorticalBlock): Map<string, TensorData> {
  const present = Object.values(weights);
  const joined = (name: "kExc" | "c50" | "n"): TensorData => {
    const data = present.flatMap((of) => Array.from(of[name]!.data as Float32Array));
    return { dtype: "float32", shape: [1, data.length, 1, 1], data: Float32Array.from(data) };
  };
  return new Map([
    ["k_exc", joined("kExc")],
    ["contrast_norm.c50", joined("c50")],
    ["contrast_norm.n", joined("n")],
    ...present.flatMap(
      ({ dog, pool }, i) =>
        [
          [`dog.multi_conv.convs.${i}.weight`, dog],
          [`contrast_norm.multi_conv.convs.${i}.weight`, pool!],
        ] as const,
    ),
  ]);
}

/** The block with all of its tensors as inputs, for the gradients of these. */
function withTensors(golden: GoldenCase, block: SubcorticalBlock, images: Tensor, noise: Tensor | undefined) {
  const given = new Map<string, Tensor>();
  const feeds: Record<string, TensorData> = {};
  for (const [name, value] of tensorsOf(block)) {
    const key = `param.${name}`;
    given.set(name, input(key, value.shape));
    feeds[key] = value;
  }
  const adapted = adaptToLight(images, block.lightAdaptation);
  const cells = [block.p, block.m].filter((count) => count > 0);
  const parts = cells.map((count, i) => {
    const first = cells.slice(0, i).reduce((a, b) => a + b, 0);
    const numbers = (name: string) =>
      slice(given.get(name)!, [{ axis: 1, start: first, end: first + count }]);
    const kernels = (stage: string) => given.get(`${stage}.multi_conv.convs.${i}.weight`)!;
    const filters = squareFilters(kernels("dog"), kernels("contrast_norm"));
    const [kExc, c50, n] = [numbers("k_exc"), numbers("contrast_norm.c50"), numbers("contrast_norm.n")];
    return pathwayResponses(adapted, filters, { kExc, c50, n }, block).responses;
  });
  const responses = parts.length === 1 ? parts[0]! : concat(parts, 1);
  const output = noise && block.noise ? addSubcorticalNoise(responses, noise, block.noise) : responses;
  const wanted = [...golden.tensors.keys()].filter((name) => name.startsWith("grad.param."));
  const sources = wanted.map((name) => given.get(name.slice(`grad.param.${SUBCORTICAL}`.length))!);
  return { output, feeds, wanted, sources };
}

const block: GoldenKind = {
  name: "retina",
  matches: ({ tensors }) => tensors.has("output.block"),
  compares: (name) => name.startsWith(`param.${SUBCORTICAL}`),
  run: async (golden, evaluate) => {
    const data = imagesOf(golden);
    const images = input("images", data.shape);
    const z = noiseOf(golden, "subcorticalblock");
    const noise = z && input("noise", z.shape);
    const own = blockOf(golden);
    const { adapted, centreSurround, normalised, responses } = own.stages(images, noise);
    const outputs: Record<string, Tensor> = {
      "output.light_adapt": adapted,
      "output.dog": centreSurround,
      "output.contrast_norm": normalised,
      "output.block": responses,
    };
    const square = withTensors(golden, own, images, noise);
    const dy = golden.tensors.get("input.grad_out");
    if (dy) {
      const traced = input("dy", dy.shape);
      outputs["grad.input"] = gradients(sum(mul(responses, traced)), [images])[0]!;
      const slopes = gradients(sum(mul(square.output, traced)), square.sources);
      square.wanted.forEach((name, i) => (outputs[name] = slopes[i]!));
    }
    const feeds = { images: data, ...square.feeds, ...(z && { noise: z }), ...(dy && { dy }) };
    const found = await evaluate(outputs, feeds);
    // What is stored must also follow from the geometry.
    const { imageSize, visualDegrees } = {
      imageSize: Number(golden.config.image),
      visualDegrees: Number(golden.config.deg),
    };
    const { p, m, colours } = own;
    const drawn = tensorsOf(new SubcorticalBlock({ imageSize, visualDegrees, p, m, colours }));
    return new Map([
      ...Object.entries(found),
      ...[...drawn].map(([name, value]) => [`param.${SUBCORTICAL}${name}`, value] as const),
    ]);
  },
};

export const retinaKinds: readonly GoldenKind[] = [light, block];
