import { StriateError } from "../util/errors.js";

/**
 * The length of one axis: a number, or a product of symbols with an integer coefficient in canonical form
 * ("batch", "2*batch", "batch*time"). A symbol that starts with "?" stands for an unknown length.
 */
export type Dim = number | string;
/** The lengths of all axes, outermost first. */
export type Shape = readonly Dim[];

interface Monomial {
  readonly coefficient: number;
  readonly symbols: readonly string[];
}

const SYMBOL = /^[A-Za-z_?][\w.?/:+-]*$/;

function parse(dim: Dim): Monomial {
  if (typeof dim === "number") return { coefficient: dim, symbols: [] };
  let coefficient = 1;
  const symbols: string[] = [];
  for (const factor of dim.split("*")) {
    if (/^\d+$/.test(factor)) coefficient *= Number(factor);
    else symbols.push(factor);
  }
  return { coefficient, symbols: symbols.sort() };
}

function format({ coefficient, symbols }: Monomial): Dim {
  if (coefficient === 0 || symbols.length === 0) return coefficient;
  return (coefficient === 1 ? symbols : [String(coefficient), ...symbols]).join("*");
}

/**
 * Checks an axis length that a user has given and returns it in canonical form. It must be a whole number of
 * at least 1, a symbol, or a product of these.
 */
export function checkDim(dim: Dim, what: string): Dim {
  if (typeof dim === "number") {
    if (Number.isInteger(dim) && dim >= 1) return dim;
    throw new StriateError(`${what}: an axis length must be a whole number of at least 1, got ${dim}`);
  }
  for (const factor of dim.split("*")) {
    if (!/^\d+$/.test(factor) && !SYMBOL.test(factor)) {
      throw new StriateError(`${what}: "${dim}" is not a valid name of an axis length`);
    }
  }
  return format(parse(dim));
}

let unknowns = 0;

/** Returns a new unknown length. It equals no other length. */
export function unknownDim(): Dim {
  unknowns += 1;
  return `?${unknowns}`;
}

export function isStatic(dim: Dim): dim is number {
  return typeof dim === "number";
}

export function isStaticShape(shape: Shape): shape is readonly number[] {
  return shape.every(isStatic);
}

export function multiplyDims(a: Dim, b: Dim): Dim {
  const left = parse(a);
  const right = parse(b);
  return format({
    coefficient: left.coefficient * right.coefficient,
    symbols: [...left.symbols, ...right.symbols].sort(),
  });
}

/** The exact quotient a / b, or undefined if there is none. */
export function divideDims(a: Dim, b: Dim): Dim | undefined {
  const left = parse(a);
  const right = parse(b);
  if (right.coefficient === 0 || left.coefficient % right.coefficient !== 0) return undefined;
  const rest = [...left.symbols];
  for (const symbol of right.symbols) {
    const at = rest.indexOf(symbol);
    if (at < 0) return undefined;
    rest.splice(at, 1);
  }
  return format({ coefficient: left.coefficient / right.coefficient, symbols: rest });
}

/**
 * Returns a + b if both lengths are multiples of the same symbols or one of them is 0; otherwise, an unknown
 * length.
 */
export function addDims(a: Dim, b: Dim): Dim {
  const left = parse(a);
  const right = parse(b);
  if (left.coefficient === 0) return b;
  if (right.coefficient === 0) return a;
  if (left.symbols.join("*") !== right.symbols.join("*")) return unknownDim();
  return format({ coefficient: left.coefficient + right.coefficient, symbols: left.symbols });
}

/** Number of elements of a tensor with this shape. */
export function sizeOf(shape: Shape): Dim {
  return shape.reduce<Dim>(multiplyDims, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** A shape as text for messages, such as `[batch, 3, 32, 32]`. */
export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/**
 * Thrown if a graph is right for only one length of a named axis, for example because an exporter wrote the
 * batch size into a Reshape.
 */
export class FixedLengthError extends StriateError {
  constructor(
    message: string,
    readonly symbol: string,
    readonly length: number,
  ) {
    super(message);
  }
}

/**
 * Solves `dim` = `length` for the symbol of `dim`. Returns the symbol and its length, or undefined if there
 * is no solution or `dim` is not a multiple of a single named symbol.
 */
export function lengthOf(
  dim: Dim,
  length: number,
): { readonly symbol: string; readonly length: number } | undefined {
  const { coefficient, symbols } = parse(dim);
  const [symbol, other] = symbols;
  if (symbol === undefined || other !== undefined || symbol.startsWith("?")) return undefined;
  const only = length / coefficient;
  return Number.isInteger(only) && only >= 1 ? { symbol, length: only } : undefined;
}

/** The symbols in a length, including unknown ones ("?"). */
export function symbolsOf(dim: Dim): readonly string[] {
  return parse(dim).symbols;
}

export function coefficientOf(dim: Dim): number {
  return parse(dim).coefficient;
}

/** The shape to which two shapes broadcast by NumPy's rules; undefined if they do not fit. */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const result: Dim[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left === right || right === 1) result.push(left);
    else if (left === 1) result.push(right);
    else if (isStatic(left) && isStatic(right)) return undefined;
    // One of the lengths is symbolic, so ONNX Runtime checks it when the model runs. If the other length is a
    // number above 1, it is the only length that fits both.
    else if (isStatic(left)) result.push(left);
    else if (isStatic(right)) result.push(right);
    else if (left.startsWith("?")) result.push(right);
    else if (right.startsWith("?")) result.push(left);
    else return undefined;
  }
  return result;
}

/** Converts a possibly negative axis to the range 0 to rank - 1. */
export function normaliseAxis(axis: number, rank: number, what: string): number {
  const at = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || at < 0 || at >= rank) {
    throw new StriateError(`${what}: axis ${axis} does not exist in a tensor of rank ${rank}`);
  }
  return at;
}
