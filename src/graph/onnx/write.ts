import { create } from "@bufbuild/protobuf";
import { StriateError } from "../../util/errors.js";
import type { Dim, Shape } from "../dims.js";
import { isStatic, sameShape, showShape } from "../dims.js";
import type { DType, TensorData } from "../dtype.js";
import { onnxTypeCode, storedLength } from "../dtype.js";
import type { GraphNode, Tensor } from "../tensor.js";
import "../operators/core.js";
import { topologicalOrder } from "../walk.js";
import type {
  GraphProto,
  NodeProto,
  OperatorSetIdProto,
  TensorShapeProto_Dimension,
  ValueInfoProto,
} from "./generated/onnx_pb.js";
import * as proto from "./generated/onnx_pb.js";
import { Names } from "./names.js";
import { DEFAULT_OPSET, neededOpset } from "./needed-opset.js";
import { bytesOf, encodeAttribute, encodeTensor } from "./encode.js";
import { STANDARD_OPERATORS } from "./standard-operators.js";
import type { StorableModel } from "./storable.js";
import { storable } from "./storable.js";

export interface WriteOptions {
  /** Gives the values of a parameter: it becomes an initializer. Without values it becomes a graph input. */
  readonly values?: (parameter: Tensor) => TensorData | undefined;
  /** Version of the standard operators; default 18, or the first later one that has all that the graph holds. */
  readonly opset?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Name of the graph, default "striate". */
  readonly name?: string;
  readonly description?: string;
}

/** A value that a file takes or gives. */
export interface Port {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface WrittenOnnx extends StorableModel {
  /** What must be fed: inputs, and the parameters that got no values. */
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** Equal constants up to this many bytes are written once. */
const SMALL = 4096;
/** Oldest file version that knows an opset, so that as many runtimes as possible take the file. */
const IR_VERSIONS: readonly (readonly [opset: number, ir: number])[] = [
  [23, 11],
  [21, 10],
  [19, 9],
  [0, 8],
];

/**
 * Writes everything that the outputs need as an ONNX model: standard domain (plus the domain of any node type written
 * "domain::Type"), named axes kept as such.
 *
 * @throws StriateError for a parameter without a name, two leaves or outputs that want one name, values that do not
 * fit their parameter, or an operator that exists only inside Striate or only in later versions than `opset`
 */
export function writeOnnx(
  outputs: Readonly<Record<string, Tensor>>,
  options: WriteOptions = {},
): WrittenOnnx {
  const graph = create(proto.GraphProtoSchema, { name: options.name ?? "striate" });
  const writer = new GraphWriter(graph, outputs, options);
  writer.write();
  const { opset } = writer;

  const model = create(proto.ModelProtoSchema, {
    irVersion: BigInt(IR_VERSIONS.find(([oldest]) => opset >= oldest)![1]),
    producerName: "striate",
    opsetImport: [
      operatorSet("", opset),
      ...[...writer.domains].sort().map((domain) => operatorSet(domain, 1)),
    ],
    graph,
    metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) =>
      create(proto.StringStringEntryProtoSchema, { key, value }),
    ),
    ...(options.description === undefined ? {} : { docString: options.description }),
  });
  return Object.assign(storable(model), { inputs: writer.inputs, outputs: writer.outputs });
}

function operatorSet(domain: string, version: number): OperatorSetIdProto {
  return create(proto.OperatorSetIdProtoSchema, { domain, version: BigInt(version) });
}

class GraphWriter {
  readonly domains = new Set<string>();
  readonly inputs: Port[] = [];
  readonly outputs: Port[] = [];
  opset: number;
  readonly #names = new Names();
  readonly #nameOf = new Map<Tensor, string>();
  readonly #constants = new Map<string, string>();

  constructor(
    readonly graph: GraphProto,
    readonly wanted: Readonly<Record<string, Tensor>>,
    readonly options: WriteOptions,
  ) {
    this.opset = options.opset ?? DEFAULT_OPSET;
  }

