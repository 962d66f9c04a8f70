import { StriateError } from "../../util/errors.js";
import type { Dim, Shape } from "../dims.js";
import { divideDims, isStatic, sizeOf } from "../dims.js";
import type { DType, TensorData } from "../dtype.js";
import { operatorOf } from "../operator.js";
import "../operators/index.js";
import { shapeTensor } from "../operators/broadcast.js";
import { cast } from "../operators/elementwise.js";
import { reshape } from "../operators/shape.js";
import type { Leaf } from "../tensor.js";
import { GraphNode, Tensor, constant, constantData, scope } from "../tensor.js";
import type { ImportedCall } from "./convert.js";
import { constantOf, convert, make } from "./convert.js";
import { decodeAttributes, decodeTensor } from "./decode.js";
import type { ExternalData } from "./external-data.js";
import { fold } from "./fold.js";
import type { FunctionProto, GraphProto, NodeProto, TensorProto } from "./generated/onnx_pb.js";
import { nodeTitle, sortNodes } from "./order.js";
import { InputReader } from "./ports.js";
import type { ImportedParameter } from "./read.js";
import { initializerRoles } from "./roles.js";
import { RUNTIME_DOMAIN, RUNTIME_OPERATORS, STANDARD_OPERATORS } from "./standard-operators.js";
import type { Value } from "./values.js";
import { dataOf } from "./values.js";

export interface ReadContext {
  readonly what: string;
  readonly opset: number;
  readonly inputShapes: Readonly<Record<string, Shape>>;
  readonly functions: readonly FunctionProto[];
  readonly externalData?: ExternalData | undefined;
}

export interface ReadGraph {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly values: ReadonlyMap<string, Tensor>;
  readonly nodes: ReadonlyMap<string, Tensor>;
  readonly parameters: ReadonlyMap<string, ImportedParameter>;
}

const SUBGRAPHS = new Set(["If", "Loop", "Scan", "SequenceMap"]);
/** Longest name of an axis length and highest rank: products of products would double without end. */
const LONGEST_DIM = 200;
const HIGHEST_RANK = 64;
const MOST_INPUTS = 2 ** 16;

/** Reads the graph of a model; bodies of If nodes whose condition is known are read in place. */
export class GraphReader {
  readonly #values = new Map<string, Tensor>();
  readonly #nodeResults = new Map<string, Tensor>();
  readonly #parameters = new Map<string, ImportedParameter>();
  #inputs: readonly Tensor[] = [];

  constructor(
    readonly graph: GraphProto,
    readonly context: ReadContext,
  ) {}

  read(): ReadGraph {
    const { what, inputShapes } = this.context;
    this.#initializers(this.graph);
    const reader = new InputReader(what, inputShapes);
    // Old files list initializers among the inputs, as defaults that could be overridden.
    const fed = this.graph.input.filter(({ name }) => !this.#values.has(name));
    const seen = new Set<string>();
    for (const { name } of this.graph.input) {
      if (seen.has(name)) throw new StriateError(`${what}: two inputs are named "${name}"`);
      seen.add(name);
    }
    const inputs = fed.map((info): [string, Tensor] => [info.name, reader.read(info)]);
    for (const [name, tensor] of inputs) this.#values.set(name, tensor);
    this.#inputs = inputs.map(([, tensor]) => tensor);
    this.#nodes(this.graph);
    const outputs = this.#outputs(this.graph, what);
    if (outputs.length === 0) throw new StriateError(`${what}: the graph has no output`);
    return {
      inputs: Object.fromEntries(inputs),
      outputs: Object.fromEntries(outputs),
      values: this.#values,
      nodes: this.#nodeResults,
      parameters: this.#parameters,
    };
  }

  #outputs(graph: GraphProto, what: string): [string, Tensor][] {
    const seen = new Set<string>();
    return graph.output.map(({ name }) => {
      const tensor = this.#values.get(name);
      if (tensor === undefined) throw new StriateError(`${what}: nothing makes the output "${name}"`);
      if (seen.has(name)) throw new StriateError(`${what}: two outputs are named "${name}"`);
      seen.add(name);
      return [name, tensor];
    });
  }

  #set(name: string, tensor: Tensor, what: string): void {
    if (this.#values.has(name)) throw new StriateError(`${what}: the value "${name}" is made twice`);
    this.#values.set(name, tensor);
  }

  // ---- initializers ------------------------------------------------------------------------------------------------

