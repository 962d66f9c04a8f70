import { StriateError } from "../../../util/errors.js";
import { closest } from "../../../util/suggest.js";
import type { Dim, Shape } from "../../dims.js";
import { divideDims, isStatic, showShape, sizeOf } from "../../dims.js";
import type { DType, TensorData } from "../../dtype.js";
import { loaded, operatorOf } from "../../operator.js";
import * as operators from "../../all-operators.js";
import { shapeTensor } from "../../operators/broadcast.js";
import { cast, not } from "../../operators/elementwise/elementwise.js";
import { reshape } from "../../operators/shape/shape.js";
import type { Leaf } from "../../tensor.js";
import { GraphNode, Tensor, constant, constantData, input, scope } from "../../tensor.js";
import type { ImportedCall } from "../convert/conversion.js";
import { constantOf, convert, make } from "../convert/convert.js";
import { emptyResults } from "../convert/empty-tensors.js";
import { decodeAttributes, decodeTensor } from "./decode.js";
import type { ExternalData } from "./external-data.js";
import { FoldBudget, fold, foldSplit } from "./fold.js";
import type { Body } from "./unroll.js";
import { mappedSequences, unrolledBatchScan, unrolledLoop, unrolledScan } from "./unroll.js";
import { chosen, flagOf, gateOf } from "./choose.js";
import { NameScope } from "./name-scope.js";
import type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  NodeProto,
  TensorProto,
} from "../generated/onnx_pb.js";
import { Names } from "../names.js";
import type { NoiseKind } from "../convert/conversion.js";
import { bodyReads, functionReads, nodeTitle, sortNodes } from "./sort-nodes.js";
import { InputReader, filled, named } from "./graph-inputs.js";
import { initializerRoles } from "./initializer-roles.js";
import {
  REASONS,
  RUNTIME_DOMAIN,
  RUNTIME_OPERATORS,
  STANDARD_OPERATORS,
  isStandardDomain,
} from "../standard-operators.js";
import type { Item } from "./sequences.js";
import { SEQUENCE_OPERATORS, isSequence, sequenceCall } from "./sequences.js";
import type { Value } from "./known-values.js";
import { dataOf } from "./known-values.js";

/** A parameter of a file: its tensor in the graph, and its values. */
export interface ImportedParameter {
  readonly tensor: Tensor;
  /**
   * The values in the file. Do not change them: if `openOnnx` opened the file, each call of `read` returns
   * the same memory.
   */
  readonly data: TensorData;
}

export interface ReadContext {
  readonly what: string;
  readonly opset: number;
  readonly inputShapes: Readonly<Record<string, Shape>>;
  readonly inputValues: Readonly<Record<string, number | readonly number[]>>;
  readonly functions: readonly FunctionProto[];
  readonly externalData?: ExternalData | undefined;
  /** Whether values may stay in the bytes of the file instead of being copied. */
  readonly valuesStay?: boolean;
}

export interface ReadGraph {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly values: ReadonlyMap<string, Tensor>;
  readonly nodes: ReadonlyMap<string, Tensor>;
  readonly parameters: ReadonlyMap<string, ImportedParameter>;
  readonly noise: Readonly<Record<string, NoiseKind>>;
}

/**
 * Operators whose optional outputs (those after the first) exporters often name even though no node reads
 * them.
 */
const OFTEN_UNREAD = new Set(["BatchNormalization", "Dropout"]);
/** Further operators whose operands may be sequences or empty optional values. */
const ITEM_OPERATORS = new Set(["Identity", "If", "Loop", "SequenceMap"]);
/**
 * Largest number of nodes from bodies and functions. Without it, nested loops and nested functions could grow
 * exponentially.
 */
const MOST_UNROLLED = 2 ** 16;
/**
 * Longest name of an axis length, and highest rank. Without these limits, the names of lengths that are
 * multiplied again and again, and shapes that are extended again and again, could grow without end.
 */
const LONGEST_DIM = 200;
const HIGHEST_RANK = 64;
const MOST_INPUTS = 2 ** 16;

/**
 * Reads the graph of a model. In place of an If, it reads the branch that a known condition selects, or both branches. It
 * reads the body of a loop once for every iteration, and a function of the file once for every call.
 */
