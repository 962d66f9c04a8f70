import { preprocessingFromMetadata, preprocessingMetadata } from "../data/images/preprocessing.js";
import type { Preprocessing } from "../data/images/preprocessing.js";
import type { Dim, Tensor } from "../graph/index.js";
import { isStaticShape } from "../graph/dims.js";
import { constant, showShape } from "../graph/index.js";
import { inputsOf } from "../graph/topological-order.js";
import type { ImportedModel } from "../graph/onnx/read/read.js";
import { StriateError, check } from "../util/errors.js";
import type { Json } from "../util/json.js";
import { isJsonObject, parseStrictJson } from "../util/json.js";
import { unknownName } from "../util/suggest.js";
import type { NoiseKind } from "./task.js";

/** An input of a model that takes noise, which is drawn for every image. */
export interface NoiseInput {
  /** The distribution of the noise: uniform in [0, 1), or normal with mean 0 and variance 1. */
  readonly distribution: NoiseKind;
  /** Shape of the input; a name stands for any length, such as that of the batch. */
  readonly shape?: readonly Dim[];
}

/**
 * The initial value of a state: one number for all elements, or random numbers. Normal ones have mean 0 and
 * variance 1; uniform ones lie in a range [low, high).
 */
export type StateStart =
  | { readonly value: number }
  | { readonly distribution: "normal" }
  | { readonly distribution: "uniform"; readonly range: readonly [low: number, high: number] };

/** An input of a model that takes the state after the previous step. */
export interface StateInput {
  /** Name of the output whose value becomes this input at the next step. */
  readonly output: string;
  readonly start: StateStart;
}

/** An output of a model whose first axis is time: it has a value for every timestep. */
export interface Timesteps {
  readonly output: string;
  /** Number of timesteps, which are counted from 0. */
  readonly count: number;
}

/**
 * The facts that are needed, in addition to the graph, to run a model correctly. Files that Striate writes
 * contain them.
 */
export interface ModelDescription {
  readonly preprocessing?: Preprocessing | undefined;
  readonly noise?: Readonly<Record<string, NoiseInput>>;
  /** Default values of inputs, such as hyper-parameters. */
  readonly inputs?: Readonly<Record<string, readonly number[]>>;
  readonly timesteps?: Timesteps;
  /** State inputs, for a model that computes one timestep. */
  readonly state?: Readonly<Record<string, StateInput>>;
  /** Names of the classes in the order of the scores. */
  readonly classes?: readonly string[];
  /** "several" if an image may have more than one label; the score of each class is then independent of the others. */
  readonly labels?: "one" | "several";
  /** Name of the system. */
  readonly system?: string;
  readonly configuration?: Json;
}

const PREFIX = "striate.";
const NOISE = `${PREFIX}noise.`;
const INPUT = `${PREFIX}input.`;
const STATE = `${PREFIX}state.`;

/** Converts a description to metadata of an ONNX file, which {@link describeModel} reads. */
export function modelMetadata(description: ModelDescription): Record<string, string> {
  const { preprocessing, noise = {}, inputs = {}, state = {}, ...rest } = description;
  return {
    ...(preprocessing && preprocessingMetadata(preprocessing)),
    ...keyed(NOISE, noise),
    ...keyed(
      INPUT,
      mapValues(inputs, (values) => ({ default: values })),
    ),
    ...keyed(STATE, state),
    ...keyed(PREFIX, rest),
  };
}

/** The metadata of a model with another description; entries of other programs stay. */
export function withDescription(
  metadata: Readonly<Record<string, string>>,
  description: ModelDescription,
): Record<string, string> {
  const others = Object.entries(metadata).filter(([key]) => !key.startsWith(PREFIX));
  return { ...Object.fromEntries(others), ...modelMetadata(description) };
}

function keyed(prefix: string, values: object): Record<string, string> {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([key, value]) => [`${prefix}${key}`, JSON.stringify(value)]));
}

function mapValues<A, B>(values: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}

/**
 * Reads the description in a model's metadata. Entries of other programs are ignored.
 *
 * @param what names the model in errors
 * @throws StriateError for an entry of Striate that is invalid
 *
 * @example
 * ```ts
 * import { describeModel, readOnnx } from "striate";
 * import { readFile } from "node:fs/promises";
 *
 * const { timesteps } = describeModel(readOnnx(await readFile("model.onnx")).metadata, "model.onnx");
 * ```
 */
export function describeModel(metadata: Readonly<Record<string, string>>, what: string): ModelDescription {
  const preprocessing = preprocessingFromMetadata(metadata, what);
  const read = <T>(key: string, isOne: (value: unknown) => value is T): T | undefined => {
    const name = `${PREFIX}${key}`;
    return Object.hasOwn(metadata, name) ? parsed(metadata[name]!, isOne, name, what) : undefined;
  };
  const all = <T>(prefix: string, isOne: (value: unknown) => value is T): Record<string, T> =>
    Object.fromEntries(
      Object.entries(metadata)
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, text]) => [key.slice(prefix.length), parsed(text, isOne, key, what)]),
    );
  const timesteps = read("timesteps", isTimesteps);
  const classes = read("classes", isTexts);
  const labels = read("labels", isLabels);
  const system = read("system", isText);
  const configuration = read("configuration", isJson);
  return {
    noise: all(NOISE, isNoise),
    inputs: mapValues(all(INPUT, isDefault), (entry) => entry.default),
    state: all(STATE, isState),
    ...(preprocessing && { preprocessing }),
    ...(timesteps && { timesteps }),
    ...(classes && { classes }),
    ...(labels && { labels }),
    ...(system !== undefined && { system }),
    ...(configuration !== undefined && { configuration }),
  };
}