  #initializers(graph: GraphProto): void {
    const { what } = this.context;
    const [sparse] = graph.sparseInitializer;
    if (sparse !== undefined) {
      throw new StriateError(
        `${what}: the initializer "${sparse.values?.name ?? ""}" is sparse, which is not supported`,
      );
    }
    const roles = initializerRoles(graph);
    for (const proto of graph.initializer) {
      const name = proto.name;
      if (name === "") throw new StriateError(`${what}: an initializer has no name`);
      this.#set(name, this.#initializer(proto, roles.get(name) ?? "weight"), what);
    }
  }

  #initializer(proto: TensorProto, role: "weight" | "statistic" | "setting"): Tensor {
    const name = proto.name;
    const data = decodeTensor(
      proto,
      `${this.context.what}: initializer "${name}"`,
      this.context.externalData,
    );
    const whole = data.shape.length > 0 && data.data.length > 0;
    if (!(data.data instanceof Float32Array) || !whole || role === "setting")
      return namedConstant(data, name);
    const values = data.data;
    const tensor = leaf(
      { kind: "parameter", name, trainable: role === "weight", initialiser: () => values.slice() },
      data.dtype,
      data.shape,
    );
    this.#parameters.set(name, { tensor, data });
    return tensor;
  }

  // ---- nodes -------------------------------------------------------------------------------------------------------

  #nodes(graph: GraphProto): void {
    const { what } = this.context;
    for (const node of sortNodes(graph.node, what)) {
      const where = `${what}: ${nodeTitle(node)}`;
      const made = this.#guarded(node, where);
      if (node.name !== "" && made[0] !== undefined) this.#nodeResults.set(node.name, made[0]);
      for (const [i, name] of node.output.entries()) {
        if (name === "") continue;
        if (made[i] === undefined) throw new StriateError(`${where}: it has no output ${i} ("${name}")`);
        this.#set(name, made[i], where);
      }
    }
  }

  /** Whatever a rule throws at a node that makes no sense becomes one error that names the node. */
  #guarded(node: NodeProto, where: string): readonly Tensor[] {
    try {
      const made = this.#node(node, where);
      return made.map((tensor) => checked(tensor));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (error instanceof StriateError && why.startsWith(this.context.what)) throw error;
      const reason = error instanceof StriateError ? why : `it is not valid (${why})`;
      throw new StriateError(`${where}: ${reason}`, { cause: error });
    }
  }

  #node(node: NodeProto, where: string): readonly Tensor[] {
    this.#checkDomain(node);
    const { attributes, graphs } = decodeAttributes(node.attribute, where, this.context.externalData);
    const name = node.output.find((output) => output !== "") ?? node.name;
    if (node.opType === "Constant") return [renamed(constantOf(attributes), name)];
    if (node.input.length > MOST_INPUTS) throw new StriateError(`${node.input.length} inputs are too many`);
    const inputs = node.input.map((input) => this.#operand(input));
    if (node.opType === "If") return this.#branch(inputs[0], graphs);
    let outputCount = node.output.length;
    while (outputCount > 1 && node.output[outputCount - 1] === "") outputCount--;
    return this.#call({
      type: typeOf(node),
      inputs,
      attributes,
      outputCount,
      opset: this.context.opset,
      name,
    });
  }

  #checkDomain(node: NodeProto): void {
    if (SUBGRAPHS.has(node.opType) && node.opType !== "If") {
      throw new StriateError(
        "operators that hold a body of their own (Loop, Scan) cannot be imported: unroll it",
      );
    }
    if (node.domain === "" || node.domain === "ai.onnx") return;
    if (node.domain === RUNTIME_DOMAIN && RUNTIME_OPERATORS.has(node.opType)) return;
    if (this.context.functions.some(({ name, domain }) => name === node.opType && domain === node.domain)) {
      throw new StriateError("calls of functions defined in the file cannot be imported: inline them first");
    }
    throw new StriateError(`only standard operators can be imported, this one belongs to "${node.domain}"`);
  }

  #operand(name: string): Tensor | undefined {
    if (name === "") return undefined;
    const tensor = this.#values.get(name);
    if (tensor === undefined) throw new StriateError(`it reads "${name}", which nothing makes`);
    return tensor;
  }

  #branch(condition: Tensor | undefined, graphs: ReadonlyMap<string, GraphProto>): Tensor[] {
    const known = condition && constantData(condition)?.data[0];
    if (known === undefined) {
      throw new StriateError("an If whose condition depends on what is fed cannot be imported");
    }
    const body = graphs.get(Number(known) !== 0 ? "then_branch" : "else_branch");
    if (body === undefined) throw new StriateError("the branch that its condition picks is missing");
    this.#initializers(body);
    this.#nodes(body);
    return this.#outputs(body, "the branch").map(([, tensor]) => tensor);
  }

  #call(call: ImportedCall): readonly Tensor[] {
    if (!STANDARD_OPERATORS.has(call.type) && !call.type.includes("::"))
      throw new StriateError(`${call.type} is no standard operator`);
    const converted = convert(call);
    if (!("type" in converted)) return converted;
    const { type, inputs, attributes, name } = converted;
    const value = fold(type, inputs, attributes);
    const data = value && dataOf(value);
    if (data !== undefined) return [namedConstant(data, name)];
    if (operatorOf(type) === undefined) throw new StriateError(`the operator ${type} is not supported`);
    guardRank(converted);
    const made = make(settled(converted));
    const [only] = made;
    return value === undefined || only === undefined || only.known !== undefined
      ? made
      : [this.#known(only, value, name)];
  }

  /**
   * A shape that was computed in a way our rules do not follow, with what folding found out: looked up from the inputs
   * where all its names are theirs, so that the knowledge stays when the graph is rewritten.
   */
  #known(tensor: Tensor, { dtype, shape, elements }: Value, name: string): Tensor {
    if (shape.length > 1 || (dtype !== "int64" && dtype !== "int32")) return tensor;
    const symbols = new Set(this.#inputs.flatMap((input) => input.shape));
    if (elements.every((element) => isStatic(element) || symbols.has(element))) {
      return scope(name, () => {
        const vector = cast(shapeTensor(elements, this.#inputs), dtype);
        return shape.length === 0 ? reshape(vector, []) : vector;
      });
    }
    return withKnown(tensor, elements);
  }
}

/** Operators of the domain com.microsoft are named with it, unless they are the standard ones under another name. */
function typeOf({ domain, opType }: NodeProto): string {
  const isOwn = domain === RUNTIME_DOMAIN && !STANDARD_OPERATORS.has(opType);
  return isOwn ? `${domain}::${opType}` : opType;
}

/** The same output of the same node, with other knowledge of its elements. Only for tensors nobody has read yet. */
function withKnown({ node, index, dtype, shape }: Tensor, known?: readonly Dim[]): Tensor {
  return (node.outputs[index] = new Tensor(node, index, dtype, shape, known));
}

/** A Reshape target that was computed, as constants: 0 keeps an axis, -1 is the one that is left over. */
function settled(call: ImportedCall): ImportedCall {
  const [x, target] = call.inputs;
  if (call.type !== "Reshape" || x === undefined || target?.known === undefined || constantData(target))
    return call;
  if (target.known.includes(0)) return call;
  const plain = target.known.map((dim, axis): Dim => (!isStatic(dim) && dim === x.shape[axis] ? 0 : dim));
  const named: readonly Dim[] = plain.filter((dim) => !isStatic(dim) || dim === -1);
  const others = target.known.filter((_, axis) => !named.includes(plain[axis]!));
  if (named.length > 1 || divideDims(sizeOf(x.shape), sizeOf(others)) === undefined) return call;
  const shape = plain.map((dim) => (isStatic(dim) ? dim : -1));
  return { ...call, inputs: [x, constant(shape, [shape.length], "int64")], attributes: {} };
}

/** A shape operand of unknown values says the rank by its length. */
function guardRank({ type, inputs }: ImportedCall): void {
  const rank = inputs[1]?.known === undefined ? inputs[1]?.shape[0] : 0;
  if (type === "Reshape" && typeof rank === "number" && rank > HIGHEST_RANK)
    throw new StriateError(`rank ${rank} is too high`);
}

function checked(tensor: Tensor): Tensor {
  const { shape, known } = tensor;
  const tooLong = (dim: Dim): boolean =>
    isStatic(dim) ? !Number.isSafeInteger(dim) : dim.length > LONGEST_DIM;
  if (shape.length > HIGHEST_RANK) throw new StriateError(`rank ${shape.length} is too high`);
  if (shape.some(tooLong)) throw new StriateError("the length of an axis of its result cannot be told");
  if (known?.some((dim) => !isStatic(dim) && tooLong(dim)) !== true) return tensor;
  return withKnown(tensor);
}

function leaf(content: Leaf, dtype: DType, shape: Shape, name?: string, known?: readonly Dim[]): Tensor {
  const node = new GraphNode(content.kind, [], {}, content, name);
  const tensor = new Tensor(node, 0, dtype, shape, known);
  node.outputs.push(tensor);
  return tensor;
}

/** A constant that keeps the name it has in the file. */
function renamed(tensor: Tensor, name: string): Tensor {
  return leaf(tensor.node.leaf!, tensor.dtype, tensor.shape, name, tensor.known);
}

/** A constant with a name, which it keeps in files. */
export function namedConstant(data: TensorData, name: string): Tensor {
  return renamed(constant(data), name);
}