export class GraphReader {
  readonly #graphNames: NameScope;
  /** The initializers of each body. A body may be read more than once, with the same parameters each time. */
  readonly #bodies = new Map<GraphProto, ReadonlyMap<string, Tensor>>();
  #unrolled = 0;
  readonly #folded = new FoldBudget();
  readonly #nodeResults = new Map<string, Tensor>();
  readonly #parameters = new Map<string, ImportedParameter>();
  /** The inputs that replace the random numbers of operators, by name. */
  readonly #noise = new Map<string, { readonly tensor: Tensor; readonly kind: NoiseKind }>();
  readonly #names = new Names();
  readonly #read: ReadonlySet<string>;
  #inputs: readonly Tensor[] = [];

  constructor(
    readonly graph: GraphProto,
    readonly context: ReadContext,
  ) {
    this.#graphNames = NameScope.ofGraph(context.opset);
    this.#read = new Set([...bodyReads(graph), ...context.functions.flatMap(functionReads)]);
  }

  read(): ReadGraph {
    loaded(operators);
    const { what, inputShapes, inputValues } = this.context;
    const names = this.#graphNames;
    this.#initializers(this.graph, names);
    const reader = new InputReader(what, inputShapes);
    // Old files list initializers among the inputs, as defaults that a user could override.
    const fed = this.graph.input.filter(({ name }) => !names.has(name));
    const seen = new Set<string>();
    for (const { name } of this.graph.input) {
      if (seen.has(name)) throw new StriateError(`${what}: two inputs are named "${name}"`);
      seen.add(name);
    }
    const inputs = fed.flatMap((info): [string, Tensor][] => {
      const item = reader.read(info);
      const { name } = info;
      const value = Object.hasOwn(inputValues, name) ? inputValues[name] : undefined;
      const isFed = value === undefined || isSequence(item);
      names.set(name, isFed ? item : filled(item, value, `${what}: input "${name}"`), what);
      return isFed ? named(name, item) : [];
    });
    const twice = inputs.find(([name], i) => inputs.findIndex(([other]) => other === name) !== i);
    if (twice !== undefined) throw new StriateError(`${what}: two inputs are named "${twice[0]}"`);
    this.#inputs = inputs.map(([, tensor]) => tensor);
    this.#nodes(this.graph.node, names);
    const outputs = this.#graphOutputs();
    if (outputs.length === 0) throw new StriateError(`${what}: the graph has no output`);
    const noise = [...this.#noise];
    return {
      inputs: Object.fromEntries([...inputs, ...noise.map(([name, { tensor }]) => [name, tensor] as const)]),
      noise: Object.fromEntries(noise.map(([name, { kind }]) => [name, kind])),
      outputs: Object.fromEntries(outputs),
      values: names.ownTensors,
      nodes: this.#nodeResults,
      parameters: this.#parameters,
    };
  }

  /** The outputs of the whole graph. Each tensor of a sequence is an output of its own. */
  #graphOutputs(): [string, Tensor][] {
    const { what } = this.context;
    const outputs = this.#outputs(this.graph, this.#graphNames, what).flatMap(([name, item]) => {
      if (item === undefined || (isSequence(item) && item.length === 0))
        throw new StriateError(
          `${what}: expected a tensor for the output "${name}", got ${item ? "an empty sequence" : "an empty optional value"}`,
        );
      return named(name, item);
    });
    const seen = new Set<string>();
    for (const [name] of outputs) {
      if (seen.has(name)) throw new StriateError(`${what}: two outputs are named "${name}"`);
      seen.add(name);
    }
    return outputs;
  }

  #outputs(graph: GraphProto, names: NameScope, what: string): [string, Item][] {
    const seen = new Set<string>();
    return graph.output.map(({ name }) => {
      if (!names.has(name)) throw new StriateError(`${what}: nothing makes the output "${name}"`);
      if (seen.has(name)) throw new StriateError(`${what}: two outputs are named "${name}"`);
      seen.add(name);
      return [name, names.item(name)];
    });
  }

  // ---- initializers ------------------------------------------------------------------------------------------------

  #initializers(graph: GraphProto, names: NameScope): void {
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
      names.set(name, this.#initializer(proto, roles.get(name) ?? "weight"), what);
    }
  }

  #initializer(proto: TensorProto, role: "weight" | "statistic" | "setting"): Tensor {
    const name = proto.name;
    const { what, externalData, valuesStay: stay } = this.context;
    const data = decodeTensor(proto, `${what}: initializer "${name}"`, externalData, { stay });
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

  #nodes(nodes: readonly NodeProto[], names: NameScope): void {
    const { what } = this.context;
    for (const node of sortNodes(nodes, what)) {
      const where = `${what}: ${nodeTitle(node)}`;
      if (!names.isGraph && ++this.#unrolled > MOST_UNROLLED) {
        throw new StriateError(
          `${where}: loops and functions unroll to more than ${MOST_UNROLLED} nodes: shorten them with inputShapes`,
        );
      }
      const made = this.#guarded(node, names, where);
      const [first] = made;
      if (names.isGraph && node.name !== "" && first !== undefined && !isSequence(first))
        this.#nodeResults.set(node.name, first);
      for (const [i, name] of node.output.entries()) {
        const isMissing = i >= made.length;
        const isUnread = OFTEN_UNREAD.has(node.opType) && !this.#read.has(name);
        if (name === "" || (isMissing && isUnread)) continue;
        if (isMissing) throw new StriateError(`${where}: the operator has no output ${i} ("${name}")`);
        names.set(name, made[i], where);
      }
    }
  }

  /**
   * Reads a node. Any error that a rule throws for an invalid node becomes a StriateError that names the
   * node.
   */
  #guarded(node: NodeProto, names: NameScope, where: string): readonly Item[] {
    try {
      const made = this.#node(node, names, where);
      return made.map((item) => (item === undefined || isSequence(item) ? item : checked(item)));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (error instanceof StriateError && why.startsWith(this.context.what)) throw error;
      const reason = error instanceof StriateError ? why : `it is not valid (${why})`;
      throw new StriateError(`${where}: ${reason}`, { cause: error });
    }
  }

  #node(node: NodeProto, names: NameScope, where: string): readonly Item[] {
    const called = this.#functionOf(node);
    const protos = names.attributesOf(node);
    if (node.input.length > MOST_INPUTS) throw new StriateError(`${node.input.length} inputs are too many`);
    if (called !== undefined) return this.#inlined(called, protos, this.#items(node, names), names);
    const isStandard = node.domain === "" || node.domain === "ai.onnx";
    const readsItems = isStandard && (ITEM_OPERATORS.has(node.opType) || SEQUENCE_OPERATORS.has(node.opType));
    if (!readsItems) return this.#ofTensors(node, protos, names, where);
    const items = this.#items(node, names);
    const [first] = items;
    // The only attribute of Optional is the type of the value.
    const decoded = node.opType === "Optional" ? [] : protos;
    const { attributes, graphs } = decodeAttributes(decoded, where, this.context.externalData);
    switch (node.opType) {
      case "Identity":
        if (first === undefined ? this.#isEmpty(node.input[0], names) : isSequence(first)) return [first];
        return this.#ofTensors(node, protos, names, where);
      case "If":
        if (first !== undefined && isSequence(first)) throw new StriateError("its condition is a sequence");
        return this.#branch(first, graphs, names);
      case "Loop":
        return unrolledLoop(this.#body(graphs, names), items);
      case "SequenceMap":
        return mappedSequences(this.#body(graphs, names), items);
      default:
        return [sequenceCall(node.opType, { inputs: items, attributes })];
    }
  }

  /** Whether a name stands for an optional value that is empty. */
  #isEmpty(name: string | undefined, names: NameScope): boolean {
    return name !== undefined && name !== "" && names.has(name) && names.item(name) === undefined;
  }

  /** The results of a node all of whose operands are tensors. */
  #ofTensors(
    node: NodeProto,
    protos: readonly AttributeProto[],
    names: NameScope,
    where: string,
  ): readonly Item[] {
    const inputs = node.input.map((name) => this.#operand(name, names));
    const { attributes, graphs } = decodeAttributes(protos, where, this.context.externalData);
    const name = node.output.find((output) => output !== "") ?? node.name;
    if (node.opType === "Constant") return [renamed(constantOf(attributes), name)];
    if (node.opType === "Scan") {
      const unroll = names.opset < 9 ? unrolledBatchScan : unrolledScan;
      return unroll(this.#body(graphs, names), inputs, attributes);
    }
    let outputCount = node.output.length;
    const isOpen = (output: string) =>
      output === "" || (OFTEN_UNREAD.has(node.opType) && !this.#read.has(output));
    while (outputCount > 1 && isOpen(node.output[outputCount - 1]!)) outputCount--;
    return this.#call({
      type: typeOf(node),
      inputs,
      attributes,
      outputCount,
      opset: names.opset,
      name,
      draw: (kind, shape) => this.#draw(node.name === "" ? name : node.name, kind, shape),
    });
  }

  /** Turns the random numbers of a node into an input of the model, `noise:NODE`. */
  #draw(node: string, kind: NoiseKind, shape: Shape): Tensor {
    const taken = (name: string) => this.#graphNames.has(name) || this.#noise.has(name);
    let name = this.#names.keep(`noise:${node}`);
    while (taken(name)) name = this.#names.next(`noise:${node}`);
    const given = Object.hasOwn(this.context.inputShapes, name) ? this.context.inputShapes[name] : undefined;
    const drawn = given ?? shape;
    if (drawn.length !== shape.length || shape.some((dim, axis) => isStatic(dim) && dim !== drawn[axis]))
      throw new StriateError(
        `expected noise of shape ${showShape(shape)}, got the shape ${showShape(drawn)}`,
      );
    if (drawn.some((dim) => !isStatic(dim) && dim.includes("?")))
      throw new StriateError(
        "the shape of its random numbers is known only when the graph runs: fix the shapes of the inputs (inputShapes)",
      );
    const tensor = input(name, drawn);
    this.#noise.set(name, { tensor, kind });
    return tensor;
  }

  /** The function of the file that a node calls, or undefined for a standard operator. */
  #functionOf({ domain, opType, overload }: NodeProto): FunctionProto | undefined {
    if (domain === "" || domain === "ai.onnx") return undefined;
    const called = this.context.functions.find(
      (one) => one.name === opType && one.domain === domain && one.overload === overload,
    );
    const isKnown = isStandardDomain(domain) || (domain === RUNTIME_DOMAIN && RUNTIME_OPERATORS.has(opType));
    if (called === undefined && !isKnown)
      throw new StriateError(`expected a standard operator, got one of the domain "${domain}"`);
    return called;
  }

  #items(node: NodeProto, names: NameScope): Item[] {
    return node.input.map((name) => {
      if (name !== "" && !names.has(name)) throw new StriateError(`it reads "${name}", which nothing makes`);
      return name === "" ? undefined : names.item(name);
    });
  }

  #operand(name: string, names: NameScope): Tensor | undefined {
    if (name === "") return undefined;
    if (names.sequence(name) !== undefined)
      throw new StriateError(`it reads "${name}", a sequence, which only operators on sequences can`);
    if (!names.has(name)) throw new StriateError(`it reads "${name}", which nothing makes`);
    return names.get(name);
  }

  // ---- bodies and functions ----------------------------------------------------------------------------------------

  /**
   * The results of an If. A branch that a known condition selects is read like nodes of the graph. If the condition
   * depends on an input, the graph computes both branches and selects the results.
   */
  #branch(condition: Tensor | undefined, graphs: ReadonlyMap<string, GraphProto>, names: NameScope): Item[] {
    if (condition === undefined) throw new StriateError("its condition is missing");
    const flag = flagOf(condition);
    const read = (selected: boolean, scope: NameScope): Item[] => {
      const body = graphs.get(selected ? "then_branch" : "else_branch");
      if (body === undefined) throw new StriateError("the branch that its condition selects is missing");
      this.#bodyInitializers(body, scope);
      this.#nodes(body.node, scope);
      return this.#outputs(body, scope, "the branch").map(([, item]) => item);
    };
    if (typeof flag === "boolean") return read(flag, names);
    const then = read(true, names.inner(gateOf(flag)));
    const otherwise = read(false, names.inner(gateOf(not(flag))));
    if (then.length !== otherwise.length)
      throw new StriateError(`its branches have ${then.length} and ${otherwise.length} outputs`);
    return then.map((item, i) => chosen(flag, item, otherwise[i]));
  }

  /** Returns a function that adds the nodes of a loop body to the graph for one iteration. */
  #body(graphs: ReadonlyMap<string, GraphProto>, names: NameScope): Body {
    const body = graphs.get("body");
    if (body === undefined) throw new StriateError("its body is missing");
    return (inputs, isSelected) => {
      const inputNames = body.input.map(({ name }) => name);
      if (inputNames.length !== inputs.length)
        throw new StriateError(`expected ${inputNames.length} inputs for its body, got ${inputs.length}`);
      const step = names.inner(isSelected && gateOf(isSelected));
      this.#bodyInitializers(body, step);
      for (const [i, name] of inputNames.entries()) step.set(name, inputs[i], "its body");
      this.#nodes(body.node, step);
      return this.#outputs(body, step, "its body").map(([, item]) => item);
    };
  }

  #bodyInitializers(body: GraphProto, names: NameScope): void {
    const known = this.#bodies.get(body);
    if (known !== undefined) {
      for (const [name, tensor] of known) names.set(name, tensor, "its body");
      return;
    }
    for (const { name } of body.initializer) {
      if (this.#parameters.has(name))
        throw new StriateError(
          `the initializer "${name}" of its body has the same name as another initializer`,
        );
    }
    this.#initializers(body, names);
    this.#bodies.set(body, new Map(body.initializer.map(({ name }) => [name, names.get(name)!])));
  }

  /** Reads the nodes of a function in place of its call. */
  #inlined(
    called: FunctionProto,
    protos: readonly AttributeProto[],
    inputs: readonly Item[],
    names: NameScope,
  ): Item[] {
    const what = `the function "${called.name}"`;
    if (names.isWithin(called)) throw new StriateError(`${what} calls itself`);
    const attributes = new Map([...called.attributeProto, ...protos].map((proto) => [proto.name, proto]));
    const standard = called.opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx");
    const inner = names.ofCall(called, attributes, standard ? Number(standard.version) : names.opset);
    if (inputs.length > called.input.length)
      throw new StriateError(`${what}: expected ${called.input.length} inputs, got ${inputs.length}`);
    for (const [i, name] of called.input.entries()) inner.set(name, inputs[i], what);
    this.#nodes(called.node, inner);
    return called.output.map((name) => {
      if (!inner.has(name)) throw new StriateError(`nothing in ${what} makes its output "${name}"`);
      return inner.item(name);
    });
  }

  #call(call: ImportedCall): readonly Tensor[] {
    if (!STANDARD_OPERATORS.has(call.type) && !call.type.includes("::")) {
      const near = closest(call.type, [...STANDARD_OPERATORS]);
      throw new StriateError(
        `${call.type} is not a standard operator${near === undefined ? "" : `; ${near} is one`}`,
      );
    }
    const converted = convert(call);
    if (!("type" in converted)) return converted;
    const { type, inputs, attributes, name } = converted;
    const pieces = type === "Split" ? foldSplit(inputs, attributes, this.#folded)?.map(dataOf) : undefined;
    if (pieces?.every((piece) => piece !== undefined) === true) return pieces.map((piece) => constant(piece));
    const value = fold(type, inputs, attributes, this.#folded);
    const data = value && dataOf(value);
    if (data !== undefined) return [namedConstant(data, name)];
    if (operatorOf(type) === undefined) throw refusal(type);
    guardRank(converted);
    const ready = settled(converted);
    const made = emptyResults(ready) ?? make(ready);
    const [only] = made;
    return value === undefined || only === undefined || only.known !== undefined
      ? made
      : [this.#known(only, value, name)];
  }

  /**
   * Adds the result of folding to a computed shape, because the operators' own rules do not follow all shape
   * arithmetic. If all names in it are axes of inputs, the shape is read from the inputs instead, so that it
   * stays known when the graph is rewritten.
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

function refusal(type: string): StriateError {
  const reason = REASONS[type];
  return new StriateError(
    `the operator ${type} is not supported${reason === undefined ? "" : ` (${reason})`}; docs/operators.md lists those that are`,
  );
}

/**
 * The type of a node. It includes the domain for operators of other domains, except for operators of
 * com.microsoft that have the same name as a standard operator.
 */
function typeOf({ domain, opType }: NodeProto): string {
  const isOwn = isStandardDomain(domain) || (domain === RUNTIME_DOMAIN && !STANDARD_OPERATORS.has(opType));
  return isOwn ? `${domain}::${opType}` : opType;
}

/**
 * Replaces an output of a node by one with other known elements. This is valid only if no node reads the
 * output yet.
 */
function withKnown({ node, index, dtype, shape }: Tensor, known?: readonly Dim[]): Tensor {
  return (node.outputs[index] = new Tensor(node, index, dtype, shape, known));
}

/**
 * Replaces a computed target of Reshape by a constant, if this is possible: 0 keeps an axis, and -1 marks the
 * one axis that takes the remaining elements.
 */
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

/**
 * Throws if a Reshape has too high a rank. If the values of its target are unknown, the length of the target
 * still gives the rank.
 */
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
  if (shape.some(tooLong)) throw new StriateError("the length of an axis of its result is unknown");
  if (known?.some((dim) => !isStatic(dim) && tooLong(dim)) !== true) return tensor;
  return withKnown(tensor);
}

function leaf(content: Leaf, dtype: DType, shape: Shape, name?: string, known?: readonly Dim[]): Tensor {
  const node = new GraphNode(content.kind, [], {}, content, name);
  const tensor = new Tensor(node, 0, dtype, shape, known);
  node.outputs.push(tensor);
  return tensor;
}

/** Gives a constant the name that it has in the file. */
function renamed(tensor: Tensor, name: string): Tensor {
  return leaf(tensor.node.leaf!, tensor.dtype, tensor.shape, name, tensor.known);
}

/** A constant with a name, under which it is written to files. */
export function namedConstant(data: TensorData, name: string): Tensor {
  return renamed(constant(data), name);
}
