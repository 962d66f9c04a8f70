import type { Shape, Tensor } from "../../../graph/index.js";
import { add, equal, input, less, scope, slice, squeeze, where } from "../../../graph/index.js";
import type { StepGraph, StepState } from "../../../train/step-graph.js";
import { TIMESTEP } from "../../../train/step-graph.js";
import type { KuramotoLayer } from "./kuramoto-layer.js";

/** Name of the graph input for gamma. */
const STEP_SIZE = "stepSize";

/** Oscillators x and their conditional stimulus c. */
export interface Driven {
  readonly x: Tensor;
  readonly c: Tensor;
}

/** A Kuramoto layer, one of several that run one after another. */
export interface LayerInTurn {
  readonly kuramoto: KuramotoLayer;
  /** T, the number of timesteps until the next layer starts. The last layer continues without end. */
  readonly steps: number;
  /**
   * Makes the layer's initial oscillators and stimulus: from random draws for the first layer, from the last state of
   * the layer below otherwise.
   */
  readonly begin: (from: Tensor) => Driven;
}

/** One timestep of layers that run one after another. */
export interface StepInTurn extends Required<Pick<StepGraph, "state" | "defaults">> {
  /**
   * The oscillators of every layer after this timestep. They have unit length, except in layers that have not started.
   */
  readonly states: readonly Tensor[];
  /** The energies of the states before this timestep, [batch] for each layer. */
  readonly energies: readonly Tensor[];
}

/**
 * Traces one timestep of layers that run one after another, each for its own number of timesteps. After T_1 + ... + T_L
 * timesteps the states equal those of the unrolled network. The state is "oscillators.LAYER" and "timestep"; gamma is
 * the input "stepSize" [1].
 *
 * So that one graph serves all timesteps, every layer is computed at every timestep, and all layers but the running one
 * keep their state. A network of L layers therefore takes L times the work of the unrolled one.
 *
 * @param draws shape of the first layer's oscillators
 * @param stepSize parameter whose value is the default of gamma
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

/** The state of a timestep and the defaults of its inputs. */
export function stateOf({ state, defaults }: StepInTurn): Pick<StepGraph, "state" | "defaults"> {
  return { state, defaults };
}

/** The energies of a timestep as readouts "energies.LAYER". */
export function energiesOf({ energies }: StepInTurn): Record<string, Tensor> {
  return Object.fromEntries(energies.map((energy, layer) => [`energies.${layer}`, energy]));
}
