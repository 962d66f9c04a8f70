import type { Tensor } from "../../../graph/index.js";
import {
  add,
  concat,
  constant,
  div,
  mul,
  neg,
  parameter,
  reshape,
  scope,
  timestep,
  showShape,
  sub,
  sum,
  unitVectors,
  unsqueeze,
  zerosLike,
} from "../../../graph/index.js";
import { sameShape } from "../../../graph/dims.js";
import { ones, zeros } from "../../../nn/init.js";
import { GroupNorm } from "../../../nn/layers/normalisation.js";
import { checkOneOf, checkPositive, checkWhole } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import { AttentionCoupling } from "./attention-coupling.js";
import type { AttentionOptions } from "./attention-coupling.js";
import type { Coupling } from "./coupling.js";
import { ConvolutionCoupling, DenseCoupling } from "./map-couplings.js";
import type { NaturalFrequencyOptions } from "./natural-frequency.js";
import { NaturalFrequency } from "./natural-frequency.js";
import { COMPONENTS, checkOscillators } from "./oscillators.js";

/** The kind of coupling between oscillators. */
export type KuramotoCouplingOptions =
  | { readonly type: "convolution"; /** Odd side of the kernel. */ readonly kernel: number }
  | ({ readonly type: "attention" } & AttentionOptions)
  | {
      readonly type: "dense";
      /** Number of positions in a map, height x width (default 1). */
      readonly positions?: number;
    };

/** How the conditional stimulus c is normalised before the first step. */
export type StimulusNorm = "group" | "scaleAndBias" | "none";

/** Options of `KuramotoLayer`. */
export interface KuramotoLayerOptions {
  readonly channels: number;
  /** n, the number of components of an oscillator. It must divide `channels`. Default 4. */
  readonly rotatingDimensions?: number;
  readonly coupling: KuramotoCouplingOptions;
  /** Natural frequencies, which need an even n. Default false: none. */
  readonly omega?: NaturalFrequencyOptions | false;
  /**
   * What replaces Omega x if there are no natural frequencies: x itself ("identity", default), as in the
   * authors' code, or nothing ("zero"). With "identity", every step turns oscillators less: x <-
   * normalise((1 + gamma) x + gamma p), where p is y projected onto the tangent space at x.
   */
  readonly omegaOff?: "identity" | "zero";
  /**
   * How the stimulus is normalised. "group" (default) is GroupNorm with one group for each oscillator.
   * "scaleAndBias" is a trained scale and bias for each channel. "none" leaves it as it is.
   */
  readonly stimulusNorm?: StimulusNorm;
  /**
   * Whether the pull y on an oscillator is projected onto the tangent space of the sphere on which the
   * oscillator lies. Default true.
   */
  readonly project?: boolean;
}

/** The number and the size of the Kuramoto steps. */
export interface KuramotoSteps {
  /** T, the number of steps. */
  readonly steps: number;
  /** gamma, a number above 0 or a trained tensor [1]. Default 1. */
  readonly stepSize?: Tensor | number;
}

/** The results of a Kuramoto layer. Results that no output of the graph uses cost nothing at run time. */
export interface KuramotoTrace {
  /** The state after the last step, in the shape of x. */
  readonly last: Tensor;
  /** The state after each of the T steps. */
  readonly states: readonly Tensor[];
  /** Energies [T + 1, batch]: a row of zeros, then the energy of the state before each of the T steps. */
  readonly energies: Tensor;
}

