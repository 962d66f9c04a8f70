import type { Dim } from "../../dims.js";
import { isStatic } from "../../dims.js";
import type { Call, GradientCall } from "../../operator.js";
import { applySingle, defineOperator, rejectCall, required, stringAttribute } from "../../operator.js";
import type { Tensor } from "../../tensor.js";
import { axisMatrix, floatConstant } from "./axis-matrix.js";
import { expandLike } from "../broadcast.js";
import { mul } from "../elementwise/elementwise.js";
import { sum } from "../reduce/reduce.js";
import { squeeze, transpose, unsqueeze } from "../shape/shape.js";

interface Equation {
  /** For each operand, one letter per axis. Ellipses are replaced by letters. */
  readonly terms: readonly string[];
  readonly result: string;
  readonly lengths: ReadonlyMap<string, Dim>;
}

/**
 * Letters for the axes of an ellipsis. The first unused letter stands for the last axis, so that ellipses of
 * different lengths are aligned at their ends.
 */
const HIDDEN = "ZYXWVUTSRQPONMLKJIHGFEDCBA";

/** Reads the equation of a call and checks it against the operands. */
function equationOf(call: Call): Equation {
  const text = stringAttribute(call.attributes, "equation", "").replaceAll(" ", "");
  const [left, right] = text.split("->") as [string, string | undefined];
  const written = left.split(",");
  if (written.length !== call.inputs.length) {
    rejectCall(call, `expected ${written.length} operands for "${text}", got ${call.inputs.length}`);
  }
  const free = Array.from(HIDDEN).filter((letter) => !text.includes(letter));
  let hidden = 0;
  const spell = (term: string, count: number) => {
    hidden = Math.max(hidden, count);
    return term.replace("...", free.slice(0, count).reverse().join(""));
  };
  const terms = written.map((term, i) => {
    const rank = required(call, i, `operand ${i}`).rank;
    const plain = term.replace("...", "").length;
    const full = term.includes("...") ? spell(term, Math.max(0, rank - plain)) : term;
    if (full.length !== rank || !/^[A-Za-z]*$/.test(full))
      rejectCall(call, `"${term}" does not fit an operand of rank ${rank}`);
    return full;
  });
  const lengths = new Map<string, Dim>();
  for (const [i, term] of terms.entries()) {
    for (const [axis, letter] of Array.from(term).entries())
      addLength(call, lengths, letter, call.inputs[i]!.shape[axis]!);
  }
  const result = right === undefined ? implicitResult(left, free.slice(0, hidden)) : spell(right, hidden);
  for (const letter of result) {
    if (!lengths.has(letter)) rejectCall(call, `letter "${letter}" of the result is in no operand`);
  }
  return { terms, result, lengths };
}

function addLength(call: Call, lengths: Map<string, Dim>, letter: string, dim: Dim): void {
  const before = lengths.get(letter);
  if (before === undefined || before === 1) lengths.set(letter, dim);
  else if (isStatic(dim) && isStatic(before) && dim !== before && dim !== 1) {
    rejectCall(call, `axis "${letter}" has the lengths ${before} and ${dim}`);
  } else if (isStatic(dim) && !isStatic(before) && dim !== 1) lengths.set(letter, dim);
}

/**
 * The result of an equation without an arrow: the axes of the ellipsis, then every letter that occurs once,
 * in alphabetical order.
 */
function implicitResult(left: string, hidden: readonly string[]): string {
  const letters = Array.from(left).filter((letter) => /[A-Za-z]/.test(letter));
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  return [...hidden].reverse().join("") + once.sort().join("");
}

defineOperator({
  type: "Einsum",
  infer: (call) => {
    const { result, lengths } = equationOf(call);
    const dtype = call.inputs[0]!.dtype;
    if (call.inputs.some((x) => x!.dtype !== dtype))
      rejectCall(call, "all operands must have the same element type");
    return [{ dtype, shape: Array.from(result, (letter) => lengths.get(letter)!) }];
  },
  gradient: (call) => {
    const { dy } = call;
    const equation = equationOf(call);
    return call.inputs.map((_, i) => () => operandGradient(call, equation, dy, i));
  },
  // A sum over axes is lowered like any other sum, so that long sums stay accurate.
  lower: (call, target) => {
    const { terms, result } = equationOf(call);
    if (target === "webgpu" || target === "portable") return withoutRepeats(call);
    const [term] = terms as [string];
    const isPlain = terms.length === 1 && new Set(term).size === term.length && result.length < term.length;
    if (!isPlain || (target !== "cpu" && target !== "wasm")) return undefined;
    const kept = Array.from(term).filter((letter) => result.includes(letter));
    const summed = Array.from(term).flatMap((letter, axis) => (result.includes(letter) ? [] : [axis]));
    const order = Array.from(result, (letter) => kept.indexOf(letter));
    return [transpose(sum(call.inputs[0]!, summed), order)];
  },
});

