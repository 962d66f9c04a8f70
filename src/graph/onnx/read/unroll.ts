import { StriateError } from "../../../util/errors.js";
import { isStatic, normaliseAxis } from "../../dims.js";
import { intAttribute, intsAttribute } from "../../operator.js";
import { concat, split } from "../../operators/shape/join.js";
import { knownNumber } from "../../operators/known-numbers.js";
import { squeeze, unsqueeze } from "../../operators/shape/shape.js";
import type { Attributes, Tensor } from "../../tensor.js";
import { constant } from "../../tensor.js";

/*
 * Unrolls Loop and Scan: their bodies are read once for every iteration. The result consists of ordinary
 * nodes, which have gradients. The number of iterations must be known when the file is read.
 */

/**
 * Adds the nodes of a loop body to the graph, given tensors for all inputs of the body, and returns its
 * outputs.
 */
export type Body = (inputs: readonly Tensor[]) => readonly Tensor[];

type Operands = readonly (Tensor | undefined)[];

function given(operands: Operands): Tensor[] {
  return operands.map((tensor, i) => {
    if (tensor === undefined) throw new StriateError(`input ${i} is missing`);
    return tensor;
  });
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
 * stacked.
 */
export function unrolledLoop(body: Body, [trips, condition, ...start]: Operands): Tensor[] {
  const most = trips && knownNumber(trips);
  if (trips !== undefined && most === undefined)
    throw new StriateError(
      `the number of iterations of the Loop is known only when the graph runs: ${FROM_SHAPES}`,
    );
  const isTrue = (tensor: Tensor): boolean => {
    const known = knownNumber(tensor);
    if (known === undefined)
      throw new StriateError("expected a Loop with a known condition, got one that depends on an input");
    return known !== 0;
  };
  let carried = given(start);
  const steps: (readonly Tensor[])[] = [];
  let continues = condition === undefined || isTrue(condition);
  for (let step = 0; continues && (most === undefined || step < most); step++) {
    const [again, ...results] = body([constant(step, [], "int64"), constant(1, [], "bool"), ...carried]);
    if (again === undefined) throw new StriateError("the body of the Loop has no output");
    carried = results.slice(0, carried.length);
    steps.push(results.slice(carried.length));
    continues = isTrue(again);
  }
  const [first] = steps;
  return [
    ...carried,
    ...(first ?? []).map((_, i) =>
      stacked(
        steps.map((results) => results[i]!),
        0,
      ),
    ),
  ];
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
    const results = body([...states, ...sequences.map((sequence) => sequence[step]!)]);
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