/**
 * The generalised Kuramoto model (Miyato, Löwe, Geiger, Welling, ICLR 2025; arXiv:2410.13821, eq. 2).
 * Oscillators are unit vectors x_i on the sphere S^(n-1). They are coupled by Conn, driven by a stimulus c
 * and rotated by natural frequencies Omega. Each of the T steps computes
 *
 *     y_i = c_i + Conn(x)_i,   x_i <- normalise(x_i + gamma (Omega_i x_i + y_i - (x_i · y_i) x_i)),
 *
 * The energy E = -sum_i x_i · y_i falls along the flow if Conn is symmetric and Omega is 0; neither is
 * enforced.
 *
 * `forward` computes a rearranged form. Let d = gamma (y + Omega x) be the drive and a = x · d its agreement
 * with x. Omega is antisymmetric, so x · Omega x = 0 and a = gamma (x · y). The argument of normalise is then
 *
 *     x + gamma (Omega x + y - (x · y) x) = x + d - a x = (1 - a) x + d,
 *
 * and the energy of a state is -sum_i a_i / gamma. This form saves work in each of the T steps. Omega x is
 * merged into Conn(x): Omega mixes channels only, so it is added to a convolution's kernel at its centre, or to the
 * coupling's matrix. And the coupling's weights and c are multiplied by gamma once, before the first step. Without natural
 * frequencies, the authors' code adds gamma x outside the projection (`omegaOff` "identity"), so 1 - a
 * becomes 1 + gamma - a.
 *
 * @throws StriateError if n does not divide the channels, or if n is odd with natural frequencies
 * @example
 * ```ts
 * import { KuramotoLayer, namedParameters } from "striate";
 *
 * const layer = new KuramotoLayer({ channels: 16, coupling: { type: "convolution", kernel: 5 } });
 * console.log(namedParameters(layer).size > 0); // true
 * ```
 */
export class KuramotoLayer {
  readonly naturalFrequency: NaturalFrequency | undefined;
  readonly coupling: Coupling;
  readonly stimulusNorm: GroupNorm | ScaleAndBias | undefined;
  readonly n: number;
  readonly channels: number;
  readonly #project: boolean;
  readonly #omegaOff: "identity" | "zero";

