import { StriateError } from "../../../util/errors.js";
import type { Dim } from "../../dims.js";
import { isStatic } from "../../dims.js";
import { floatAttribute, intAttribute, stringAttribute } from "../../operator.js";
import { add, clip, greater, mul, scalar, sub, where } from "../../operators/elementwise/elementwise.js";
import { expand } from "../../operators/shape/expand.js";
import { concat, split } from "../../operators/shape/join.js";
import { matmul, transposeMatrix } from "../../operators/linear/matmul.js";
import { reshape, squeeze, transpose, unsqueeze } from "../../operators/shape/shape.js";
import type { Attributes, Tensor } from "../../tensor.js";
import type { Activation } from "./activations.js";
import { activationsOf } from "./activations.js";
import { operand } from "./composed-call.js";
import type { Conversion, ImportedCall } from "./conversion.js";

/**
 * Largest number of timesteps that are unrolled. A timestep of an LSTM has about 20 nodes, so with more
 * timesteps no runtime opens the graph in reasonable time.
 */
const MOST_STEPS = 1024;

/** The state of one direction, as tensors [1, batch, hidden]. The first one is the output. */
type State = readonly Tensor[];

/** The parameters that all timesteps of one direction share. */
interface Direction {
  readonly attributes: Attributes;
  readonly activations: readonly Activation[];
  /** Weights of the recurrent product, [hidden, gates * hidden]. */
  readonly recurrent: Tensor;
  /** Bias of the recurrent product, [gates * hidden]; undefined if the file has none. */
  readonly bias: Tensor | undefined;
  /** Peephole weights of an LSTM, from its memory cell to the gates, [3 * hidden]. */
  readonly peepholes: Tensor | undefined;
  readonly hidden: number;
}

/**
 * Computes one timestep. `given` is the contribution of the input to every gate, [1, batch, gates * hidden].
 */
type Step = (given: Tensor, state: State, direction: Direction) => State;

interface Kind {
  readonly gates: number;
  readonly activations: readonly string[];
  readonly states: number;
  readonly step: Step;
}

function gatesOf(x: Tensor, hidden: number): Tensor[] {
  return split(x, Array<number>(Number(x.shape.at(-1)) / hidden).fill(hidden), x.rank - 1);
}

function limited(x: Tensor, attributes: Attributes): Tensor {
  const bound = floatAttribute(attributes, "clip", 0);
  return bound === 0 ? x : clip(x, -bound, bound);
}

function plus(x: Tensor, bias: Tensor | undefined): Tensor {
  return bias ? add(x, bias) : x;
}

const simpleStep: Step = (given, [h], { attributes, activations: [f], recurrent, bias }) => {
  const total = plus(add(given, matmul(h!, recurrent)), bias);
  return [f!(limited(total, attributes))];
};

const gruStep: Step = (given, [h], { attributes, activations: [f, g], recurrent, bias, hidden }) => {
  const isResetLast = intAttribute(attributes, "linear_before_reset", 0) !== 0;
  const [givenGates, givenHidden] = split(given, [2 * hidden, hidden], 2);
  const [gateWeights, hiddenWeights] = split(recurrent, [2 * hidden, hidden], 1);
  const [gateBias, hiddenBias] = bias ? split(bias, [2 * hidden, hidden], 0) : [];
  const gates = plus(add(givenGates!, matmul(h!, gateWeights!)), gateBias);
  const [z, r] = gatesOf(f!(limited(gates, attributes)), hidden);
  const remembered = isResetLast
    ? mul(r!, plus(matmul(h!, hiddenWeights!), hiddenBias))
    : plus(matmul(mul(r!, h!), hiddenWeights!), hiddenBias);
  const candidate = g!(limited(add(givenHidden!, remembered), attributes));
  return [add(candidate, mul(z!, sub(h!, candidate)))];
};

const lstmStep: Step = (given, [h, c], direction) => {
  const { attributes, activations, recurrent, bias, peepholes, hidden } = direction;
  const [f, g, last] = activations;
  const parts = gatesOf(plus(add(given, matmul(h!, recurrent)), bias), hidden);
  const [pi, po, pf] = peepholes ? gatesOf(peepholes, hidden) : [];
  const gate = (at: number, weight: Tensor | undefined, cell: Tensor): Tensor =>
    f!(limited(weight ? add(parts[at]!, mul(weight, cell)) : parts[at]!, attributes));
  const input = gate(0, pi, c!);
  const forget = intAttribute(attributes, "input_forget", 0) === 1 ? sub(1, input) : gate(2, pf, c!);
  const candidate = g!(limited(parts[3]!, attributes));
  const cell = add(mul(forget, c!), mul(input, candidate));
  return [mul(gate(1, po, cell), last!(cell)), cell];
};

const RNN: Kind = { gates: 1, activations: ["Tanh"], states: 1, step: simpleStep };
const GRU: Kind = { gates: 3, activations: ["Sigmoid", "Tanh"], states: 1, step: gruStep };
const LSTM: Kind = { gates: 4, activations: ["Sigmoid", "Tanh", "Tanh"], states: 2, step: lstmStep };

/**
 * Unrolls a recurrent operator (opsets 7 to 22) into its timesteps. Beyond the end of a shorter sequence, a
 * timestep keeps the state and outputs zeros. So in the backward direction every sequence begins at its own
 * end.
 */
