import { StriateError } from "../../../util/errors.js";
import type { Parts } from "../../../util/slices.js";
import { atOnce } from "../../../util/slices.js";
import type { Dim, Shape } from "../../dims.js";
import { isStatic, sameShape, showShape } from "../../dims.js";
import type { DType, TensorData } from "../../dtype.js";
import { onnxTypeCode, storedLength } from "../../dtype.js";
import type { GraphNode, Tensor } from "../../tensor.js";
import "../../core-operators.js";
import { topologicalOrder } from "../../topological-order.js";
import { Names } from "../names.js";
import { DEFAULT_OPSET, neededOpset } from "./needed-opset.js";
import { bytesOf, encodeAttribute, encodeDescription, encodeEntry } from "./encode.js";
import { STANDARD_OPERATORS } from "../standard-operators.js";
import type { StorableModel, StoredInitializer } from "./storable.js";
import { storable } from "./storable.js";
import { WireMessage } from "./wire.js";

/** Options of `writeOnnx`. */
export interface WriteOptions {
  /**
   * Returns the values of a parameter, which then becomes an initializer. A parameter without values becomes
   * a graph input.
   */
  readonly values?: (parameter: Tensor) => TensorData | undefined;
  /** Version of the standard operators. Default: the first version from 18 on that has all operators of the graph. */
  readonly opset?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Name of the graph, default "striate". */
  readonly name?: string;
  readonly description?: string;
}

/** An input or output of a file. */
export interface Port {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A written model with its inputs and outputs. */
export interface WrittenOnnx extends StorableModel {
  /** The inputs of the model, and the parameters that have no values. */
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** Field numbers of ONNX's messages. */
const MODEL = { irVersion: 1, producerName: 2, docString: 6, opsetImport: 8, metadataProps: 14 } as const;
const GRAPH = { node: 1, name: 2, input: 11, output: 12 } as const;
const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 } as const;

/** Equal constants of at most this many bytes are written only once. */
const SMALL = 4096;
/**
 * The oldest file version (IR version) that allows opsets from `opset` on. The oldest version is used so that
 * as many runtimes as possible can read the file.
 */
const IR_VERSIONS: readonly (readonly [opset: number, ir: number])[] = [
  [23, 11],
  [21, 10],
  [19, 9],
  [0, 8],
];

/**
 * Writes an ONNX model with everything that the outputs need. Operators belong to the standard domain, unless
 * their type is written "domain::Type". Named axes keep their names.
 *
 * @throws StriateError if a parameter has no name, two inputs, parameters or outputs have the same name,
 * values do not fit their parameter, or an operator exists only inside Striate or only in versions after
 * `opset`
 * @example
 * ```ts
 * import { input, lower, relu, writeOnnx } from "striate/graph";
 *
 * const written = writeOnnx(lower({ y: relu(input("x", ["batch", 4])) }, "portable"));
 * console.log(written.inputs.map(({ name }) => name).join(", ")); // x
 * ```
 */
export function writeOnnx(
  outputs: Readonly<Record<string, Tensor>>,
  options: WriteOptions = {},
): WrittenOnnx {
  return atOnce(writeOnnxInParts(outputs, options));
}

/** Like `writeOnnx`, but in parts, between which other work can run. */
export function* writeOnnxInParts(
  outputs: Readonly<Record<string, Tensor>>,
  options: WriteOptions = {},
): Parts<WrittenOnnx> {
  const writer = new GraphWriter(outputs, options);
  yield* writer.write();
  const { opset, graph, initializers } = writer;
  const head = new WireMessage()
    .whole(MODEL.irVersion, IR_VERSIONS.find(([oldest]) => opset >= oldest)![1])
    .text(MODEL.producerName, "striate");
  if (options.description !== undefined) head.text(MODEL.docString, options.description);
  head.message(MODEL.opsetImport, operatorSet("", opset));
  for (const domain of [...writer.domains].sort()) head.message(MODEL.opsetImport, operatorSet(domain, 1));
  for (const [key, value] of Object.entries(options.metadata ?? {}))
    head.message(MODEL.metadataProps, encodeEntry(key, value));
  const model = storable({ head: () => head.encoded(), graph: () => graph.encoded(), initializers });
  return Object.assign(model, { inputs: writer.inputs, outputs: writer.outputs });
}

function operatorSet(domain: string, version: number): WireMessage {
  return new WireMessage().text(1, domain).whole(2, version);
}

class GraphWriter {
  readonly domains = new Set<string>();
  readonly inputs: Port[] = [];
  readonly outputs: Port[] = [];
  /** The graph without its initializers. */
  readonly graph: WireMessage;
  readonly initializers: StoredInitializer[] = [];
  opset: number;
  readonly #names = new Names();
  readonly #nameOf = new Map<Tensor, string>();
  readonly #constants = new Map<string, string>();

