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

/** A call of an operator, as its rules get it. */
export interface Call {
  readonly type: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes: Attributes;
  readonly outputCount: number;
}

/** A call as gradient rules get it, with its outputs and their gradients. */
export interface GradientCall extends Call {
  readonly outputs: readonly Tensor[];
  /** Element types of the outputs in the graph. In `outputs`, narrower floating-point types are cast to float32. */
  readonly outputTypes: readonly DType[];
  /** The gradient of the first output. Reading it throws if only other outputs have a gradient. */
  readonly dy: Tensor;
  /** The first output. */
  readonly y: Tensor;
  /** The gradient of an output, undefined if it has none. A rule must ask for the gradient of every float output. */
  received(output: number): Tensor | undefined;
  /**
   * Whether the gradient of input i is wanted. Rules call it before work that several gradients share; all other work
   * is lazy.
   */
  needs(input: number): boolean;
  /** Computes the gradients through other operators: `compose` computes the same outputs from the same inputs. */
  through(
    compose: (inputs: readonly (Tensor | undefined)[]) => readonly Tensor[],
  ): readonly (Tensor | "zero" | undefined)[];
}

/**
 * The gradient of one input: a tensor, or a function that computes it and is called only if the gradient is wanted.
 * "zero" means that no small change of the input changes the outputs. Undefined means that the input cannot have a
 * gradient, so asking for it is an error.
 */
export type OperandGradient = Tensor | (() => Tensor) | "zero" | undefined;

/**
 * Returns the gradient of each input. A rule gets the inputs of the call also as arguments, so that it reads as its
 * mathematics: `({ dy }, x, y) => [() => mul(dy, y), () => mul(dy, x)]`. Inputs that a call may lack are declared as
 * optional.
 */
export type GradientRule = (call: GradientCall, ...inputs: Tensor[]) => readonly OperandGradient[];

/**
 * Evaluates a gradient rule for a call, in the order of the inputs. A gradient is undefined if it is unknown or not
 * wanted.
 */
export function applyGradientRule(
  rule: GradientRule,
  call: GradientCall,
): readonly (Tensor | "zero" | undefined)[] {
  return rule(call, ...(call.inputs as Tensor[])).map((gradient, i) => {
    if (typeof gradient !== "function") return gradient;
    return call.needs(i) ? gradient() : undefined;
  });
}

/** The device or kind of file that a graph is lowered for. */
export type Target = "cpu" | "webgpu" | "cuda" | "wasm" | "portable";

/** Facts that a lowering may use in addition to the call. */
export interface LoweringContext {
  /**
   * Whether a value is the same in every run because it depends only on constants and on parameters that are written as
   * constants.
   */
  isFixed(tensor: Tensor): boolean;
}

/** Rewrites a call for a target. Undefined leaves the call unchanged. */
export type LoweringRule = (
  call: Call,
  target: Target,
  context: LoweringContext,
) => readonly Tensor[] | undefined;

export interface Operator {
  readonly type: string;
  /** Type and shape of the outputs; throws if the inputs do not fit. */
  readonly infer: (call: Call) => readonly TensorType[];
  /**
   * The gradient rule. "zero" means that the outputs are piecewise constant or integers. Absent: differentiating is an
   * error.
   */
  readonly gradient?: GradientRule | "zero";
  /** Whether the integer outputs have a gradient (a straight-through estimate, which ignores rounding). */
  readonly straightThrough?: boolean;
  /**
   * Returns the inputs of one call that equals the sum of two calls, or undefined. If an unrolled loop uses a weight at
   * every step, one call thus collects all its gradients, and a lowering does the shared work once.
   */
  readonly mergeSum?: (a: Call, b: Call) => readonly (Tensor | undefined)[] | undefined;
  /** Whether ONNX lacks the operator, so that it exists only until the graph is lowered. */
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
 * Marks the modules of a namespace as needed for the operators that they define. Bundlers drop a module if nothing of
 * it is used, but not if its namespace is passed to a function.
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

/** Repeats the call of a node with other inputs, and with the same attributes, names, scope and line. */
export function applyAgain(node: GraphNode, inputs: readonly (Tensor | undefined)[]): Tensor[] {
  const { type, attributes, outputs, importedName } = node;
  const options = { outputs: outputs.length, ...(importedName !== undefined && { name: importedName }) };
  return node.replaced(() => apply(type, inputs, attributes, options));
}

/** The sum a + b: one call if the operator has `mergeSum`, else an Add. */
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

/** Throws the error for inputs that do not fit an operator. */
export function rejectCall(call: Call, why: string): never {
  const got = call.inputs.map((tensor) =>
    tensor === undefined ? "nothing" : `${tensor.dtype}${showShape(tensor.shape)}`,
  );
  throw new StriateError(`${call.type}(${got.join(", ")}): ${why}`);
}

/** Returns input i, or throws an error if it is missing. */
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