function unrolled(call: ImportedCall, kind: Kind, length: number): Tensor[] {
  const { attributes } = call;
  const isBatchFirst = intAttribute(attributes, "layout", 0) === 1;
  const swapped = (x: Tensor) => (isBatchFirst ? transpose(x, [1, 0, 2]) : x);
  const x = swapped(operand(call, 0));
  const [batch, recurrent] = [x.shape[1]!, operand(call, 2)];
  const hidden = intAttribute(attributes, "hidden_size", Number(recurrent.shape[2]));
  const named = stringAttribute(attributes, "direction", "forward");
  const backwards = { forward: [false], reverse: [true], bidirectional: [false, true] }[named];
  if (backwards === undefined)
    throw new StriateError(`expected the direction forward, reverse or bidirectional, got "${named}"`);
  checkShapes(call, kind, hidden, backwards.length);
  const perDirection = (tensor: Tensor | undefined): (Tensor | undefined)[] =>
    tensor ? pieces(tensor, backwards.length) : backwards.map(() => undefined);

  const [weights, recurrents] = [perDirection(operand(call, 1)), perDirection(recurrent)];
  const biases = perDirection(call.inputs[3]);
  const starts = [5, 6].slice(0, kind.states).map((at) => {
    const start = call.inputs[at];
    return perDirection(start && swapped(start));
  });
  const peepholes = perDirection(kind === LSTM ? call.inputs[7] : undefined);
  const names = backwards.flatMap(() => kind.activations);
  const activations = activationsOf(attributes, names);
  const open = openPlaces(call.inputs[4], length, batch);

  const results = backwards.map((isBackward, at) => {
    const both = biases[at] && split(squeeze(biases[at], [0]), [kind.gates * hidden, kind.gates * hidden], 0);
    const given = matmul(x, transposeMatrix(squeeze(weights[at]!, [0])));
    const direction: Direction = {
      attributes,
      activations: activations.slice(at * kind.activations.length, (at + 1) * kind.activations.length),
      recurrent: transposeMatrix(squeeze(recurrents[at]!, [0])),
      bias: both?.[1],
      peepholes: peepholes[at] && squeeze(peepholes[at], [0]),
      hidden,
    };
    const steps = pieces(plus(given, both?.[0]), length);
    const order = steps.map((_, place) => (isBackward ? length - 1 - place : place));
    let state: State = starts.map(
      (start) => start[at] ?? expand(scalar(0, x.dtype), [1, batch, hidden], [x]),
    );
    const outputs: Tensor[] = [];
    for (const place of order) {
      const isOpen = open?.(place);
      const next = kind.step(steps[place]!, state, direction);
      const before = state;
      state = isOpen ? next.map((tensor, i) => where(isOpen, tensor, before[i]!)) : next;
      outputs[place] = isOpen ? where(isOpen, next[0]!, 0) : next[0]!;
    }
    return { all: unsqueeze(joined(outputs), [1]), state };
  });
  const all = joined(
    results.map((result) => result.all),
    1,
  );
  const states = starts.map((_, i) => joined(results.map(({ state }) => state[i]!)));
  return [isBatchFirst ? transpose(all, [2, 0, 1, 3]) : all, ...states.map(swapped)];
}

/** Splits a tensor along the first axis into parts of length 1. */
function pieces(x: Tensor, count: number): Tensor[] {
  return count === 1 ? [x] : split(x, Array<number>(count).fill(1), 0);
}

function joined(tensors: readonly Tensor[], axis = 0): Tensor {
  return tensors.length === 1 ? tensors[0]! : concat(tensors, axis);
}

/**
 * Whether a timestep lies inside each sequence, [1, batch, 1]; undefined if all sequences have the full
 * length.
 */
function openPlaces(
  lengths: Tensor | undefined,
  length: number,
  batch: Dim,
): ((place: number) => Tensor) | undefined {
  if (lengths === undefined || lengths.known?.every((known) => known === length) === true) return undefined;
  const column = reshape(lengths, [1, batch, 1]);
  return (place) => greater(column, place);
}

function checkShapes(call: ImportedCall, { gates }: Kind, hidden: number, directions: number): void {
  const wanted: readonly (readonly [number, Dim[]])[] = [
    [1, [directions, gates * hidden, operand(call, 0).shape[2]!]],
    [2, [directions, gates * hidden, hidden]],
    [3, [directions, 2 * gates * hidden]],
  ];
  for (const [at, shape] of wanted) {
    const given = call.inputs[at];
    const fits =
      given === undefined ||
      (given.rank === shape.length &&
        given.shape.every((dim, axis) => dim === shape[axis] || !isStatic(dim)));
    if (!fits)
      throw new StriateError(`expected input ${at} of shape [${shape.join(", ")}], got ${given.toString()}`);
  }
}

function recurrent(kind: Kind): Conversion {
  return (call) => {
    const x = operand(call, 0);
    if (x.rank !== 3) throw new StriateError(`expected an input with 3 axes, got ${x.rank}`);
    const length = x.shape[intAttribute(call.attributes, "layout", 0) === 1 ? 1 : 0]!;
    return isStatic(length) && length <= MOST_STEPS ? unrolled(call, kind, length) : call;
  };
}

export const RECURRENT: readonly (readonly [string, Conversion])[] = [
  ["RNN", recurrent(RNN)],
  ["GRU", recurrent(GRU)],
  ["LSTM", recurrent(LSTM)],
];