  constructor(
    readonly wanted: Readonly<Record<string, Tensor>>,
    readonly options: WriteOptions,
  ) {
    this.opset = options.opset ?? DEFAULT_OPSET;
    this.graph = new WireMessage().text(GRAPH.name, options.name ?? "striate");
  }

  *write(): Parts<void> {
    const wanted = Object.entries(this.wanted);
    if (wanted.length === 0) throw new StriateError("writing ONNX: there is no output");
    const nodes = topologicalOrder(wanted.map(([, tensor]) => tensor));
    for (const node of nodes)
      if (node.leaf !== undefined && node.leaf.kind !== "constant") this.#nameLeaf(node, node.leaf.name);
    const copies = this.#nameOutputs(wanted);
    const leaves = nodes.filter(({ leaf }) => leaf !== undefined).sort((a, b) => a.id - b.id);
    for (const kind of ["input", "parameter"]) {
      for (const node of leaves)
        if (node.leaf?.kind === kind) this.#leaf(node.outputs[0]!, kind === "parameter");
    }
    for (const node of nodes) {
      yield;
      if (node.leaf === undefined) this.graph.message(GRAPH.node, this.#node(node));
      else if (node.leaf.kind === "constant") this.#constant(node, node.leaf.data);
    }
    for (const [name, tensor] of copies) {
      const copy = new WireMessage().text(NODE.opType, "Identity").text(NODE.name, `${name}/Identity`);
      this.graph.message(
        GRAPH.node,
        copy.text(NODE.input, this.#nameOf.get(tensor)!).text(NODE.output, name),
      );
    }
    for (const [name, tensor] of wanted) {
      const port = { name, dtype: tensor.dtype, shape: tensor.shape };
      this.outputs.push(port);
      this.graph.message(GRAPH.output, valueInfo(port));
    }
  }

  #nameLeaf(node: GraphNode, name: string | undefined): void {
    const tensor = node.outputs[0]!;
    if (name === undefined || name === "") {
      throw new StriateError(
        `writing ONNX: the ${node.type} of shape ${showShape(tensor.shape)} ${node.where} has no name: ` +
          `name the model's parameters before you write it`,
      );
    }
    if (!this.#names.reserve(name)) {
      throw new StriateError(
        `writing ONNX: two different inputs or parameters are named "${name}" (one ${node.where})`,
      );
    }
    this.#nameOf.set(tensor, name);
  }

  /** Gives computed tensors the names of the outputs, and returns the outputs that need a copy. */
  #nameOutputs(wanted: readonly (readonly [string, Tensor])[]): (readonly [string, Tensor])[] {
    const copies: (readonly [string, Tensor])[] = [];
    for (const [name, tensor] of wanted) {
      if (name === "") throw new StriateError("writing ONNX: an output needs a name");
      if (!this.#names.reserve(name)) {
        throw new StriateError(`writing ONNX: the output "${name}" has the name of an input or parameter`);
      }
      if (tensor.node.leaf !== undefined || this.#nameOf.has(tensor)) copies.push([name, tensor]);
      else this.#nameOf.set(tensor, name);
    }
    return copies;
  }

  #leaf(tensor: Tensor, isParameter: boolean): void {
    const name = this.#nameOf.get(tensor)!;
    const values = isParameter ? this.options.values?.(tensor) : undefined;
    if (values === undefined) {
      const port = { name, dtype: tensor.dtype, shape: tensor.shape };
      this.inputs.push(port);
      this.graph.message(GRAPH.input, valueInfo(port));
      return;
    }
    if (values.dtype !== tensor.dtype || !sameShape(values.shape, tensor.shape)) {
      throw new StriateError(
        `writing ONNX: parameter "${name}": expected values ${tensor.dtype}${showShape(tensor.shape)}, ` +
          `got ${values.dtype}${showShape(values.shape)}`,
      );
    }
    this.#initializer(values, name);
  }

