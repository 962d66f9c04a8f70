import { StriateError } from "../util/errors.js";
import type { Dim, Shape } from "./dims.js";
import { showShape } from "./dims.js";
import type { DType } from "./dtype.js";
import type { Attribute, Attributes } from "./tensor.js";
import { GraphNode, Tensor } from "./tensor.js";

/** Type, shape and (for shape arithmetic) known elements of one output. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly known?: readonly Dim[] | undefined;
}

/** What a rule sees of a call. */
export interface Call {
  readonly type: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes: Attributes;
  readonly outputCount: number;
}

/** What a gradient rule sees: the call, its outputs and the gradients that they received. */
export interface GradientCall extends Call {
  readonly outputs: readonly Tensor[];
  /** Element types of the outputs in the graph: narrow ones are seen as float32. */
  readonly outputTypes: readonly DType[];
  /** The gradient of the first output. Operators with one output always have it; others without it are refused. */
  readonly dy: Tensor;
  /** The gradient of an output, undefined if it received none. A rule has to ask for that of every float output. */
  received(output: number): Tensor | undefined;
  /** Whether the gradient of input i is wanted; rules skip costly work where it is not. */
  needs(input: number): boolean;
  /** The gradients of a composition of other operators that computes the same results from the same operands. */
  through(
    compose: (inputs: readonly (Tensor | undefined)[]) => readonly Tensor[],
  ): readonly (Tensor | "zero" | undefined)[];
}

/**
 * Gradient of each input; "zero" says that no small change of an input changes the outputs. Undefined is for inputs
 * whose gradient is not wanted: for any other it means that the rule does not know it, which is an error.
 */
export type GradientRule = (call: GradientCall) => readonly (Tensor | "zero" | undefined)[];

/** Where a graph is going to run; lowerings differ. */
export type Target = "cpu" | "webgpu" | "cuda" | "wasm" | "portable";

/** What a lowering knows besides the call. */
export interface LoweringContext {
  /** Whether a value is the same in every run: it follows from constants and from parameters written as such. */
  isFixed(tensor: Tensor): boolean;
}

/** Rewrites a call for a target; undefined leaves it as it is. */
export type LoweringRule = (
  call: Call,
  target: Target,
  context: LoweringContext,
) => readonly Tensor[] | undefined;

export interface Operator {
  readonly type: string;
  /** Type and shape of the outputs; throws where the inputs do not fit. */
  readonly infer: (call: Call) => readonly TensorType[];
  /** "zero": piecewise constant or integer-valued, nothing flows. Absent: no rule, differentiating is an error. */
  readonly gradient?: GradientRule | "zero";
  /** Whether whole numbers that it makes have a gradient: it rounds, and passes gradients as if it did not. */
  readonly straightThrough?: boolean;
  /**
   * Inputs of one call that equals the sum of two, or undefined. Weights that an unrolled loop uses at every step
   * collect their gradient in one call this way, which a lowering can finish once.
   */
  readonly mergeSum?: (a: Call, b: Call) => readonly (Tensor | undefined)[] | undefined;
  /** An operator that ONNX lacks exists only until it is lowered. */
  readonly lower?: LoweringRule;
}

const registry = new Map<string, Operator>();

export function defineOperator(operator: Operator): Operator {
  if (registry.has(operator.type)) throw new StriateError(`operator ${operator.type} is defined twice`);
  registry.set(operator.type, operator);
  return operator;
}

export function operatorOf(type: string): Operator | undefined {
  return registry.get(type);
}

/**
 * Says that every module of a namespace is needed for the operators that it defines. Bundlers drop a module that nothing
 * uses, but not one whose exports are handed on as a whole.
 */
export function loaded(modules: Readonly<Record<string, unknown>>): void {
  if (Object.keys(modules).length === 0) throw new StriateError("no operators were loaded");
}

/** The names of all operators that a graph can hold, in alphabetical order. */
export function operatorTypes(): string[] {
  return [...registry.keys()].sort();
}

export interface ApplyOptions {
  readonly outputs?: number;
  /** The name that an imported file gave the node. */
  readonly name?: string;
}

/** Calls an operator: infers types, makes the node, returns its outputs. */
export function apply(
  type: string,
  inputs: readonly (Tensor | undefined)[],
  attributes: Attributes = {},
  options: ApplyOptions = {},
): Tensor[] {
  const operator = registry.get(type);
  if (operator === undefined) throw new StriateError(`operator ${type} is not known`);
  const call: Call = { type, inputs, attributes, outputCount: options.outputs ?? 1 };
  const types = operator.infer(call);
  const node = new GraphNode(type, inputs, attributes, undefined, options.name);
  for (const [index, { dtype, shape, known }] of types.entries()) {
    if (shape.some((dim) => dim === 0)) rejectCall(call, "an axis of length 0 (an empty batch?) is refused");
    node.outputs.push(new Tensor(node, index, dtype, shape, known));
  }
  return node.outputs;
}

/** The call of a node with other inputs: same attributes and names, same scope and line. */
export function applyAgain(node: GraphNode, inputs: readonly (Tensor | undefined)[]): Tensor[] {
  const { type, attributes, outputs, importedName } = node;
  const options = { outputs: outputs.length, ...(importedName !== undefined && { name: importedName }) };
  return node.replaced(() => apply(type, inputs, attributes, options));
}

/** a + b: one call where the operator can sum inside it, an Add otherwise. */
export function addGradients(a: Tensor, b: Tensor): Tensor {
  const rule = a.node.type === b.node.type ? registry.get(a.node.type)?.mergeSum : undefined;
  const inputs = rule?.(callOf(a.node), callOf(b.node));
  return inputs ? applySingle(a.node.type, inputs, a.node.attributes) : applySingle("Add", [a, b]);
}

function callOf(node: GraphNode): Call {
  return {
    type: node.type,
    inputs: node.inputs,
    attributes: node.attributes,
    outputCount: node.outputs.length,
  };
}

/** The single output of a call. */
export function applySingle(
  type: string,
  inputs: readonly (Tensor | undefined)[],
  attributes: Attributes = {},
): Tensor {
  return apply(type, inputs, attributes)[0]!;
}

/** Throws the one error for inputs that do not fit an operator. */
export function rejectCall(call: Call, why: string): never {
  const got = call.inputs.map((tensor) =>
    tensor === undefined ? "nothing" : `${tensor.dtype}${showShape(tensor.shape)}`,
  );
  throw new StriateError(`${call.type}(${got.join(", ")}): ${why}`);
}

/** Input i, which must be there. */
export function required(call: Call, index: number, name: string): Tensor {
  const tensor = call.inputs[index];
  if (tensor === undefined) rejectCall(call, `input ${name} is missing`);
  return tensor;
}

export function intAttribute(attributes: Attributes, name: string, fallback: number): number {
  const value = attributes[name];
  return typeof value === "number" ? value : fallback;
}

export function floatAttribute(attributes: Attributes, name: string, fallback: number): number {
  const value: Attribute | undefined = attributes[name];
  return typeof value === "object" && "float" in value ? value.float : fallback;
}

export function intsAttribute(attributes: Attributes, name: string): readonly number[] | undefined {
  const value = attributes[name];
  return Array.isArray(value) ? (value as readonly number[]) : undefined;
}

export function stringAttribute(attributes: Attributes, name: string, fallback: string): string {
  const value = attributes[name];
  return typeof value === "string" ? value : fallback;
}
