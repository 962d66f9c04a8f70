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
import { alignInPlace } from "./align.js";
import { otherFile } from "./other-files.js";
import { InputReader } from "./graph-inputs.js";
import type { ImportedParameter, ReadContext, ReadGraph } from "./read-graph.js";
import { GraphReader } from "./read-graph.js";

/** What reading an ONNX model can be told. */
export interface ReadOptions {
  /** Where the values lie that the model keeps outside of its file. */
  readonly externalData?: ExternalData;
  /** Shapes of inputs by name, to fix or rename the lengths that the file gives: `{ x: ["batch", 3, 64, 64] }`. */
  readonly inputShapes?: Readonly<Record<string, Shape>>;
  /**
   * Values of inputs that always stay the same, by name: one number for all elements, or one for each. Such an input becomes a
   * constant, so that an If whose condition it decides, or a length that it gives, is known.
   */
  readonly inputValues?: Readonly<Record<string, number | readonly number[]>>;
  /** How messages call the file, default "ONNX model". */
  readonly what?: string;
}

/** An ONNX model as a graph: it can be cut, differentiated, trained and written again. */
export interface ImportedModel {
  /**
   * What is fed, by name in the file's order. An axis that the file names but whose length its graph fixes (an exporter wrote
   * the batch into a Reshape, say) has that length.
   */
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Every named value, so that a model can be cut at any of them. */
  readonly values: ReadonlyMap<string, Tensor>;
  /** The first result of every named node. */
  readonly nodes: ReadonlyMap<string, Tensor>;
  /** float32 initializers of rank 1 and above, named and trainable (running statistics are not), with their values. */
  readonly parameters: ReadonlyMap<string, ImportedParameter>;
  /**
   * Inputs that the file does not have: random numbers that its operators draw (RandomNormal, Bernoulli, Dropout in training
   * mode), standard normal or uniform in [0, 1). Each is named `noise:NODE` after its node. Seeds in the file are ignored.
   */
  readonly noise: Readonly<Record<string, NoiseKind>>;
  /** Version of the standard operators in the file; the graph is in the form of 18. */
  readonly opset: number;
  readonly producer: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const OLDEST_OPSET = 1;
const NEWEST_OPSET = 26;
const LARGEST_FILE = 2 ** 31 - 1;

/** An ONNX model as its file holds it, parsed once, read as often as needed. */
export class OnnxFile {
  /** Bytes that the file takes. */
  readonly size: number;
  readonly #model: ModelProto;
  readonly #graph: GraphProto;
  readonly #owned: boolean;

  /**
   * @param what how messages call the file
   * @param externalData the values that the model stores outside of its file
   * @param owned says that nobody else uses the bytes: they are changed, and become the memory of the model's values, of which
   * there is then no copy. Default false.
   * @throws StriateError for bytes that are no ONNX model
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

  /** The model as the file has it, with what is not known here, too, for whoever changes it. */
  copy(): ModelProto {
    return clone(ModelProtoSchema, this.#model);
  }

  /** Names of the files beside the model that hold its values. */
  get locations(): readonly string[] {
    const inFunctions = this.#model.functions.flatMap(({ node }) => [...tensorsIn(node)]);
    const found = [...storedTensors(this.#graph), ...inFunctions].filter(isExternal);
    return [...new Set(found.map(locationOf).filter((name) => name !== undefined))];
  }

  /** As {@link readOnnx}. */
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
      `${what}: ${option} names "${unknown}", the model's inputs are ${names.join(", ")}`,
    );
}

/**
 * Reads an ONNX model (standard operators, opsets 1 to 26) as a graph of ours: named axes kept, shape arithmetic worked
 * out, every form of an operator brought to that of opset 18. Other scalars and whole numbers become constants. Values that
 * lie in other files need `externalData`.
 *
 * @throws StriateError for bytes that are no valid model and for whatever cannot be imported; it names the node.
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

/** Reads the graph; with the length of a named axis for which alone it is right, if there is one. */
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

/** Shapes of the inputs with a named axis fixed; undefined if no input has it. */
function fixedShapes(
  graph: GraphProto,
  { what, inputShapes }: ReadContext,
  { symbol, length }: FixedLengthError,
): Record<string, Shape> | undefined {
  const reader = new InputReader(what, inputShapes);
  const initializers = new Set(graph.initializer.map(({ name }) => name));
  const shapes = graph.input
    .filter(({ name }) => !initializers.has(name))
    .map((info) => [info.name, reader.read(info).shape] as const);
  if (!shapes.some(([, shape]) => shape.includes(symbol))) return undefined;
  return Object.fromEntries(
    shapes.map(([name, shape]) => [name, shape.map((dim) => (dim === symbol ? length : dim))]),
  );
}

/** Parses the bytes of an ONNX file. Throws {@link StriateError} for others, or more than one file can have. */
function parseOnnx(bytes: Uint8Array, what: string): ModelProto {
  if (bytes.byteLength > LARGEST_FILE) {
    throw new StriateError(
      `${what}: ${bytes.byteLength} bytes are more than the 2 GB that an ONNX file can have`,
    );
  }
  const other = otherFile(bytes);
  if (other !== undefined) throw new StriateError(`${what} is no ONNX file, but ${other}`);
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StriateError(`${what} is damaged or no ONNX file: ${why}`);
  }
}

function graphOf(model: ModelProto, what: string): GraphProto {
  if (model.graph === undefined) throw new StriateError(`${what} holds no graph: is it an ONNX file?`);
  return model.graph;
}

function opsetOf(model: ModelProto, what: string): number {
  const versions = model.opsetImport.filter(({ domain }) => domain === "" || domain === "ai.onnx");
  const [standard] = versions;
  if (standard === undefined || versions.length > 1) {
    throw new StriateError(
      `${what}: expected one version of the standard operators, found ${versions.length}`,
    );
  }
  const opset = Number(standard.version);
  if (opset < OLDEST_OPSET || opset > NEWEST_OPSET) {
    throw new StriateError(
      `${what}: written in opset ${opset}, supported are ${OLDEST_OPSET} to ${NEWEST_OPSET}; convert it to one of these`,
    );
  }
  return opset;
}