  #constant(node: GraphNode, data: TensorData): void {
    const bytes = bytesOf(data);
    const key =
      bytes.byteLength <= SMALL ? `${data.dtype}${showShape(data.shape)}${bytes.toString()}` : undefined;
    let name = key === undefined ? undefined : this.#constants.get(key);
    if (name === undefined) {
      name =
        node.importedName === undefined ? this.#names.next("constant") : this.#names.keep(node.importedName);
      this.#initializer(data, name);
      if (key !== undefined) this.#constants.set(key, name);
    }
    this.#nameOf.set(node.outputs[0]!, name);
  }

  #initializer(data: TensorData, name: string): void {
    const size = data.shape.reduce((a, b) => a * b, 1);
    if (storedLength(data.dtype, size) !== data.data.length) {
      throw new StriateError(
        `writing ONNX: "${name}": expected values for the shape ${showShape(data.shape)}, got ${data.data.length}`,
      );
    }
    this.initializers.push({
      rawData: bytesOf(data),
      describe: (outside) => encodeDescription(data, name, outside).encoded(),
    });
  }

  #raiseOpset(node: GraphNode): void {
    const needed = neededOpset(node);
    if (needed <= this.opset) return;
    if (this.options.opset !== undefined) {
      throw new StriateError(
        `writing ONNX: ${node.type} ${node.where} needs opset ${needed}, but the option opset is ${this.opset}`,
      );
    }
    this.opset = needed;
  }

  #node(node: GraphNode): WireMessage {
    const [domain, type] = splitType(node);
    this.#raiseOpset(node);
    if (domain !== "") this.domains.add(domain);
    const stem = node.scope === "" ? type : `${node.scope}/${type}`;
    const name =
      node.importedName === undefined ? this.#names.next(stem) : this.#names.keep(node.importedName);
    const message = new WireMessage().text(NODE.name, name).text(NODE.opType, type);
    if (domain !== "") message.text(NODE.domain, domain);
    const last = node.inputs.findLastIndex((input) => input !== undefined);
    for (const input of node.inputs.slice(0, last + 1))
      message.text(NODE.input, input === undefined ? "" : this.#nameOf.get(input)!);
    for (const output of node.outputs) message.text(NODE.output, this.#nameOutput(output, name));
    for (const [key, value] of Object.entries(node.attributes)) {
      const where = () => `${node.type} ${node.where}`;
      message.message(NODE.attribute, encodeAttribute(key, value, where));
    }
    return message;
  }

  #nameOutput(output: Tensor, node: string): string {
    const given = this.#nameOf.get(output);
    if (given !== undefined) return given;
    const fresh = output.index === 0 ? node : this.#names.keep(`${node}:${output.index}`);
    this.#nameOf.set(output, fresh);
    return fresh;
  }
}

function splitType(node: GraphNode): readonly [domain: string, type: string] {
  const at = node.type.indexOf("::");
  if (at >= 0) return [node.type.slice(0, at), node.type.slice(at + 2)];
  if (STANDARD_OPERATORS.has(node.type)) return ["", node.type];
  throw new StriateError(
    `writing ONNX: ${node.type} ${node.where} is not an ONNX operator: lower the graph before you write it`,
  );
}

function dimension(dim: Dim): WireMessage {
  const message = new WireMessage();
  if (isStatic(dim)) return message.whole(1, dim);
  return dim.includes("?") ? message : message.text(2, dim);
}

function valueInfo({ name, dtype, shape }: Port): WireMessage {
  const sizes = new WireMessage();
  for (const dim of shape) sizes.message(1, dimension(dim));
  const tensorType = new WireMessage().whole(1, onnxTypeCode(dtype)).message(2, sizes);
  return new WireMessage().text(1, name).message(2, new WireMessage().message(1, tensorType));
}