  constructor(options: KuramotoLayerOptions) {
    const { channels, rotatingDimensions: n = 4, omega = false, project = true } = options;
    const { omegaOff = "identity", stimulusNorm = "group" } = options;
    checkOscillators(channels, n);
    check(
      omega === false || n % 2 === 0,
      () => `Kuramoto layer: expected an even n with natural frequencies, which rotate planes, got ${n}`,
    );
    checkOneOf("Kuramoto layer: omegaOff", omegaOff, ["identity", "zero"]);
    [this.n, this.channels, this.#project, this.#omegaOff] = [n, channels, project, omegaOff];
    this.naturalFrequency = omega === false ? undefined : new NaturalFrequency(channels, omega);
    this.coupling = couplingOf(options);
    this.stimulusNorm = stimulusNormOf(stimulusNorm, channels, n);
  }

  /**
   * Runs the Kuramoto steps.
   *
   * @param x initial oscillators, [batch, channels, height, width] or, with dense coupling, also [batch,
   * channels]. The vectors may have any length; they are normalised first
   * @param c conditional stimulus, of the same shape as x
   * @throws StriateError if the shapes do not fit
   */
  forward(x: Tensor, c: Tensor, { steps, stepSize = 1 }: KuramotoSteps): KuramotoTrace {
    this.#check(x, c, steps, stepSize);
    const { n } = this;
    return scope("kuramoto", () => {
      const gain = typeof stepSize === "number" ? constant([stepSize]) : stepSize;
      const rotation = this.naturalFrequency?.matrix();
      // If gamma is a graph input, multiply the drive by it in every step instead, so that the weights remain
      // constants.
      const fed = gain.node.leaf?.kind === "input";
      const field = this.coupling.field(x, { n, gain: fed ? 1 : gain, rotation });
      const unscaled = add(field.toField(this.#normalised(c)), field.bias);
      const stimulus = fed ? unscaled : mul(unscaled, gain);
      const selfWeight =
        rotation === undefined && this.#omegaOff === "identity" ? add(gain, 1) : constant([1]);
      let state = unitVectors(field.toField(x), COMPONENTS);
      const states: Tensor[] = [];
      // The energies of the states before each step, negated and, if the weights are multiplied by gamma, times gamma.
      const pulls: Tensor[] = [];
      for (let t = 0; t < steps; t++) {
        timestep(`step${t}`, () => {
          const driven = add(field.coupledInput(state), stimulus);
          const drive = fed ? mul(driven, gain) : driven;
          const pull = sum(mul(state, driven), COMPONENTS, { keepAxes: true });
          const agreement = fed ? mul(pull, gain) : pull;
          const weight = this.#project ? sub(selfWeight, agreement) : selfWeight;
          state = unitVectors(add(mul(state, weight), drive), COMPONENTS);
          states.push(state);
          pulls.push(pull);
        });
      }
      const space = [0, 1, 2, 3].filter((axis) => axis !== field.batchAxis);
      const energies = pulls.map((pull) => sum(pull, space));
      return traceOf(states, energies, fed ? undefined : gain, (value) => field.toMap(value));
    });
  }

  #normalised(c: Tensor): Tensor {
    return this.stimulusNorm === undefined ? c : this.stimulusNorm.forward(c);
  }

  #check(x: Tensor, c: Tensor, steps: number, stepSize: Tensor | number): void {
    checkWhole("Kuramoto layer: steps", steps);
    if (typeof stepSize === "number") checkPositive("Kuramoto layer: stepSize", stepSize);
    check(
      x.rank >= 2 && x.shape[1] === this.channels,
      () =>
        `Kuramoto layer: expected oscillators [batch, ${this.channels}, ...space], got ${showShape(x.shape)}`,
    );
    check(
      sameShape(x.shape, c.shape),
      () =>
        `Kuramoto layer: expected a stimulus in the oscillators' shape ${showShape(x.shape)}, got ${showShape(c.shape)}`,
    );
  }
}

/**
 * Makes the results of the steps. States are converted to maps only when they are read. `gain` is the factor that `pulls`
 * contain.
 */
function traceOf(
  fields: readonly Tensor[],
  pulls: readonly Tensor[],
  gain: Tensor | undefined,
  leave: (field: Tensor) => Tensor,
): KuramotoTrace {
  let states: readonly Tensor[] | undefined;
  let energies: Tensor | undefined;
  const measured = () => {
    const rows = pulls.map((pull) => unsqueeze(pull, [0]));
    const all = rows.length === 1 ? rows[0]! : concat(rows, 0);
    return concat([zerosLike(rows[0]!), neg(gain === undefined ? all : div(all, gain))], 0);
  };
  return {
    get last() {
      return this.states.at(-1)!;
    },
    get states() {
      return (states ??= fields.map(leave));
    },
    get energies() {
      return (energies ??= measured());
    },
  };
}

/** A trained scale (initially 1) and bias (initially 0) for each channel. */
export class ScaleAndBias {
  readonly scale: Tensor;
  readonly bias: Tensor;

  constructor(channels: number) {
    this.scale = parameter([channels], ones);
    this.bias = parameter([channels], zeros);
  }

  /** Scales and shifts a map [batch, channels, ...space]. */
  forward(x: Tensor): Tensor {
    const shape = [this.scale.shape[0]!, ...x.shape.slice(2).map(() => 1)];
    return add(mul(x, reshape(this.scale, shape)), reshape(this.bias, shape));
  }
}

function couplingOf({ channels, coupling }: KuramotoLayerOptions): Coupling {
  checkOneOf("coupling", coupling.type, ["convolution", "attention", "dense"]);
  switch (coupling.type) {
    case "convolution":
      return new ConvolutionCoupling(channels, coupling.kernel);
    case "attention":
      return new AttentionCoupling(channels, coupling);
    case "dense":
      return new DenseCoupling(channels, coupling.positions);
  }
}

function stimulusNormOf(
  norm: StimulusNorm,
  channels: number,
  n: number,
): GroupNorm | ScaleAndBias | undefined {
  checkOneOf("stimulus norm", norm, ["group", "scaleAndBias", "none"]);
  switch (norm) {
    case "group":
      return new GroupNorm(channels / n, channels);
    case "scaleAndBias":
      return new ScaleAndBias(channels);
    case "none":
      return undefined;
  }
}
