import type { TensorData } from "../../graph/index.js";
import { tensorData } from "../../graph/index.js";
import type { NamedParameters, State } from "../../nn/module.js";
import { checkTensor } from "../../util/check.js";
import { StriateError } from "../../util/errors.js";

/*
 * These tables translate our parameter names to the names in the state dictionaries of the authors' code
 * (github.com/S4b1n3/KomplexNet).
 */

type NameTable = readonly (readonly [ours: string, theirs: string])[];

const KOMPLEXNET: NameTable = [
  ["coupling", "kernel_kuramoto"],
  ["frontEnd.weight", "downsampling.weight"],
  ["frontEnd.map", "downsampling.kernel_conv"],
  ["frontEnd.norm", "downsampling.norm"],
  ["stages.convolution.map", "convA.kernel_conv"],
  ["stages.convolution.norm", "convA.norm"],
  ["stages.hidden.map", "classif1.1.weights"],
  ["stages.hidden.norm", "classif1.1.norm"],
  ["stages.readout.map", "classif2.weights"],
  ["feedback.fromConvolution", "kernel_kuramoto_l2"],
  ["feedback.fromHidden", "kernel_kuramoto_l3"],
  ["feedback.fromReadout", "kernel_kuramoto_l4"],
];

const REAL_BASELINE: NameTable = [
  ["frontEnd.weight", "downsampling.weight"],
  ["convolutionNorm", "normA"],
  ["convolution", "convA"],
  ["hiddenNorm", "classif.2"],
  ["hidden", "classif.1"],
  ["readout", "classif.4"],
];

const TRANSFORMER_BASELINE: NameTable = [
  ["positions", "pos_embed"],
  ["patches", "patch_embed"],
  ["readout", "head"],
];

const ENCODER_LAYER: NameTable = [
  ["attention.inProjWeight", "self_attn.in_proj_weight"],
  ["attention.inProjBias", "self_attn.in_proj_bias"],
  ["attention.outProj", "self_attn.out_proj"],
  ["attentionNorm", "norm1"],
  ["expand", "linear1"],
  ["contract", "linear2"],
  ["feedForwardNorm", "norm2"],
];

/** A network of the authors' code. */
export type AuthorsModel = "komplexnet" | "realBaseline" | "transformerBaseline";

/**
 * Translates the name of one of our parameters to the authors' name. Throws {@link StriateError} if the model has no
 * such parameter.
 */
export function authorsName(model: AuthorsModel, name: string): string {
  const layer = model === "transformerBaseline" ? /^layers\.(\d+)\.(.+)$/.exec(name) : null;
  if (layer) return `transformer.layers.${layer[1]!}.${translate(ENCODER_LAYER, layer[2]!, name)}`;
  const tables = {
    komplexnet: KOMPLEXNET,
    realBaseline: REAL_BASELINE,
    transformerBaseline: TRANSFORMER_BASELINE,
  };
  return translate(tables[model], name, name);
}

function translate(table: NameTable, path: string, name: string): string {
  for (const [ours, theirs] of table) {
    if (path === ours) return theirs;
    if (path.startsWith(`${ours}.`)) return theirs + path.slice(ours.length);
  }
  throw new StriateError(`parameter "${name}" has no counterpart in the authors' code`);
}

/** Fixed numbers that the authors' code stores as parameters. Here they are options of the configuration. */
export interface AuthorsScalars {
  readonly desynchrony?: number;
  readonly rate?: number;
  readonly feedbackRates?: readonly [convolution: number, hidden: number, readout: number];
  readonly feedbackDesynchrony?: number;
}

/** Returns the fixed numbers in a state dictionary as options for the model that loads it. */
export function authorsScalars(dictionary: ReadonlyMap<string, TensorData>): AuthorsScalars {
  const scalar = (name: string) => {
    const value = dictionary.get(name)?.data[0];
    return value === undefined ? undefined : Number(value);
  };
  const [desynchrony, rate, feedbackDesynchrony] = ["epsilon", "lr_kuramoto", "epsilon_l2"].map(scalar);
  const [l2, l3, l4] = ["l2", "l3", "l4"].map((layer) => scalar(`lr_kuramoto_${layer}`));
  return {
    ...(desynchrony !== undefined && { desynchrony }),
    ...(rate !== undefined && { rate }),
    ...(feedbackDesynchrony !== undefined && { feedbackDesynchrony }),
    ...(l2 !== undefined && l3 !== undefined && l4 !== undefined && { feedbackRates: [l2, l3, l4] as const }),
  };
}

/**
 * Converts the authors' state dictionary to a state for our model. Tensors that the model does not use are
 * ignored: the read-out's norm and the fixed numbers of {@link AuthorsScalars}. Throws {@link StriateError}
 * if a parameter is missing or has the wrong shape.
 */
export function fromAuthors(
  model: AuthorsModel,
  parameters: NamedParameters,
  dictionary: ReadonlyMap<string, TensorData>,
): State {
  const state: State = new Map();
  for (const [name, parameter] of parameters) {
    const theirs = authorsName(model, name);
    const value = dictionary.get(theirs);
    if (value === undefined)
      throw new StriateError(`state dictionary: "${theirs}" (our "${name}") is missing`);
    checkTensor(`state dictionary: "${theirs}"`, value, parameter.dtype, parameter.shape);
    state.set(name, value);
  }
  return state;
}

/**
 * Converts a state to the authors' state dictionary. Tensors that our model does not have are taken from
 * `rest`: the fixed numbers of {@link AuthorsScalars}, and the read-out's norm, which the authors' code
 * creates but never uses. Without `rest`, the norm has scale 1 and bias 0.
 */
export function toAuthors(
  model: AuthorsModel,
  state: State,
  rest: ReadonlyMap<string, TensorData> = new Map(),
): Map<string, TensorData> {
  const renamed = new Map([...state].map(([name, value]) => [authorsName(model, name), value]));
  const readout = model === "komplexnet" ? renamed.get("classif2.weights.weight") : undefined;
  if (readout === undefined) return new Map([...rest, ...renamed]);
  const classes = readout.shape[0]!;
  const unused = new Map([
    ["classif2.norm.weight", tensorData(new Float32Array(classes).fill(1))],
    ["classif2.norm.bias", tensorData(new Float32Array(classes))],
  ]);
  return new Map([...unused, ...rest, ...renamed]);
}
