import type { TensorData } from "../../graph/index.js";
import { showShape } from "../../graph/index.js";
import type { NamedParameters, State } from "../../nn/module.js";
import { StriateError } from "../../util/errors.js";
import type { AuthorsModel } from "./authors-choices.js";
import { choiceBehind } from "./authors-choices.js";

/*
 * These rules translate our parameter names to the names in the state dictionaries of the authors' code
 * (github.com/autonomousvision/akorn). Some of the authors' tensors have additional axes of length 1: those
 * of norms, and those of the 1 x 1 convolutions of attention, which are matrices here.
 */

type Rules = readonly (readonly [ours: RegExp, theirs: string])[];

/** Rules for the parts that all models share. All rules are applied in order, each at most once per name. */
const PARTS: Rules = [
  [/\bnaturalFrequency\.components$/, "omg.omg_param"],
  [/\bstimulusNorm\./, "c_norm."],
  [/\bcoupling\./, "connectivity."],
  [/\bqueryKeyValue\./, "W_qkv."],
  [/\brotations\.([qkvo])[a-z]+$/, "mat_$1"],
  [/\boutput\./, "W_o."],
  [/\bresidual\.(\d+)\.norm\./, "1.fn.fn.$1.fn.0."],
  [/\bresidual\.(\d+)\.conv\./, "1.fn.fn.$1.fn.2."],
  [/\blast\.norm\./, "2.fn.0."],
  [/\blast\.conv\./, "2.fn.2."],
  [/\breadout\./, "0."],
  [/\bconv\./, "invconv."],
  [/\brunningMean$/, "running_mean"],
  [/\brunningVar$/, "running_var"],
];

const OBJECTS: Rules = [
  [/^patches\.conv\./, "patchfy.1."],
  [/^head\.expand\./, "out.3."],
  [/^head\.contract\./, "out.5."],
];

const OSCILLATORS: Rules = [
  [/^stepSize$/, "gamma"],
  [/^blocks\.(\d+)\.kuramoto\./, "layers.$1.0."],
  [/^blocks\.(\d+)\.readout\./, "layers.$1.1."],
  [/^blocks\.(\d+)\.stateReadout\./, "layers.$1.2."],
];

const ITERATIONS: Rules = [
  [/^positions$/, "pos_embed"],
  [/^norm\.weight$/, "out.0.weight"],
  [/^norm\.bias$/, "out.0.bias"],
  [/^blocks\.(\d+)\.mixNorm\./, "transformer_encoder.$1.layernorm1."],
  [/^blocks\.(\d+)\.mlpNorm\./, "transformer_encoder.$1.layernorm2."],
  [/^blocks\.(\d+)\.mix\./, "transformer_encoder.$1.attn."],
  [/^blocks\.(\d+)\.expand\./, "transformer_encoder.$1.mlp.0."],
  [/^blocks\.(\d+)\.contract\./, "transformer_encoder.$1.mlp.2."],
];

/**
 * Layer norms over maps. For these, the authors wrote their own layer, whose parameter names differ from
 * PyTorch's.
 */
const MAP_NORMS: Rules = [
  [/((?:layernorm\d|^out\.0)\.)weight$/, "$1gamma"],
  [/((?:layernorm\d|^out\.0)\.)bias$/, "$1beta"],
];

const MODELS: Readonly<Record<AuthorsModel, Rules>> = {
  objectNetwork: [
    ...OBJECTS,
    ...OSCILLATORS,
    [/^positions\.oscillators$/, "pemb_x"],
    [/^positions\.stimulus$/, "pemb_c"],
  ],
  sudokuNetwork: [
    // In this network, a read-out is the first layer of a sequence even if no further convolutions follow.
    [/^blocks\.(\d+)\.readout\.(?=(?:bias|conv\.\w+)$)/, "layers.$1.1.0."],
    ...OSCILLATORS,
    [/^out\./, "out.1."],
  ],
  recognitionNetwork: [
    [/^stepSize$/, "gamma"],
    [/^stem\./, "conv0."],
    [/^blocks\.(\d+)\.transition\./, "layers.$1.0.0."],
    [/^blocks\.(\d+)\.kuramoto\./, "layers.$1.2."],
    [/^blocks\.(\d+)\.readout\./, "layers.$1.3."],
  ],
  iterativeObjectNetwork: [...OBJECTS, ...ITERATIONS, ...MAP_NORMS],
  sudokuTransformer: [[/^out\./, "out.1."], ...ITERATIONS],
  kuramotoLayer: [],
  attention: [],
  readout: [],
};

