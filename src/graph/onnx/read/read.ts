import { clone, fromBinary } from "@bufbuild/protobuf";
import { StriateError } from "../../../util/errors.js";
import type { Shape } from "../../dims.js";
import { FixedLengthError } from "../../dims.js";
import type { Tensor } from "../../tensor.js";
import type { GraphProto, ModelProto } from "../generated/onnx_pb.js";
import { ModelProtoSchema } from "../generated/onnx_pb.js";
import type { ExternalData } from "./external-data.js";
import { isExternal, locationOf, storedTensors, tensorsIn } from "./external-data.js";
import type { NoiseKind } from "../convert/conversion.js";
import { NEWEST_OPSET, isStandardDomain } from "../standard-operators.js";
import { alignInPlace } from "./align.js";
import { otherFile } from "./other-files.js";
import { InputReader, named } from "./graph-inputs.js";
import type { ImportedParameter, ReadContext, ReadGraph } from "./read-graph.js";
import { GraphReader } from "./read-graph.js";

/** Options for reading an ONNX model. */
export interface ReadOptions {
  /** Source of the values that the model stores outside its file. */
  readonly externalData?: ExternalData;
  /**
   * Shapes of inputs by name, to fix or rename the lengths that the file gives: `{ x: ["batch", 3, 64, 64] }`.
   * An input `s` that is a sequence becomes one input for each tensor, whose shapes are given as `s_0`, `s_1` and so on.
   */
  readonly inputShapes?: Readonly<Record<string, Shape>>;
  /**
   * Fixed values of inputs, by name: one number for all elements, or one for each element. Such an input
   * becomes a constant, so that conditions of If and lengths that depend on it are known.
   */
  readonly inputValues?: Readonly<Record<string, number | readonly number[]>>;
  /** Name of the file in error messages. Default "ONNX model". */
  readonly what?: string;
}

/** An ONNX model as a graph, which can be cut, differentiated, trained and written. */
export interface ImportedModel {
  /**
   * The inputs, by name, in the order of the file. If the file names an axis but its graph fixes the length
   * (for example because an exporter wrote the batch size into a Reshape), the axis has that length.
   */
  readonly inputs: Readonly<Record<string, Tensor>>;
  /** The outputs, by name. An output `s` that is a sequence becomes the outputs `s_0`, `s_1` and so on. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** All named values; a model can be cut at any of them. */
  readonly values: ReadonlyMap<string, Tensor>;
  /** The first result of every named node. */
  readonly nodes: ReadonlyMap<string, Tensor>;
  /**
   * The parameters, with their values: named float32 initializers of rank 1 and above, except for settings of
   * operators. Running statistics are among them, but they are not trainable.
   */
  readonly parameters: ReadonlyMap<string, ImportedParameter>;
  /**
   * Inputs that the reader adds for the random numbers that operators of the file draw (RandomNormal,
   * Bernoulli, Dropout in training mode). The numbers must be standard normal or uniform in [0, 1). Each
   * input is named `noise:NODE` after its node. Random seeds in the file are ignored.
   */
  readonly noise: Readonly<Record<string, NoiseKind>>;
  /** Version of the standard operators (opset) in the file. The graph is always in the form of opset 18. */
  readonly opset: number;
  readonly producer: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const OLDEST_OPSET = 1;
const LARGEST_FILE = 2 ** 31 - 1;

/** A parsed ONNX file, which can be read several times. */
export class OnnxFile {
  /** Size of the file in bytes. */
  readonly size: number;
  readonly #model: ModelProto;
  readonly #graph: GraphProto;
  readonly #owned: boolean;

