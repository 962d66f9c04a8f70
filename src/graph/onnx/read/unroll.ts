import { StriateError } from "../../../util/errors.js";
import { isStatic, normaliseAxis } from "../../dims.js";
import { applySingle, intAttribute, intsAttribute } from "../../operator.js";
import { concat, split } from "../../operators/shape/join.js";
import { knownNumber } from "../../operators/known-numbers.js";
import { reshape, squeeze, unsqueeze } from "../../operators/shape/shape.js";
import type { Attributes, Tensor } from "../../tensor.js";
import { constant } from "../../tensor.js";
import { both, chosen, flagOf, gateOf } from "./choose.js";
import type { Item, Sequence } from "./sequences.js";
import { isSequence } from "./sequences.js";

/*
 * Unrolls Loop and Scan: their bodies are read once for every iteration. The result consists of ordinary
 * nodes, which have gradients. The number of iterations, or the largest number that a Loop may have, must be
 * known when the file is read.
 */

/**
 * Adds the nodes of a loop body to the graph, given the values of all inputs of the body, and returns its
 * outputs. `isSelected` tells when the graph runs whether the iteration takes place; it always does if the flag is
 * left out.
 */
export type Body = (inputs: readonly Item[], isSelected?: Tensor) => readonly Item[];

/**
 * Largest number of iterations of a Loop whose condition is known only when the graph runs, because the graph
 * always computes all of them.
 */
const MOST_CONDITIONAL = 256;

type Operands = readonly (Tensor | undefined)[];

function given(operands: Operands): Tensor[] {
  return operands.map((tensor, i) => {
    if (tensor === undefined) throw new StriateError(`input ${i} is missing`);
    return tensor;
  });
}

function tensorOf(item: Item): Tensor {
  if (item === undefined || isSequence(item))
    throw new StriateError(`expected a tensor, got ${item ? "a sequence" : "an empty optional value"}`);
  return item;
}

function stacked(tensors: readonly Tensor[], axis: number): Tensor {
  return concat(
    tensors.map((tensor) => unsqueeze(tensor, [axis])),
    axis,
  );
}

const FROM_SHAPES =
  "fix the shapes of the inputs on which it depends (inputShapes), or unroll the loop before the export";

/**
 * Loop (opsets 1 to 25). The results are the final carried values, and then the outputs of all iterations,
 * stacked. If the condition is known only when the graph runs, the graph computes as many iterations as there may be
 * at most; those after the end change nothing.
 */
export function unrolledLoop(body: Body, [trips, condition, ...start]: readonly Item[]): Item[] {
  const most = trips && knownNumber(tensorOf(trips));
  if (trips !== undefined && most === undefined)
    throw new StriateError(
      `the number of iterations of the Loop is known only when the graph runs: ${FROM_SHAPES}`,
    );
  let carried: readonly Item[] = start;
  const steps: (readonly Item[])[] = [];
  /** Whether each iteration takes place. */
  const taken: (Tensor | undefined)[] = [];
  let continues = condition === undefined || flagOf(tensorOf(condition));
  for (let step = 0; continues !== false && (most === undefined || step < most); step++) {
    const flag = continues === true ? undefined : continues;
    if (flag !== undefined && (most === undefined || most > MOST_CONDITIONAL))
      throw new StriateError(
        `the condition of the Loop is known only when the graph runs, so it needs a number of iterations of at most ${MOST_CONDITIONAL}, got ${most ?? "none"}: ${FROM_SHAPES}`,
      );
    const before = carried;
    const read = flag === undefined ? before : before.map(gatedItem(flag));
    const [again, ...results] = body([constant(step, [], "int64"), constant(1, [], "bool"), ...read], flag);
    if (again === undefined) throw new StriateError("the body of the Loop has no output");
    carried = results
      .slice(0, before.length)
      .map((next, i) => (flag === undefined ? next : chosen(flag, next, before[i])));
    steps.push(results.slice(before.length));
    taken.push(flag);
    continues = both(continues, flagOf(tensorOf(again)));
  }
  const [first] = steps;
  const collected = (first ?? []).map((_, i) => {
    const all = stacked(
      steps.map((results) => tensorOf(results[i])),
      0,
    );
    return taken.every((flag) => flag === undefined)
      ? all
      : applySingle("Compress", [all, mask()], { axis: 0 });
  });
  return [...carried, ...collected];

  function mask(): Tensor {
    return concat(
      taken.map((flag) => (flag === undefined ? constant(1, [1], "bool") : reshape(flag, [1]))),
      0,
    );
  }
}

