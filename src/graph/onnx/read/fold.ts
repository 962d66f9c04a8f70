import type { Dim } from "../../dims.js";
import { addDims, broadcastShapes, isStatic, isStaticShape, sizeOf } from "../../dims.js";
import { dtypeFromOnnx, holdsNumbers, isFloat } from "../../dtype.js";
import { intAttribute, intsAttribute } from "../../operator.js";
import type { Attributes, Tensor } from "../../tensor.js";
import type { Rule } from "./fold-elements.js";
import { ELEMENT_RULES, multiplyLengths } from "./fold-elements.js";
import type { Value } from "./known-values.js";
import { LARGEST_FOLDED, elementAt, knownSize, mapElements, sizeOfShape, valueOf } from "./known-values.js";

/*
 * Exporters write out how shapes are computed: Shape, Gather, Mul, Concat, Reshape. The rules here compute
 * this arithmetic while a file is read, for numbers and for named axis lengths, so that the shapes in the
 * graph stay known.
 */

/** Largest number of elements of all operands of a call together. */
const MOST_OPERANDS = 4 * LARGEST_FOLDED;

/** Counts what is folded while a file is read, because a small file may repeat a large value many times. */
export class FoldBudget {
  /** The number of elements, of operands and of results, that may still be folded. */
  left = 2 ** 25;

  /** Whether so many elements may be folded; takes them from the budget. */
  take(elements: number): boolean {
    if (elements > Math.min(MOST_OPERANDS, this.left)) return false;
    this.left -= elements;
    return true;
  }
}

/**
 * The result of a call whose operands are known, or undefined if it cannot be computed, is too large, or the budget is
 * used up.
 */
export function fold(
  type: string,
  inputs: readonly (Tensor | undefined)[],
  attributes: Attributes,
  budget = new FoldBudget(),
): Value | undefined {
  if (type === "Shape" || type === "Size") return inputs[0] && shapeValue(type, inputs[0], attributes);
  const rule = RULES.get(type);
  if (rule === undefined || inputs.length === 0 || attributes.fmod === 1) return undefined;
  const sizes = inputs.map((input) => (input ? knownSize(input) : 0));
  if (sizes.includes(undefined)) return undefined;
  // The sum is checked before any operand is copied.
  if (!budget.take(sizes.reduce<number>((a, b) => a + b!, 0))) return undefined;
  const values = inputs.map((input) => input && valueOf(input));
  if (values.some((value, i) => value === undefined && inputs[i] !== undefined)) return undefined;
  if (values[0] === undefined) return undefined;
  const value = rule({ inputs, values, attributes });
  return value && budget.take(value.elements.length) ? value : undefined;
}

/** The results of a Split of known elements into known lengths, or undefined if they cannot be computed. */
export function foldSplit(
  [x, lengths]: readonly (Tensor | undefined)[],
  attributes: Attributes,
  budget: FoldBudget,
): readonly Value[] | undefined {
  const sizes = lengths && numbers(valueOf(lengths));
  const size = x && knownSize(x);
  if (!sizes || size === undefined || !budget.take(size)) return undefined;
  const value = valueOf(x!);
  const axis = inRange(intAttribute(attributes, "axis", 0), x!.rank);
  if (value === undefined || axis === undefined) return undefined;
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== value.shape[axis] || sizes.some((length) => length < 1)) return undefined;
  let start = 0;
  const pieces = sizes.map((length) => {
    const from = start;
    start += length;
    return move(value, value.shape.with(axis, length), (index) => index.with(axis, index[axis]! + from));
  });
  return pieces.every((piece) => piece !== undefined) ? pieces : undefined;
}

function shapeValue(type: string, { shape, rank }: Tensor, attributes: Attributes): Value {
  if (type === "Size") return { dtype: "int64", shape: [], elements: [sizeOf(shape)] };
  const elements = shape.slice(intAttribute(attributes, "start", 0), intAttribute(attributes, "end", rank));
  return { dtype: "int64", shape: [elements.length], elements };
}

const cast: Rule = ({ values, attributes }) => {
  const { dtype, shape, elements } = values[0]!;
  const to = dtypeFromOnnx(intAttribute(attributes, "to", 0), "Cast");
  if (to === "bool")
    return elements.every(isStatic)
      ? { dtype: to, shape, elements: elements.map((n) => Number(n !== 0)) }
      : undefined;
  if (!holdsNumbers(to) || (isFloat(to) && !elements.every(isStatic))) return undefined;
  const whole = isFloat(dtype) && !isFloat(to);
  return { dtype: to, shape, elements: whole ? elements.map((n) => Math.trunc(n as number)) : elements };
};