/**
 * Drops axes of length 1 along which an operand is repeated: on WebGPU, ONNX Runtime 1.30 reads zeros instead,
 * and rejects three dots. Returns undefined if no operand is repeated.
 */
function withoutRepeats(call: Call): Tensor[] | undefined {
  const { terms, result, lengths } = equationOf(call);
  const repeated = terms.map((term, i) =>
    Array.from(term).flatMap((letter, axis) =>
      call.inputs[i]!.shape[axis] === 1 && lengths.get(letter) !== 1 ? [axis] : [],
    ),
  );
  if (repeated.every((axes) => axes.length === 0)) return undefined;
  const names = new Map([...lengths.keys()].map((letter, i) => [letter, LETTERS[i]!]));
  if (names.size > LETTERS.length) return undefined;
  const spell = (letters: readonly string[]) => letters.map((letter) => names.get(letter)!).join("");
  const operands = call.inputs.map((x, i) => (repeated[i]!.length === 0 ? x! : squeeze(x!, repeated[i]!)));
  const left = terms.map((term, i) =>
    spell(Array.from(term).filter((_, axis) => !repeated[i]!.includes(axis))),
  );
  return [applySingle("Einsum", operands, { equation: `${left.join(",")}->${spell(Array.from(result))}` })];
}

/** The letters that ONNX allows. */
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/**
 * The gradient of operand i: the same sum of products with dy in place of this operand. If an axis of the
 * operand was only summed, the gradient is the same everywhere along it. If broadcasting stretched an axis,
 * the gradient is summed over it. If a letter is on two axes, only their diagonal was read, so all other
 * elements get 0.
 */
function operandGradient(
  call: GradientCall,
  { terms, result, lengths }: Equation,
  dy: Tensor,
  i: number,
): Tensor {
  const [term, x] = [Array.from(terms[i]!), call.inputs[i]!];
  const others = call.inputs.flatMap((operand, at) =>
    at === i ? [] : [{ operand: operand!, term: terms[at]! }],
  );
  const available = new Set(result + others.map((other) => other.term).join(""));
  const isReached = (letter: string, axis: number) =>
    term.indexOf(letter) === axis &&
    available.has(letter) &&
    (x.shape[axis] !== 1 || lengths.get(letter) === 1);
  const reached = term.filter(isReached).join("");
  let gradient = einsum(
    `${[result, ...others.map((other) => other.term)].join(",")}->${reached}`,
    dy,
    ...others.map((other) => other.operand),
  );
  const missing = term.flatMap((letter, axis) => (isReached(letter, axis) ? [] : [axis]));
  if (missing.length === 0) return gradient;
  gradient = unsqueeze(gradient, missing);
  for (const [axis, letter] of term.entries()) {
    const before = term.indexOf(letter);
    if (before !== axis) gradient = mul(gradient, diagonal(call, x, before, axis));
  }
  return expandLike(gradient, x);
}

/** A mask that is 1 for elements with the same index along two axes of x, else 0. */
function diagonal(call: Call, x: Tensor, first: number, second: number): Tensor {
  const length = x.shape[first]!;
  if (!isStatic(length)) rejectCall(call, "no gradient along a diagonal of unknown length");
  const ones = axisMatrix(length, length, (set) => {
    for (let at = 0; at < length; at++) set(at, at, 1);
  });
  const shape = x.shape.map((_, axis) => (axis === first || axis === second ? length : 1));
  return floatConstant(ones.values, shape, x.dtype);
}

/** Sum of products in Einstein's notation: `einsum("bik,bkj->bij", a, b)`. */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  return applySingle("Einsum", operands, { equation });
}
