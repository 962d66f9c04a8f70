import type { Shape, Tensor } from "../../../graph/index.js";
import { add, equal, input, less, scope, slice, squeeze, where } from "../../../graph/index.js";
import type { StepGraph, StepState } from "../../../train/step-graph.js";
import { TIMESTEP } from "../../../train/step-graph.js";
import type { KuramotoLayer } from "./kuramoto-layer.js";

/** Name of the graph input for the step size gamma. */
const STEP_SIZE = "stepSize";

/** Oscillators x and their conditional stimulus c. */
export interface Driven {
  readonly x: Tensor;
  readonly c: Tensor;
}

/** A Kuramoto layer, one of several that run one after another. */
export interface LayerInTurn {
  readonly kuramoto: KuramotoLayer;
  /**
   * T, the number of timesteps after which this layer stops and the next one starts. The last layer never
   * stops.
   */
  readonly steps: number;
  /**
   * Makes the layer's initial oscillators and stimulus. `from` is random draws for the first layer, and the
   * last state of the layer below for the others.
   */
  readonly begin: (from: Tensor) => Driven;
}

/** One timestep of layers that run one after another. */
export interface StepInTurn extends Required<Pick<StepGraph, "state" | "defaults">> {
  /**
   * The oscillators of every layer after this timestep. They have unit length, except in layers that have not
   * yet started.
   */
  readonly states: readonly Tensor[];
  /** For each layer, the energies [batch] of its state before this timestep. */
  readonly energies: readonly Tensor[];
}

/**
 * Writes the graph of one timestep of L layers that run one after another, layer l for T_l timesteps. After
 * T_1 + ... + T_L timesteps, the states equal those of the unrolled network. The state consists of
 * "oscillators.LAYER" for each layer and "timestep". The step size gamma is the input "stepSize", of shape
 * [1].
 *
 * So that one graph serves all timesteps, every layer is computed at every timestep, but only the running
 * layer changes its state. A network of L layers therefore takes L times the work of the unrolled one.
 *
 * @param draws shape of the oscillators of the first layer
 * @param stepSize parameter whose value is the default for gamma
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

/** Selects the state of a timestep and the defaults of its inputs. */
export function stateOf({ state, defaults }: StepInTurn): Pick<StepGraph, "state" | "defaults"> {
  return { state, defaults };
}

/** Names the energies of a timestep "energies.LAYER", for a step graph's `readouts`. */
export function energiesOf({ energies }: StepInTurn): Record<string, Tensor> {
  return Object.fromEntries(energies.map((energy, layer) => [`energies.${layer}`, energy]));
}