function gatedItem(flag: Tensor): (item: Item) => Item {
  const gate = gateOf(flag);
  return (item) => (item === undefined ? item : isSequence(item) ? item.map(gate) : gate(item));
}

/**
 * Scan (opsets 9 to 25) over slices of sequences. The results are the final states, and then the outputs of
 * all iterations, stacked.
 */
export function unrolledScan(body: Body, operands: Operands, attributes: Attributes): Tensor[] {
  const inputs = given(operands);
  const count = intAttribute(attributes, "num_scan_inputs", 0);
  if (count < 1 || count > inputs.length)
    throw new StriateError(`expected num_scan_inputs between 1 and ${inputs.length}, got ${count}`);
  let states = inputs.slice(0, inputs.length - count);
  const list = (name: string): readonly number[] => intsAttribute(attributes, name) ?? [];
  const sequences = inputs.slice(states.length).map((x, i) => {
    const axis = normaliseAxis(list("scan_input_axes")[i] ?? 0, x.rank, "Scan");
    const length = x.shape[axis]!;
    if (!isStatic(length))
      throw new StriateError(`the Scan runs over an axis of named length "${length}": ${FROM_SHAPES}`);
    const slices = length === 1 ? [x] : split(x, Array<number>(length).fill(1), axis);
    const inOrder = list("scan_input_directions")[i] === 1 ? slices.toReversed() : slices;
    return inOrder.map((slice) => squeeze(slice, [axis]));
  });
  const length = sequences[0]!.length;
  if (sequences.some((sequence) => sequence.length !== length))
    throw new StriateError("the sequences of the Scan differ in length");
  const steps = Array.from({ length }, (_, step) => {
    const results = body([...states, ...sequences.map((sequence) => sequence[step]!)]).map(tensorOf);
    const carried = states.length;
    states = results.slice(0, carried);
    return results.slice(carried);
  });
  const collected = steps[0]!.map((tensor, i) => {
    const axis = normaliseAxis(list("scan_output_axes")[i] ?? 0, tensor.rank + 1, "Scan");
    const values = steps.map((results) => results[i]!);
    return stacked(list("scan_output_directions")[i] === 1 ? values.toReversed() : values, axis);
  });
  return [...states, ...collected];
}

/**
 * SequenceMap: the body is read once for every tensor of the first sequence. The other operands are sequences of the
 * same length, or tensors, which every call of the body gets.
 */
export function mappedSequences(body: Body, [first, ...others]: readonly Item[]): Sequence[] {
  if (first === undefined || !isSequence(first))
    throw new StriateError(`input 0 must be a sequence, got ${first ? "a tensor" : "nothing"}`);
  const other = others.find((item) => item && isSequence(item) && item.length !== first.length);
  if (other !== undefined)
    throw new StriateError(
      `its sequences differ in length: ${first.length} and ${(other as Sequence).length}`,
    );
  if (first.length === 0) throw new StriateError("it maps a sequence that is empty");
  const results = first.map((tensor, i) =>
    body([tensor, ...others.map((item) => (item && isSequence(item) ? item[i] : item))]).map(tensorOf),
  );
  return results[0]!.map((_, i) => results.map((tensors) => tensors[i]!));
}

/**
 * Scan of opset 8, over a batch of sequences. Its first input, sequence_lens (the lengths of the sequences),
 * must be absent.
 */
export function unrolledBatchScan(
  body: Body,
  [lengths, ...operands]: Operands,
  attributes: Attributes,
): Tensor[] {
  if (lengths !== undefined)
    throw new StriateError("a Scan of opset 8 with the input sequence_lens is not supported");
  const inputs = given(operands);
  const batch = inputs[0]?.shape[0];
  if (batch === undefined || !isStatic(batch))
    throw new StriateError(`a Scan of opset 8 runs over a batch whose length must be known: ${FROM_SHAPES}`);
  const { directions, ...others } = attributes;
  const plain = directions === undefined ? others : { ...others, scan_input_directions: directions };
  const rows = inputs.map((x) => (batch === 1 ? [x] : split(x, Array<number>(batch).fill(1), 0)));
  const results = Array.from({ length: batch }, (_, row) =>
    unrolledScan(
      body,
      rows.map((x) => squeeze(x[row]!, [0])),
      plain,
    ),
  );
  return results[0]!.map((_, i) =>
    stacked(
      results.map((tensors) => tensors[i]!),
      0,
    ),
  );
}
