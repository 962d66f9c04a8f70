import { StriateError } from "../util/errors.js";
import type { Dim, Shape } from "./dims.js";
import { showShape } from "./dims.js";
import type { DType } from "./dtype.js";
import type { Attribute, Attributes } from "./tensor.js";
import { GraphNode, Tensor } from "./tensor.js";

/** Type and shape of one output, and (for shape arithmetic) its elements, if they are known. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly known?: readonly Dim[] | undefined;
}

/** A call of an operator, in the form in which the operator's rules get it. */
export interface Call {
  readonly type: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes: Attributes;
  readonly outputCount: number;
}

/** A call in the form in which gradient rules get it, with its outputs and their gradients. */
export interface GradientCall extends Call {
  readonly outputs: readonly Tensor[];
  /**
   * Element types that the outputs have in the graph. In `outputs`, floating-point types narrower than
   * float32 are cast to float32.
   */
  readonly outputTypes: readonly DType[];
  /** The gradient of the first output. Reading it throws if only other outputs have a gradient. */
  readonly dy: Tensor;
  /** The first output. */
  readonly y: Tensor;
  /**
   * The gradient of an output, or undefined if it has none. A rule must read the gradient of every output
   * that has one; otherwise differentiation throws an error.
   */
  received(output: number): Tensor | undefined;
  /**
   * Whether the gradient of an input is wanted. A rule must ask only before work that several gradients
   * share. It returns the gradient of a single input as a function, which is called only if that gradient is
   * wanted.
   */
  needs(input: number): boolean;
  /**
   * Computes the gradients by way of other operators: `compose` must compute the same outputs from the same
   * inputs.
   */
  through(
    compose: (inputs: readonly (Tensor | undefined)[]) => readonly Tensor[],
  ): readonly (Tensor | "zero" | undefined)[];
}

/**
 * The gradient of one input: a tensor, or a function that computes it and is called only if the gradient is
 * wanted. "zero" means that no small change of the input changes the outputs. Undefined means that the input
 * cannot have a gradient, so asking for it is an error.
 */
export type OperandGradient = Tensor | (() => Tensor) | "zero" | undefined;

/**
 * Returns the gradient of each input. A rule gets the inputs of the call as further arguments, so that it
 * reads like a formula: `({ dy }, x, y) => [() => mul(dy, y), () => mul(dy, x)]`. A rule declares the inputs
 * that a call may lack as optional.
 */
export type GradientRule = (call: GradientCall, ...inputs: Tensor[]) => readonly OperandGradient[];

/**
 * Evaluates a gradient rule for a call and returns the gradients in the order of the inputs. A gradient is
 * undefined if the rule has none for the input or if it is not wanted.
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

/** Facts that a lowering rule may use in addition to the call. */
export interface LoweringContext {
  /**
   * Whether a value is the same in every run because it depends only on constants and on parameters that are
   * written as constants.
   */
  isFixed(tensor: Tensor): boolean;
}

/** Rewrites a call for a target, or returns undefined to leave the call unchanged. */
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
   * The gradient rule. "zero" means that the outputs are piecewise constant or integers. Without a rule,
   * differentiating the operator throws an error.
   */
  readonly gradient?: GradientRule | "zero";
  /** Whether the integer outputs have a gradient (a straight-through estimate, which ignores rounding). */
  readonly straightThrough?: boolean;
  /**
   * Returns the inputs of a single call whose result equals the sum of the results of two calls, or undefined
   * if there is no such call. If an unrolled loop uses the same weight in every iteration, a single call can
   * thus compute the sum of all gradients of the weight, and a lowering rule does their shared work only
   * once.
   */
  readonly mergeSum?: (a: Call, b: Call) => readonly (Tensor | undefined)[] | undefined;
  /**
   * The lowering rule, if any. Operators that ONNX lacks need one, because they may exist only until the
   * graph is lowered.
   */
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
 * Marks the modules of a namespace as needed for the operators that they define. Bundlers drop a module if
 * nothing of it is used, but not if its namespace is passed to a function.
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

/** Calls an operator: infers the types and shapes of the outputs, makes the node and returns its outputs. */
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
    if (shape.some((dim) => dim === 0))
      rejectCall(call, "expected axes of at least length 1, got one of length 0 (an empty batch?)");
    node.outputs.push(new Tensor(node, index, dtype, shape, known));
  }
  return node.outputs;
}

/**
 * Repeats the call of a node with other inputs. Attributes, imported name, scope and origin stay the same.
 */
export function applyAgain(node: GraphNode, inputs: readonly (Tensor | undefined)[]): Tensor[] {
  const { type, attributes, outputs, importedName } = node;
  const options = { outputs: outputs.length, ...(importedName !== undefined && { name: importedName }) };
  return node.replaced(() => apply(type, inputs, attributes, options));
}

/**
 * The sum a + b. If a and b come from calls of the same operator and its `mergeSum` can merge them, the sum
 * is a single call of that operator; otherwise it is an Add.
 */
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

/** Calls an operator and returns its only output. */
export function applySingle(
  type: string,
  inputs: readonly (Tensor | undefined)[],
  attributes: Attributes = {},
): Tensor {
  return apply(type, inputs, attributes)[0]!;
}

/** Throws an error that says why the inputs do not fit the operator, with their types and shapes. */
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