  /**
   * @param what name of the file in error messages
   * @param externalData the values that the model stores outside its file
   * @param owned whether the model may own the bytes: it then changes them and uses them as the memory of its
   * values instead of a copy, so nothing else may use them. Default false.
   * @throws StriateError if the bytes are not an ONNX model
   */
  constructor(
    bytes: Uint8Array,
    readonly what = "ONNX model",
    readonly externalData?: ExternalData,
    { owned = false }: { readonly owned?: boolean } = {},
  ) {
    this.size = bytes.byteLength;
    this.#model = parseOnnx(bytes, what);
    this.#graph = graphOf(this.#model, what);
    this.#owned = owned;
    if (!owned) return;
    for (const tensor of this.#graph.initializer)
      alignInPlace(tensor, `${what}: initializer "${tensor.name}"`);
  }

  /** A copy of the model's protobuf message with all fields of the file, for code that changes the model. */
  copy(): ModelProto {
    return clone(ModelProtoSchema, this.#model);
  }

  /** Names of the files beside the model that hold its values. */
  get locations(): readonly string[] {
    const inFunctions = this.#model.functions.flatMap(({ node }) => [...tensorsIn(node)]);
    const found = [...storedTensors(this.#graph), ...inFunctions].filter(isExternal);
    return [...new Set(found.map(locationOf).filter((name) => name !== undefined))];
  }

  /** Reads the model as {@link readOnnx} does. */
  read({
    inputShapes = {},
    inputValues = {},
    externalData = this.externalData,
  }: Omit<ReadOptions, "what"> = {}): ImportedModel {
    const model = this.#model;
    const what = this.what;
    const opset = opsetOf(model, what);
    const { functions } = model;
    const listed = this.#graph.input.map(({ name }) => name);
    checkNames("inputValues", inputValues, listed, what);
    const read = readGraph(this.#graph, {
      what,
      opset,
      inputShapes,
      inputValues,
      functions,
      externalData,
      valuesStay: this.#owned,
    });
    const valued = Object.keys(inputValues);
    checkNames("inputShapes", inputShapes, [...Object.keys(read.inputs), ...valued], what);
    return {
      ...read,
      opset,
      producer: [model.producerName, model.producerVersion].filter((part) => part !== "").join(" "),
      metadata: Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value])),
    };
  }
}

function checkNames(option: string, given: object, names: readonly string[], what: string): void {
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new StriateError(
      `${what}: ${option}: expected an input of the model, one of ${names.join(", ")}, got "${unknown}"`,
    );
}

/**
 * Reads an ONNX model (standard operators, opsets 1 to 28) as a graph. Axes keep their names, shape
 * arithmetic is computed, and every operator is converted to the form of opset 18. Scalars and integer
 * tensors become constants. Values in other files need `externalData`.
 *
 * @throws StriateError if the bytes are not a valid model, or the model cannot be imported; the error names the node
 * @example
 * ```ts
 * import { readOnnx } from "striate";
 * import { input, lower, relu, writeOnnx } from "striate/graph";
 *
 * const { bytes } = writeOnnx(lower({ y: relu(input("x", ["batch", 4])) }, "portable"));
 * const model = readOnnx(bytes);
 * console.log(model.outputs["y"]!.shape.join(", ")); // batch, 4
 * ```
 */
export function readOnnx(bytes: Uint8Array, options: ReadOptions = {}): ImportedModel {
  return new OnnxFile(bytes, options.what, options.externalData).read(options);
}

/** Reads the graph. If it is right for only one length of a named axis, reads it again with this length. */
function readGraph(graph: GraphProto, context: ReadContext): ReadGraph {
  try {
    return new GraphReader(graph, context).read();
  } catch (error) {
    const fixed = error instanceof StriateError ? error.cause : undefined;
    if (!(fixed instanceof FixedLengthError)) throw error;
    const inputShapes = fixedShapes(graph, context, fixed);
    if (inputShapes === undefined) throw error;
    return readGraph(graph, { ...context, inputShapes });
  }
}

/** Shapes of the inputs with a named axis fixed, or undefined if no input has the axis. */
function fixedShapes(
  graph: GraphProto,
  { what, inputShapes }: ReadContext,
  { symbol, length }: FixedLengthError,
): Record<string, Shape> | undefined {
  const reader = new InputReader(what, inputShapes);
  const initializers = new Set(graph.initializer.map(({ name }) => name));
  const shapes = graph.input
    .filter(({ name }) => !initializers.has(name))
    .flatMap((info) => named(info.name, reader.read(info)))
    .map(([name, tensor]) => [name, tensor.shape] as const);
  if (!shapes.some(([, shape]) => shape.includes(symbol))) return undefined;
  return Object.fromEntries(
    shapes.map(([name, shape]) => [name, shape.map((dim) => (dim === symbol ? length : dim))]),
  );
}

/**
 * Parses the bytes of an ONNX file. Throws {@link StriateError} if they are not an ONNX file, or are more
 * than one file can hold.
 */
function parseOnnx(bytes: Uint8Array, what: string): ModelProto {
  if (bytes.byteLength > LARGEST_FILE) {
    throw new StriateError(
      `${what}: ${bytes.byteLength} bytes are more than the 2 GB that an ONNX file can have`,
    );
  }
  const other = otherFile(bytes);
  if (other !== undefined) throw new StriateError(`${what}: expected an ONNX file, got ${other}`);
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StriateError(`${what} is damaged or not an ONNX file: ${why}`);
  }
}

function graphOf(model: ModelProto, what: string): GraphProto {
  if (model.graph === undefined) throw new StriateError(`${what} has no graph: is it an ONNX file?`);
  return model.graph;
}

function opsetOf(model: ModelProto, what: string): number {
  const versions = model.opsetImport.filter(({ domain }) => domain === "" || domain === "ai.onnx");
  const [standard] = versions;
  // A file may have operators of the standard's other domains only.
  if (standard === undefined && model.opsetImport.some(({ domain }) => isStandardDomain(domain)))
    return NEWEST_OPSET;
  if (standard === undefined || versions.length > 1) {
    throw new StriateError(`${what}: expected one version of the standard operators, got ${versions.length}`);
  }
  const opset = Number(standard.version);
  if (opset < OLDEST_OPSET || opset > NEWEST_OPSET) {
    throw new StriateError(
      `${what}: expected opset ${OLDEST_OPSET} to ${NEWEST_OPSET}, got ${opset}; convert the model to one of these`,
    );
  }
  return opset;
}
