import type { Tensor, TensorData } from "../../../src/graph/index.js";
import { gradients, input, tensorData } from "../../../src/graph/index.js";
import type { NamedParameters, State } from "../../../src/nn/module.js";
import { namedParameters } from "../../../src/nn/module.js";
import type {
  AuthorsModel,
  NaturalFrequencyOptions,
  StimulusNorm,
} from "../../../src/systems/akorn/index.js";
import { authorsName, boardDigits, fromAuthors } from "../../../src/systems/akorn/index.js";
import { check } from "../../../src/util/errors.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf, withPrefix } from "../golden-case.js";

export function numberOf({ config, file }: GoldenCase, name: string, fallback?: number): number {
  const value = config[name] ?? fallback;
  check(typeof value === "number", () => `${file}: config ${name} is ${JSON.stringify(value)}`);
  return value;
}

export function flagOf({ config, file }: GoldenCase, name: string, fallback: boolean): boolean {
  const value = config[name] ?? fallback;
  check(typeof value === "boolean", () => `${file}: config ${name} is ${JSON.stringify(value)}`);
  return value;
}

export function wordOf({ config, file }: GoldenCase, name: string, fallback: string): string {
  const value = config[name] ?? fallback;
  check(typeof value === "string", () => `${file}: config ${name} is ${JSON.stringify(value)}`);
  return value;
}

/** The authors' words for options of a Kuramoto layer. */
export function layerOptions(golden: GoldenCase): {
  readonly rotatingDimensions: number;
  readonly stimulusNorm: StimulusNorm;
  readonly omega: NaturalFrequencyOptions | false;
  readonly project: boolean;
} {
  const norms: Readonly<Record<string, StimulusNorm>> = { gn: "group", sandb: "scaleAndBias", none: "none" };
  const norm = golden.config.c_norm === null ? "none" : norms[wordOf(golden, "c_norm", "gn")];
  check(norm, () => `${golden.file}: config c_norm is ${JSON.stringify(golden.config.c_norm)}`);
  return {
    rotatingDimensions: numberOf(golden, "n"),
    stimulusNorm: norm,
    project: flagOf(golden, "apply_proj", true),
    omega: flagOf(golden, "use_omega", false) && {
      initial: numberOf(golden, "init_omg", 1),
      shared: flagOf(golden, "global_omg", false),
      trained: flagOf(golden, "learn_omg", true),
    },
  };
}

/** A model of ours with a case's parameters. */
export interface Loaded {
  readonly kind: AuthorsModel;
  readonly parameters: NamedParameters;
  readonly state: State;
}

export function load(kind: AuthorsModel, model: object, dictionary: ReadonlyMap<string, TensorData>): Loaded {
  const parameters = namedParameters(model);
  return { kind, parameters, state: fromAuthors(kind, parameters, dictionary) };
}

export function parametersOf(golden: GoldenCase): Map<string, TensorData> {
  return withPrefix(golden, "param.");
}

/** An input of ours for a tensor of the case. */
export function inputFor(golden: GoldenCase, name: string): Tensor {
  const { shape, dtype } = tensorOf(golden, name);
  return input(name, shape, dtype);
}

/** The gradients that a case wants, "grad.param.NAME" and "grad.input.NAME". */
export function wantedGradients(
  golden: GoldenCase,
  loss: Tensor,
  { kind, parameters }: Pick<Loaded, "kind" | "parameters">,
  inputs: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  const tensors = new Map([
    ...Array.from(parameters, ([name, tensor]) => [`grad.param.${authorsName(kind, name)}`, tensor] as const),
    ...Object.entries(inputs).map(([name, tensor]) => [`grad.input.${name}`, tensor] as const),
  ]);
  const names = [...tensors.keys()].filter((name) => golden.tensors.has(name));
  if (names.length === 0) return {};
  const found = gradients(
    loss,
    names.map((name) => tensors.get(name)!),
  );
  return Object.fromEntries(names.map((name, i) => [name, found[i]!]));
}

/** Boards of a case, one-hot in the file, as digits [boards, 9, 9]. */
export function digitsOf({ data, shape }: TensorData): TensorData {
  const digits = boardDigits(Float32Array.from(data as ArrayLike<number>, Number));
  return tensorData(Float32Array.from(digits), shape.slice(0, -1));
}

/** Element i along the first axis. */
export function elementOf({ dtype, shape, data }: TensorData, i: number): TensorData {
  const size = data.length / shape[0]!;
  return { dtype, shape: shape.slice(1), data: data.slice(i * size, (i + 1) * size) };
}
