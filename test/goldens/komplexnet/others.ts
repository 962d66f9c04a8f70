import type { Tensor } from "../../../src/graph/index.js";
import { input, tensorData } from "../../../src/graph/index.js";
import { binaryCrossEntropyWithLogits } from "../../../src/nn/losses.js";
import { namedParameters } from "../../../src/nn/module.js";
import type { AuthorsModel } from "../../../src/systems/komplexnet/index.js";
import {
  RealBaseline,
  TransformerBaseline,
  fromAuthors,
  gaborBank,
  gaussianCoupling,
  toAuthors,
} from "../../../src/systems/komplexnet/index.js";
import { check } from "../../../src/util/errors.js";
import type { Evaluate } from "../evaluate.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf } from "../golden-case.js";
import type { GoldenKind, Results } from "../harness.js";
import { authorsParameters, loadModel, optionsOf, stateDictionary, wantedGradients } from "./model.js";

const only = (golden: GoldenCase, prefix: string) =>
  golden.tensors.size > 0 && [...golden.tensors.keys()].every((name) => name.startsWith(prefix));

const section = (golden: GoldenCase, name: string): Readonly<Record<string, unknown>> =>
  (golden.config[name] ?? {}) as Readonly<Record<string, unknown>>;

/** Arrays that models start from. */
const initialArrays: GoldenKind = {
  name: "initial arrays",
  matches: (golden) => only(golden, "param.") && golden.tensors.has("param.gabor_bank"),
  compares: (name) => name.startsWith("param."),
  run: (golden): Promise<Results> => {
    const gabor = section(golden, "gabor");
    const bank = tensorOf(golden, "param.gabor_bank").shape;
    check(
      (gabor.norm ?? "L2=1") === "L2=1" && gabor.dc_removed !== true,
      () => `${golden.file}: this Gabor bank is scaled in another way`,
    );
    const number = (value: unknown, fallback: number) => (typeof value === "number" ? value : fallback);
    const values = gaborBank({
      filters: bank[0]!,
      size: bank[2]!,
      sigma: number(gabor.sigma, 1.5),
      wavelength: number(gabor.lambda, 4),
      aspect: number(gabor.gamma, 0.5),
      phase: number(gabor.psi, 0),
    });
    const results = new Map([["param.gabor_bank", tensorData(values, bank)]]);
    const { mean_r: mean, std_r: deviation } = section(golden, "gaussian");
    for (const [name, { shape }] of golden.tensors) {
      if (!name.startsWith("param.kernel_gaussian")) continue;
      check(shape.at(-1) === shape.at(-2), () => `${golden.file}: ${name} is not square`);
      const plane = gaussianCoupling(shape.at(-1), number(mean, 0), number(deviation, 3));
      const planes = shape.slice(0, -2).reduce((a, b) => a * b, 1);
      const all = new Float32Array(planes * plane.length);
      for (let i = 0; i < planes; i++) all.set(plane, i * plane.length);
      results.set(name, tensorData(all, shape));
    }
    return Promise.resolve(results);
  },
};

/** Parameters that other cases share: they must fit our model by name and shape, and come out of it as they went in. */
const sharedParameters: GoldenKind = {
  name: "shared parameters",
  matches: (golden) => only(golden, "param.") && golden.tensors.has("param.classif2.weights.weight"),
  compares: (name) => name.startsWith("param."),
  run: async (golden): Promise<Results> => {
    const dictionary = await stateDictionary(golden);
    const [, inChannels] = tensorOf(golden, "param.downsampling.weight").shape;
    const [, inFeatures] = tensorOf(golden, "param.classif1.1.weights.weight").shape;
    const [channels] = tensorOf(golden, "param.convA.kernel_conv.weight").shape;
    const side = 2 * Math.sqrt(inFeatures! / channels!);
    const options = optionsOf(golden, dictionary, [1, inChannels!, side, side], [1, 3, 1, side, side]);
    const { state } = loadModel(options, dictionary);
    const all = toAuthors("komplexnet", state, dictionary);
    return new Map([...all].map(([name, value]) => [`param.${name}`, value]));
  },
};

async function runBaseline(
  golden: GoldenCase,
  name: AuthorsModel,
  model: { forward(images: Tensor): Tensor },
  evaluate: Evaluate,
): Promise<Results> {
  const [x, y] = [tensorOf(golden, "input.x"), tensorOf(golden, "input.y")];
  const parameters = namedParameters(model);
  const state = fromAuthors(name, parameters, await stateDictionary(golden));
  const images = input("x", x.shape);
  const logits = model.forward(images);
  const loss = binaryCrossEntropyWithLogits(logits, input("y", y.shape));
  const wrt = new Map([["input.x", images], ...authorsParameters(name, parameters)]);
  const outputs = { "output.logits": logits, "output.loss": loss, ...wantedGradients(golden, loss, wrt) };
  return new Map(Object.entries(await evaluate(outputs, { x, y, ...Object.fromEntries(state) })));
}

const realBaseline: GoldenKind = {
  name: "real-valued baseline",
  matches: (golden) => golden.tensors.has("param.normA.weight"),
  run: (golden, evaluate) => {
    const shape = (name: string) => tensorOf(golden, name).shape as [number, number, number, number];
    const model = new RealBaseline({
      classes: shape("param.classif.4.weight")[0],
      imageSize: shape("input.x")[3],
      inChannels: shape("input.x")[1],
      channels: shape("param.convA.weight")[0],
      hidden: shape("param.classif.1.weight")[0],
      frontEnd: shape("param.downsampling.weight")[2] === 3 ? "conv" : "gabor",
    });
    return runBaseline(golden, "realBaseline", model, evaluate);
  },
};

const transformerBaseline: GoldenKind = {
  name: "transformer baseline",
  matches: (golden) => golden.tensors.has("param.pos_embed"),
  run: (golden, evaluate) => {
    const shape = (name: string) => tensorOf(golden, name).shape as [number, number, number, number];
    const axis = golden.config.attention_axis ?? "batch";
    const layers = [...golden.tensors.keys()].flatMap((name) => {
      const match = /^param\.transformer\.layers\.(\d+)\./.exec(name);
      return match ? [Number(match[1])] : [];
    });
    const model = new TransformerBaseline({
      classes: shape("param.head.weight")[0],
      imageSize: shape("input.x")[3],
      inChannels: shape("input.x")[1],
      patch: shape("param.patch_embed.weight")[2],
      width: shape("param.patch_embed.weight")[0],
      layers: Math.max(...layers) + 1,
      ...(typeof golden.config.heads === "number" && { heads: golden.config.heads }),
      feedForward: shape("param.transformer.layers.0.linear1.weight")[0],
      attentionAxis: typeof axis === "string" && axis.startsWith("token") ? "token" : "batch",
    });
    return runBaseline(golden, "transformerBaseline", model, evaluate);
  },
};

export const otherKinds: readonly GoldenKind[] = [
  initialArrays,
  sharedParameters,
  realBaseline,
  transformerBaseline,
];