// ---- moving elements ---------------------------------------------------------------------------------------------

/** A value whose elements are those of `from`; `source` gives the index in `from` for each index in `shape`. */
function move(
  from: Value,
  shape: readonly number[],
  source: (index: readonly number[]) => readonly number[],
): Value | undefined {
  if (sizeOfShape(shape) > LARGEST_FOLDED) return undefined;
  return {
    dtype: from.dtype,
    shape,
    elements: mapElements(shape, (index) => elementAt(from, source(index))),
  };
}

/** The integers of an operand, or undefined if one of them is a named length. */
function numbers(value: Value | undefined): readonly number[] | undefined {
  return value?.elements.every(isStatic) ? value.elements : undefined;
}

const inRange = (axis: number, rank: number): number | undefined => {
  const at = axis < 0 ? axis + rank : axis;
  return at >= 0 && at < rank ? at : undefined;
};

const gather: Rule = ({ values, attributes }) => {
  const [data, indices] = [values[0]!, values[1]!];
  const axis = inRange(intAttribute(attributes, "axis", 0), data.shape.length);
  const picks = numbers(indices);
  if (axis === undefined || picks === undefined) return undefined;
  const length = data.shape[axis]!;
  if (picks.some((pick) => pick < -length || pick >= length)) return undefined;
  const shape = [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)];
  return move(data, shape, (index) => {
    const pick = elementAt(indices, index.slice(axis, axis + indices.shape.length)) as number;
    return [
      ...index.slice(0, axis),
      pick < 0 ? pick + length : pick,
      ...index.slice(axis + indices.shape.length),
    ];
  });
};

const concat: Rule = ({ values, attributes }) => {
  const parts = values.filter((value) => value !== undefined);
  const [first] = parts;
  const axis = inRange(intAttribute(attributes, "axis", 0), first!.shape.length);
  if (axis === undefined) return undefined;
  const fits = parts.every(
    ({ shape, dtype }) =>
      dtype === first!.dtype &&
      shape.length === first!.shape.length &&
      shape.every((dim, at) => at === axis || dim === first!.shape[at]),
  );
  const total = parts.reduce((sum, part) => sum + (part.shape[axis] ?? 0), 0);
  const shape = first!.shape.with(axis, total);
  // An empty array may have a long axis.
  if (!fits || Math.max(total, sizeOfShape(shape)) > LARGEST_FOLDED) return undefined;
  const owners = parts.flatMap((part) =>
    Array.from({ length: part.shape[axis]! }, (_, at) => ({ part, at })),
  );
  const elements = mapElements(shape, (index) => {
    const { part, at } = owners[index[axis]!]!;
    return elementAt(part, index.with(axis, at));
  });
  return { dtype: first!.dtype, shape, elements };
};

const slice: Rule = ({ values }) => {
  const [data, ...rest] = values;
  const [starts, ends] = [numbers(rest[0]), numbers(rest[1])];
  const axes = rest[2] ? numbers(rest[2]) : starts?.map((_, i) => i);
  const steps = rest[3] ? numbers(rest[3]) : starts?.map(() => 1);
  if (!starts || !ends || !axes || !steps) return undefined;
  const shape = [...data!.shape];
  const from = shape.map(() => 0);
  const by = shape.map(() => 1);
  for (const [i, given] of axes.entries()) {
    const axis = inRange(given, shape.length);
    const [start, end, step] = [starts[i], ends[i], steps[i]];
    if (axis === undefined || start === undefined || end === undefined || !step) return undefined;
    const length = data!.shape[axis]!;
    const clamp = (n: number): number =>
      Math.min(Math.max(n < 0 ? n + length : n, step > 0 ? 0 : -1), step > 0 ? length : length - 1);
    from[axis] = Math.max(clamp(start), 0);
    by[axis] = step;
    shape[axis] = Math.max(0, Math.ceil((clamp(end) - from[axis]) / step));
  }
  return move(data!, shape, (index) => index.map((n, axis) => from[axis]! + n * by[axis]!));
};

const relabel = (value: Value, shape: readonly number[] | undefined): Value | undefined =>
  shape?.every((dim) => Number.isInteger(dim) && dim >= 0) === true &&
  sizeOfShape(shape) === value.elements.length
    ? { ...value, shape }
    : undefined;

const squeeze: Rule = ({ values }) => {
  const rank = values[0]!.shape.length;
  const axes = values[1] && numbers(values[1])?.map((axis) => inRange(axis, rank));
  return relabel(
    values[0]!,
    values[0]!.shape.filter((dim, axis) => (axes ? !axes.includes(axis) : dim !== 1)),
  );
};