/** Translates the name of one of our parameters to the authors' name. */
export function authorsName(model: AuthorsModel, name: string): string {
  return [...MODELS[model], ...PARTS].reduce((text, [ours, theirs]) => text.replace(ours, theirs), name);
}

/**
 * Tensors of the authors' dictionaries that are ignored: batch counters, and convolutions that are stored
 * twice under different names.
 */
const SPARE = [/\bnum_batches_tracked$/, /^layers\.\d+\.0\.1\.(weight|bias)$/];

/**
 * Returns the tensors of the moving average if the dictionary has one, since the authors test with the
 * average. Otherwise returns all tensors.
 */
function averageOf(dictionary: ReadonlyMap<string, TensorData>): ReadonlyMap<string, TensorData> {
  const prefix = "ema_model.";
  const average = [...dictionary].filter(([name]) => name.startsWith(prefix));
  if (average.length === 0) return dictionary;
  return new Map(average.map(([name, value]) => [name.slice(prefix.length), value]));
}

/**
 * Converts the authors' state dictionary to a state for our model. If the dictionary contains a moving average
 * ("ema_model.NAME"), the average is used.
 *
 * @throws StriateError if a parameter is missing or has the wrong shape, or if the model has no parameter for a
 * tensor. If the tensor reveals in which option dictionary and model differ, the message names the option
 */
export function fromAuthors(
  model: AuthorsModel,
  parameters: NamedParameters,
  dictionary: ReadonlyMap<string, TensorData>,
): State {
  const tensors = averageOf(dictionary);
  const state: State = new Map();
  const names = new Map([...parameters.keys()].map((name) => [authorsName(model, name), name]));
  checkLayers(names.keys(), tensors.keys());
  for (const [theirs, name] of names) {
    const { shape, dtype } = parameters.get(name)!;
    const value = tensors.get(theirs);
    if (value === undefined) {
      const choice = choiceBehind(model, theirs, tensors.keys());
      throw new StriateError(
        `state dictionary: "${theirs}" (our "${name}") is missing` +
          (choice ? `: the network has ${choice.having}, but the dictionary has ${choice.lacking}` : ""),
      );
    }
    if (value.dtype !== dtype || withoutOnes(value.shape) !== withoutOnes(shape)) {
      throw new StriateError(
        `state dictionary: "${theirs}": expected ${dtype}${showShape(shape)}, got ${value.dtype}${showShape(value.shape)}`,
      );
    }
    state.set(name, { ...value, shape: shape as readonly number[] });
  }
  for (const theirs of tensors.keys()) {
    if (names.has(theirs) || SPARE.some((spare) => spare.test(theirs))) continue;
    const choice = choiceBehind(model, theirs, names.keys());
    throw new StriateError(
      `state dictionary: the network has no parameter for "${theirs}"` +
        (choice ? `: the dictionary has ${choice.having}, but the network has ${choice.lacking}` : ""),
    );
  }
  return state;
}

/**
 * Throws {@link StriateError} unless the network and the dictionary have the same number of layers. The
 * arguments are their parameter names in the authors' code.
 */
function checkLayers(network: Iterable<string>, dictionary: Iterable<string>): void {
  const [ours, theirs] = [layersOf(network), layersOf(dictionary)];
  if (theirs === ours || theirs === 0) return;
  throw new StriateError(`state dictionary: expected ${ours} layers, as the network has, got ${theirs}`);
}

function layersOf(names: Iterable<string>): number {
  const layers = Array.from(names, (name) => /^(?:layers|transformer_encoder)\.(\d+)\./.exec(name)?.[1]);
  return new Set(layers.filter((layer) => layer !== undefined)).size;
}

function withoutOnes(shape: readonly (number | string)[]): string {
  return shape.filter((length) => length !== 1).join();
}
