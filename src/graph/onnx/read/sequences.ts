import { StriateError } from "../../../util/errors.js";
import { isStatic, normaliseAxis } from "../../dims.js";
import { intAttribute } from "../../operator.js";
import { concat, split } from "../../operators/shape/join.js";
import { knownNumber } from "../../operators/known-numbers.js";
import { squeeze, unsqueeze } from "../../operators/shape/shape.js";
import type { Attributes, Tensor } from "../../tensor.js";
import { constant } from "../../tensor.js";
import { valueOf } from "./known-values.js";

/*
 * Sequences of tensors exist only while a file is read. The length of each must be known then, and reading an
 * element returns the tensor that was put in.
 */

export type Sequence = readonly Tensor[];
/** What a name of a file stands for: a tensor, a sequence, or undefined for an optional value that is empty. */
export type Item = Tensor | Sequence | undefined;

interface SequenceCall {
  readonly inputs: readonly Item[];
  readonly attributes: Attributes;
}

function tensorOf({ inputs }: SequenceCall, index: number): Tensor {
  const operand = inputs[index];
  if (operand === undefined || isSequence(operand))
    throw new StriateError(`input ${index} must be a tensor, got ${operand ? "a sequence" : "nothing"}`);
  return operand;
}

function sequenceOf({ inputs }: SequenceCall, index = 0): Sequence {
  const operand = inputs[index];
  if (operand === undefined || !isSequence(operand))
    throw new StriateError(`input ${index} must be a sequence, got ${operand ? "a tensor" : "nothing"}`);
  return operand;
}

export function isSequence(item: Exclude<Item, undefined>): item is Sequence {
  return Array.isArray(item);
}

/** A position in a sequence, counted from its end if it is negative; there are `count` positions. */
function positionOf(call: SequenceCall, index: number, count: number, fallback?: number): number {
  if (call.inputs[index] === undefined && fallback !== undefined) return fallback;
  const given = knownNumber(tensorOf(call, index));
  if (given === undefined)
    throw new StriateError("expected a known position, got one that depends on an input");
  const length = sequenceOf(call).length;
  const position = given < 0 ? given + length : given;
  if (position < 0 || position >= count)
    throw new StriateError(`expected a position in a sequence of length ${length}, got ${given}`);
  return position;
}

/**
 * The lengths of the pieces along an axis. The file gives one length for all pieces (the last may be
 * shorter), or one length for each.
 */
function pieceLengths(call: SequenceCall, length: number): readonly number[] {
  const given = valueOf(tensorOf(call, 1));
  if (!given?.elements.every(isStatic))
    throw new StriateError("its split must be known when the file is read");
  const [size] = given.elements;
  if (given.shape.length > 0) return given.elements;
  if (size === undefined || size < 1) throw new StriateError(`expected a split of at least 1, got ${size}`);
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => Math.min(size, length - i * size));
}

function pieces(call: SequenceCall): Sequence {
  const x = tensorOf(call, 0);
  const axis = normaliseAxis(intAttribute(call.attributes, "axis", 0), x.rank, "SplitToSequence");
  const length = x.shape[axis]!;
  if (!isStatic(length))
    throw new StriateError(
      `axis ${axis} must have a known length: fix the shapes of the inputs (inputShapes)`,
    );
  if (call.inputs[1] !== undefined) return split(x, pieceLengths(call, length), axis);
  const ones = split(x, new Array<number>(length).fill(1), axis);
  const isDropped = intAttribute(call.attributes, "keepdims", 1) === 0;
  return isDropped ? ones.map((one) => squeeze(one, [axis])) : ones;
}

function joined(call: SequenceCall): Tensor {
  const parts = sequenceOf(call);
  const [first] = parts;
  if (first === undefined) throw new StriateError("it joins an empty sequence");
  const isNew = intAttribute(call.attributes, "new_axis", 0) === 1;
  const axis = normaliseAxis(
    intAttribute(call.attributes, "axis", 0),
    first.rank + Number(isNew),
    "ConcatFromSequence",
  );
  return concat(isNew ? parts.map((part) => unsqueeze(part, [axis])) : parts, axis);
}

const CALLS: ReadonlyMap<string, (call: SequenceCall) => Item> = new Map<
  string,
  (call: SequenceCall) => Item
>([
  ["SequenceEmpty", () => []],
  ["SequenceConstruct", (call) => call.inputs.map((_, i) => tensorOf(call, i))],
  [
    "SequenceInsert",
    (call) => {
      const items = sequenceOf(call);
      return items.toSpliced(positionOf(call, 2, items.length + 1, items.length), 0, tensorOf(call, 1));
    },
  ],
  [
    "SequenceErase",
    (call) => {
      const items = sequenceOf(call);
      if (items.length === 0) throw new StriateError("it takes an element out of an empty sequence");
      return items.toSpliced(positionOf(call, 1, items.length, items.length - 1), 1);
    },
  ],
  ["SequenceAt", (call) => sequenceOf(call)[positionOf(call, 1, sequenceOf(call).length)]!],
  ["SequenceLength", (call) => constant(sequenceOf(call).length, [], "int64")],
  ["SplitToSequence", pieces],
  ["ConcatFromSequence", joined],
  ["Optional", ({ inputs }) => inputs[0]],
  [
    "OptionalGetElement",
    ({ inputs: [item] }) => {
      if (item === undefined) throw new StriateError("it reads an optional value that is empty");
      return item;
    },
  ],
  ["OptionalHasElement", ({ inputs }) => constant(Number(inputs[0] !== undefined), [], "bool")],
]);

/** Operators that make or read sequences or optional values. */
export const SEQUENCE_OPERATORS: ReadonlySet<string> = new Set(CALLS.keys());

/**
 * The result of a call of an operator that makes or reads sequences or optional values. Throws {@link StriateError} if a value
 * that is needed is known only when the graph runs.
 */
export function sequenceCall(type: string, call: SequenceCall): Item {
  return CALLS.get(type)!(call);
}
