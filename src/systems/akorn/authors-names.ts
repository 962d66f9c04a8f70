import type { TensorData } from "../../graph/index.js";
import { showShape } from "../../graph/index.js";
import type { NamedParameters, State } from "../../nn/module.js";
import { StriateError } from "../../util/errors.js";

/*
 * Names in the state dictionaries of the authors' code (github.com/autonomousvision/akorn), pattern for pattern. Some of
 * their tensors have further axes of length 1: attention's 1 x 1 convolutions, which are matrices here, and norms.
 */

/** Which of the authors' modules a state belongs to. */
export type AuthorsModel =
  | "objectNetwork"
  | "sudokuNetwork"
  | "recognitionNetwork"
  | "iterativeObjectNetwork"
  | "sudokuTransformer"
  | "kuramotoLayer"
  | "attention"
  | "readout";

type Rules = readonly (readonly [ours: RegExp, theirs: string])[];

/** Every rule is applied once, one after the other. */
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

/** Over maps the authors' own layer norm has other names than PyTorch's. */
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
  sudokuNetwork: [...OSCILLATORS, [/^out\./, "out.1."]],
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

/** The authors' name of one of our parameters. */
export function authorsName(model: AuthorsModel, name: string): string {
  return [...MODELS[model], ...PARTS].reduce((text, [ours, theirs]) => text.replace(ours, theirs), name);
}

/**
 * A state for our model from the authors' state dictionary; what the model does not have is left out.
 *
 * @throws StriateError for a parameter that is missing or of another shape
 */
export function fromAuthors(
  model: AuthorsModel,
  parameters: NamedParameters,
  dictionary: ReadonlyMap<string, TensorData>,
): State {
  const state: State = new Map();
  for (const [name, { shape, dtype }] of parameters) {
    const theirs = authorsName(model, name);
    const value = dictionary.get(theirs);
    if (value === undefined)
      throw new StriateError(`state dictionary: "${theirs}" (our "${name}") is missing`);
    if (value.dtype !== dtype || withoutOnes(value.shape) !== withoutOnes(shape)) {
      throw new StriateError(
        `state dictionary: "${theirs}" is ${value.dtype}${showShape(value.shape)}, expected ${dtype}${showShape(shape)}`,
      );
    }
    state.set(name, { ...value, shape: shape as readonly number[] });
  }
  return state;
}

function withoutOnes(shape: readonly (number | string)[]): string {
  return shape.filter((length) => length !== 1).join();
}