  write(): void {
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
      if (node.leaf === undefined) this.graph.node.push(this.#node(node));
      else if (node.leaf.kind === "constant") this.#constant(node, node.leaf.data);
    }
    for (const [name, tensor] of copies) {
      this.graph.node.push(
        create(proto.NodeProtoSchema, {
          opType: "Identity",
          name: `${name}/Identity`,
          input: [this.#nameOf.get(tensor)!],
          output: [name],
        }),
      );
    }
    for (const [name, tensor] of wanted) {
      const port = { name, dtype: tensor.dtype, shape: tensor.shape };
      this.outputs.push(port);
      this.graph.output.push(valueInfo(port));
    }
  }

  #nameLeaf(node: GraphNode, name: string | undefined): void {
    const tensor = node.outputs[0]!;
    if (name === undefined || name === "") {
      throw new StriateError(
        `writing ONNX: the ${node.type} of shape ${showShape(tensor.shape)} ${node.where} has no name: ` +
          `name the model's parameters before it is written`,
      );
    }
    if (!this.#names.reserve(name)) {
      throw new StriateError(
        `writing ONNX: two different inputs or parameters are named "${name}" (one ${node.where})`,
      );
    }
    this.#nameOf.set(tensor, name);
  }

  /** Gives computed tensors their output's name; returns the outputs that have to be copies. */
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
      this.graph.input.push(valueInfo(port));
      return;
    }
    if (values.dtype !== tensor.dtype || !sameShape(values.shape, tensor.shape)) {
      throw new StriateError(
        `writing ONNX: parameter "${name}" is ${tensor.dtype}${showShape(tensor.shape)}, ` +
          `its values are ${values.dtype}${showShape(values.shape)}`,
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
        `writing ONNX: "${name}" of shape ${showShape(data.shape)} has ${data.data.length} values`,
      );
    }
    this.graph.initializer.push(encodeTensor(data, name));
  }

  #raiseOpset(node: GraphNode): void {
    const needed = neededOpset(node);
    if (needed <= this.opset) return;
    if (this.options.opset !== undefined) {
      throw new StriateError(
        `writing ONNX: ${node.type} ${node.where} needs operators of version ${needed}, asked for was ${this.opset}`,
      );
    }
    this.opset = needed;
  }

  #node(node: GraphNode): NodeProto {
    const [domain, type] = splitType(node);
    this.#raiseOpset(node);
    if (domain !== "") this.domains.add(domain);
    const stem = node.scope === "" ? type : `${node.scope}/${type}`;
    const name =
      node.importedName === undefined ? this.#names.next(stem) : this.#names.keep(node.importedName);
    const result = create(proto.NodeProtoSchema);
    result.name = name;
    result.opType = type;
    if (domain !== "") result.domain = domain;
    result.input = node.inputs.map((input) => (input === undefined ? "" : this.#nameOf.get(input)!));
    while (result.input.at(-1) === "") result.input.pop();
    result.output = node.outputs.map((output) => {
      const given = this.#nameOf.get(output);
      if (given !== undefined) return given;
      const fresh = output.index === 0 ? name : this.#names.keep(`${name}:${output.index}`);
      this.#nameOf.set(output, fresh);
      return fresh;
    });
    result.attribute = Object.entries(node.attributes).map(([key, value]) =>
      encodeAttribute(key, value, () => `${node.type} ${node.where}`),
    );
    return result;
  }
}

function splitType(node: GraphNode): readonly [domain: string, type: string] {
  const at = node.type.indexOf("::");
  if (at >= 0) return [node.type.slice(0, at), node.type.slice(at + 2)];
  if (STANDARD_OPERATORS.has(node.type)) return ["", node.type];
  throw new StriateError(
    `writing ONNX: ${node.type} ${node.where} is no ONNX operator: it exists only until the graph is lowered`,
  );
}

function dimension(dim: Dim): TensorShapeProto_Dimension {
  const result = create(proto.TensorShapeProto_DimensionSchema);
  if (isStatic(dim)) result.value = { case: "dimValue", value: BigInt(dim) };
  else if (!dim.includes("?")) result.value = { case: "dimParam", value: dim };
  return result;
}

function valueInfo({ name, dtype, shape }: Port): ValueInfoProto {
  return create(proto.ValueInfoProtoSchema, {
    name,
    type: { tensorType: { elemType: onnxTypeCode(dtype), shape: { dim: shape.map(dimension) } } },
  });
}
