import type { Shape, Tensor } from "../../../graph/index.js";
import { add, equal, input, less, scope, slice, squeeze, where } from "../../../graph/index.js";
import type { StepGraph, StepState } from "../../../train/step-graph.js";
import { TIMESTEP } from "../../../train/step-graph.js";
import type { KuramotoLayer } from "./kuramoto-layer.js";

/** The input for gamma at each step. */
const STEP_SIZE = "stepSize";

/** Oscillators and what drives them. */
export interface Driven {
  readonly x: Tensor;
  readonly c: Tensor;
}

/** A layer of which one step is traced. */
export interface LayerInTurn {
  readonly kuramoto: KuramotoLayer;
  /** T, after which the next layer takes over; the last layer goes on. */
  readonly steps: number;
  /** How the layer starts: from its draws if it is the first, else from the last state of the layer below. */
  readonly begin: (from: Tensor) => Driven;
}

/** One timestep of layers that move one after another. */
export interface StepInTurn extends Required<Pick<StepGraph, "state" | "defaults">> {
  /** Oscillators of every layer after this step, of unit length but for those of layers that have not begun. */
  readonly states: readonly Tensor[];
  /** Energies of the states before this step, [batch] for each layer. */
  readonly energies: readonly Tensor[];
}

/**
 * Traces one step of layers that run one after another, each for its own number of steps: T_1 + ... + T_L steps give what
 * the unrolled network gives. State: "oscillators.LAYER" and "timestep". gamma is the input "stepSize" [1].
 *
 * Every layer is computed at every step and those whose turn it is not keep their state, so that one graph does it all; a
 * network of L layers takes L times the work of the unrolled one.
 *
 * @param draws shape of the first layer's oscillators
 * @param stepSize the parameter whose value gamma has unless a step is given another
 */
export function stepInTurn(layers: readonly LayerInTurn[], draws: Shape, stepSize: Tensor): StepInTurn {
  const timestep = input(TIMESTEP, []);
  const gain = input(STEP_SIZE, [1]);
  const state: Record<string, StepState> = {
    [TIMESTEP]: { next: add(timestep, 1), start: { value: 0 } },
  };
  const [states, energies]: [Tensor[], Tensor[]] = [[], []];
  let below: Tensor | undefined;
  let begins = 0;
  layers.forEach(({ kuramoto, steps, begin }, layer) => {
    const name = `oscillators.${layer}`;
    const first = below === undefined ? input(name, draws) : undefined;
    const start = begin(first ?? below!);
    const before = first ?? input(name, start.x.shape);
    const x = start.x === before ? before : where(equal(timestep, begins), start.x, before);
    const trace = scope(`layer${layer}`, () => kuramoto.forward(x, start.c, { steps: 1, stepSize: gain }));
    const ends = begins + steps;
    const until = layer === layers.length - 1 ? trace.last : where(less(timestep, ends), trace.last, before);
    const next = layer === 0 ? until : where(less(timestep, begins), before, until);
    state[name] = { next, start: layer === 0 ? { distribution: "normal" } : { value: 0 } };
    states.push(next);
    energies.push(squeeze(slice(trace.energies, [{ axis: 0, start: 1 }]), [0]));
    below = before;
    begins = ends;
  });
  return { state, states, energies, defaults: { [STEP_SIZE]: stepSize } };
}

/** The state of a step and what it is at the start. */
export function stateOf({ state, defaults }: StepInTurn): Pick<StepGraph, "state" | "defaults"> {
  return { state, defaults };
}

/** The energies of a step as readouts "energies.LAYER". */
export function energiesOf({ energies }: StepInTurn): Record<string, Tensor> {
  return Object.fromEntries(energies.map((energy, layer) => [`energies.${layer}`, energy]));
}