function parsed<T>(text: string, isOne: (value: unknown) => value is T, key: string, what: string): T {
  const where = `${what}: its metadata "${key}"`;
  const value = parseStrictJson(text, where);
  if (!isOne(value)) throw new StriateError(`${where}: invalid value ${text.slice(0, 200)}`);
  return value;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);
const isJson = (value: unknown): value is Json => value !== undefined;
const isLabels = (value: unknown): value is "one" | "several" => value === "one" || value === "several";
const isTimesteps = (value: unknown): value is Timesteps =>
  isJsonObject(value) &&
  isText(value.output) &&
  Number.isSafeInteger(value.count) &&
  (value.count as number) > 0;
const isNoise = (value: unknown): value is NoiseInput =>
  isJsonObject(value) && (value.distribution === "uniform" || value.distribution === "normal");
const isState = (value: unknown): value is StateInput =>
  isJsonObject(value) && isText(value.output) && isStart(value.start);
const isStart = (value: unknown): value is StateStart =>
  isJsonObject(value) &&
  (typeof value.value === "number" ||
    value.distribution === "normal" ||
    (value.distribution === "uniform" && isRange(value.range)));
const isRange = (value: unknown): boolean => {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [low, high] = value as readonly unknown[];
  return typeof low === "number" && typeof high === "number" && low < high;
};
const isDefault = (value: unknown): value is { readonly default: readonly number[] } =>
  isJsonObject(value) &&
  Array.isArray(value.default) &&
  value.default.every((entry) => typeof entry === "number");

/** What the user says about a model's inputs, in addition to the facts in its file. */
export interface StatedInputs {
  /** For each input that takes noise, the distribution of the noise. */
  readonly noise?: Readonly<Record<string, NoiseKind>>;
  /** Constant values of inputs: one number for all elements of the input, or one for each. */
  readonly inputs?: Readonly<Record<string, readonly number[]>>;
}

/** The purposes of a model's inputs. */
export interface InputRoles {
  /**
   * For each input that takes noise, the distribution of the noise. These inputs come from the model's own
   * random operators, from its file or from the user.
   */
  readonly noise: Readonly<Record<string, NoiseKind>>;
  readonly values: Readonly<Record<string, readonly number[]>>;
  /** Names of the remaining inputs: usually one, the images. */
  readonly others: readonly string[];
}

/**
 * Sorts the inputs of a model by purpose. What the user says overrides what the file says.
 *
 * @param what names the model in errors
 * @throws StriateError for a name that is not an input of the model
 */
export function inputRoles(
  model: Pick<ImportedModel, "inputs" | "noise">,
  description: ModelDescription,
  what: string,
  stated: StatedInputs = {},
): InputRoles {
  const names = Object.keys(model.inputs);
  for (const key of [...Object.keys(stated.noise ?? {}), ...Object.keys(stated.inputs ?? {})])
    check(names.includes(key), () => `${what}: ${unknownName("input", key, names)}`);
  for (const key of [...Object.keys(description.noise ?? {}), ...Object.keys(description.inputs ?? {})])
    check(names.includes(key), () => `${what}: its metadata describe an ${unknownName("input", key, names)}`);
  const described = Object.entries(description.noise ?? {}).map(
    ([key, { distribution }]) => [key, distribution] as const,
  );
  const drawn = { ...model.noise, ...Object.fromEntries(described), ...stated.noise };
  const noise = Object.fromEntries(
    Object.entries(drawn).filter(([key]) => stated.inputs?.[key] === undefined),
  );
  const known = Object.entries({ ...description.inputs, ...stated.inputs });
  const values = Object.fromEntries(known.filter(([key]) => noise[key] === undefined));
  const others = names.filter((key) => noise[key] === undefined && values[key] === undefined);
  return { noise, values, others };
}

/**
 * Replaces an input of a model by a constant, such as its default values.
 *
 * @throws StriateError if the input's shape is not fixed, or unless there is one value for each of its
 * elements or one for all of them
 */
export function inputValue(input: Tensor, values: readonly number[], what: string): Tensor {
  const { shape, dtype } = input;
  check(isStaticShape(shape), () => `${what}: its shape ${showShape(shape)} is not fixed`);
  const size = shape.reduce((a, b) => a * b, 1);
  check(
    values.length === size || values.length === 1,
    () => `${what} is ${dtype}${showShape(shape)}: expected ${size} values, got ${values.length}`,
  );
  return constant(values.length === size ? values : Array<number>(size).fill(values[0]!), shape, dtype);
}

/** Describes the noise inputs on which the outputs depend. */
export function noiseInputs(
  outputs: Readonly<Record<string, Tensor>>,
  kinds: Readonly<Record<string, NoiseKind>>,
): Record<string, NoiseInput> {
  return Object.fromEntries(
    [...inputsOf(Object.values(outputs))].flatMap(([name, { shape }]) => {
      const distribution = kinds[name];
      return distribution === undefined ? [] : [[name, { distribution, shape }] as const];
    }),
  );
}

/** Returns the names of the inputs on which the outputs depend. */
export function inputNames(outputs: Readonly<Record<string, Tensor>>): ReadonlySet<string> {
  return new Set(inputsOf(Object.values(outputs)).keys());
}