const unsqueeze: Rule = ({ values }) => {
  const given = numbers(values[1]) ?? [];
  const rank = values[0]!.shape.length + given.length;
  const axes = given.map((axis) => inRange(axis, rank));
  const rest = [...values[0]!.shape];
  return relabel(
    values[0]!,
    Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : (rest.shift() ?? 1))),
  );
};

const reshape: Rule = ({ values, attributes }) => {
  const copyZeros = intAttribute(attributes, "allowzero", 0) === 0;
  const target = numbers(values[1])?.map((dim, axis) =>
    dim === 0 && copyZeros ? (values[0]!.shape[axis] ?? 0) : dim,
  );
  const rest = target && sizeOfShape(target.filter((dim) => dim !== -1));
  return relabel(
    values[0]!,
    target?.map((dim) => (dim === -1 ? values[0]!.elements.length / rest! : dim)),
  );
};

const transpose: Rule = ({ values, attributes }) => {
  const { shape } = values[0]!;
  const order = intsAttribute(attributes, "perm") ?? shape.map((_, axis) => shape.length - 1 - axis);
  if (order.length !== shape.length || !shape.every((_, axis) => order.includes(axis))) return undefined;
  return move(
    values[0]!,
    order.map((axis) => shape[axis]!),
    (index) => shape.map((_, axis) => index[order.indexOf(axis)]!),
  );
};

const expand: Rule = ({ values }) => {
  const target = numbers(values[1]);
  const shape = target && broadcastShapes(values[0]!.shape, target);
  return shape && isStaticShape(shape) ? move(values[0]!, shape, (index) => index) : undefined;
};

// ---- making elements ---------------------------------------------------------------------------------------------

const constantOfShape: Rule = ({ values, attributes }) => {
  const shape = numbers(values[0]);
  if (shape === undefined || shape.some((dim) => dim < 0) || sizeOfShape(shape) > LARGEST_FOLDED)
    return undefined;
  const value = attributes.value;
  const data = typeof value === "object" && "tensor" in value ? value.tensor : undefined;
  if (data !== undefined && !holdsNumbers(data.dtype)) return undefined;
  const fill = Number(data?.data[0] ?? 0);
  return { dtype: data?.dtype ?? "float32", shape, elements: Array<number>(sizeOfShape(shape)).fill(fill) };
};

const range: Rule = ({ values }) => {
  const [start, limit, delta] = values.map((value) => value && numbers(value)?.[0]);
  if (start === undefined || limit === undefined || !delta) return undefined;
  const length = Math.max(0, Math.ceil((limit - start) / delta));
  if (length > LARGEST_FOLDED) return undefined;
  return {
    dtype: values[0]!.dtype,
    shape: [length],
    elements: Array.from({ length }, (_, i) => start + i * delta),
  };
};

/**
 * A rule for reductions over all axes, as in the computation of a tensor's size from its shape. Other
 * reductions are not folded.
 */
function reduceAll(combine: (a: Dim, b: Dim) => Dim | undefined, first: number): Rule {
  return ({ values, attributes }) => {
    const { shape, elements, dtype } = values[0]!;
    const axes = values[1] ? numbers(values[1]) : undefined;
    if (shape.length > 1 || (axes?.length === 0 && intAttribute(attributes, "noop_with_empty_axes", 0) === 1))
      return undefined;
    const total = elements.reduce<Dim | undefined>((a, b) => (a === undefined ? a : combine(a, b)), first);
    const kept = intAttribute(attributes, "keepdims", 1) === 1 ? shape.map(() => 1) : [];
    return total === undefined ? undefined : { dtype, shape: kept, elements: [total] };
  };
}

const RULES: ReadonlyMap<string, Rule> = new Map([
  ...ELEMENT_RULES,
  ...Object.entries({
    Cast: cast,
    Gather: gather,
    Concat: concat,
    Slice: slice,
    Squeeze: squeeze,
    Unsqueeze: unsqueeze,
  }),
  ...Object.entries({ Reshape: reshape, Transpose: transpose, Expand: expand }),
  ...Object.entries({ ConstantOfShape: constantOfShape, Range: range }),
  ["ReduceProd", reduceAll((a, b) => (isStatic(a) && isStatic(b) ? a * b : multiplyLengths(a, b)), 1)],
  ["ReduceSum", reduceAll((a, b) => (isStatic(a) && isStatic(b) ? a + b : addDims(a, b)), 0)],
]);
