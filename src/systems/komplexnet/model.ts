import type { Dim, Tensor } from "../../graph/index.js";
import { abs, mul, scope, showShape, timestep } from "../../graph/index.js";
import { checkShape } from "../../util/check.js";
import { check } from "../../util/errors.js";
import type { Complex } from "./complex-layers.js";
import { ComplexConv } from "./complex-layers.js";
import type { KomplexNetConfig, KomplexNetOptions } from "./config.js";
import { FILTERS, komplexNetConfig } from "./config.js";
import { couplingParameter } from "./coupling.js";
import { Feedback } from "./feedback.js";
import { FrontEnd } from "./gabor.js";
import type { Phases } from "./kuramoto.js";
import { advance, kuramoto, phasesOf } from "./kuramoto.js";
import type { PhaseNoise } from "./phases.js";
import {
  PHASE_NOISE,
  backgroundNoise,
  drawOf,
  idealPhases,
  phaseNoiseInputs,
  offsetNoise,
  randomPhases,
} from "./phases.js";
import type { StageOutputs } from "./stages.js";
import { ComplexStages } from "./stages.js";

/** Inputs of a KomplexNet. */
export interface KomplexNetInputs {
  /** Images [batch, inChannels, imageSize, imageSize] with values in [0, 1]. */
  readonly images: Tensor;
  /**
   * Uniform random draws in [0, 1), under the names that `KomplexNet.noiseInputs` gives. They must be new for
   * every batch, in training and in testing.
   */
  readonly noise: PhaseNoise;
  /** Masks [batch, 1 + objects (+ overlap), 1, imageSize, imageSize]. Only phaseMode "ideal" uses them. */
  readonly masks?: Tensor;
}

/** Outputs of a KomplexNet. */
export interface KomplexNetOutput {
  /** Logits [batch, classes] for each timestep. If phases do not change, all timesteps share one tensor. */
  readonly logits: readonly Tensor[];
  /**
   * Phases after each timestep's update, [batch, oscillators, imageSize, imageSize], in radians and never reduced
   * modulo 2 pi.
   */
  readonly phases: readonly Tensor[];
  /** Amplitudes of the oscillators, in the shape of the phases. They do not change over the timesteps. */
  readonly amplitude: Tensor;
  /** Outputs of the complex layers at the last timestep. */
  readonly final: StageOutputs;
}

/**
 * KomplexNet (Muzellec, Alamia, Serre, VanRullen, TMLR 2025; arXiv:2502.21077): each unit of the first layer has an
 * amplitude, which encodes the feature, and a phase, which encodes the object that the feature belongs to. Phases start
 * at random and synchronise within objects by Kuramoto dynamics. A small complex-valued network reads amplitudes and
 * phases at every timestep.
 *
 * With `feedback`, deeper layers also pull on the phases. With `phaseMode` "random" or "ideal", the model is the
 * paper's lower or upper bound.
 *
 * Throws `StriateError` if an option is unknown or contradicts another.
 *
 * @example
 * ```ts
 * import { KomplexNet, namedParameters } from "striate";
 *
 * const model = new KomplexNet({ timesteps: 8, feedback: {} });
 * console.log(namedParameters(model).size > 0); // true
 * ```
 */
export class KomplexNet {
  readonly config: KomplexNetConfig;
  /**
   * The real-valued front end. In kuramotoMode "input", it is a complex convolution of the image, whose
   * pixels are the oscillators.
   */
  readonly frontEnd: FrontEnd | ComplexConv;
  /** The coupling kernel K, [oscillators, oscillators, size, size]; undefined if phases have no dynamics. */
  readonly coupling: Tensor | undefined;
  readonly feedback: Feedback | undefined;
  readonly stages: ComplexStages;

  constructor(options: KomplexNetOptions = {}) {
    const config = komplexNetConfig(options);
    const { kuramotoMode, phaseMode, inChannels, biases, singularGradients } = config;
    this.config = config;
    this.frontEnd =
      kuramotoMode === "input"
        ? new ComplexConv({ inChannels, outChannels: FILTERS, padding: 1, biases, singularGradients })
        : new FrontEnd(config, kuramotoMode === "endtoend");
    this.coupling = phaseMode === "kuramoto" ? couplingParameter(config) : undefined;
    this.feedback = config.feedback && new Feedback(config, config.feedback);
    this.stages = new ComplexStages(config, FILTERS);
  }

  /**
   * Makes the graph inputs for uniform random draws in [0, 1). `batch` is the batch size: a number, or a name
   * if it may vary.
   */
  noiseInputs(batch: Dim): Record<string, Tensor> {
    return phaseNoiseInputs(this.config, batch);
  }

  /** Writes the graph of all timesteps. Throws `StriateError` if shapes do not fit the configuration. */
  forward(inputs: KomplexNetInputs): KomplexNetOutput {
    const { timesteps } = this.config;
    const amplitude = this.amplitude(inputs.images);
    const classify = this.reader(amplitude);
    const update = this.#dynamics(inputs, amplitude);
    const phases: Phases[] = [];
    const outputs: StageOutputs[] = [];
    for (let t = 0; t < timesteps; t++) {
      const [before, outputsBefore] = [phases.at(-1), outputs.at(-1)];
      const { current, result } = timestep(`timestep${t}`, () => {
        const next = update(t, before, outputsBefore);
        return { current: next, result: next === before ? outputsBefore! : classify(next) };
      });
      phases.push(current);
      outputs.push(result);
    }
    return {
      logits: outputs.map(({ logits }) => logits),
      phases: phases.map(({ radians }) => radians),
      amplitude,
      final: outputs.at(-1)!,
    };
  }

  /**
   * Computes the units' amplitudes [batch, oscillators, imageSize, imageSize]. Throws `StriateError` if images have
   * another shape.
   */
  amplitude(images: Tensor): Tensor {
    const { inChannels, imageSize } = this.config;
    checkShape("images", images.shape, ["batch", inChannels, imageSize, imageSize]);
    return this.frontEnd instanceof FrontEnd ? this.frontEnd.amplitude(images) : images;
  }

  /**
   * Makes the function that computes the phases at timestep t. Its arguments are the phases and the outputs
   * of the complex layers at the previous timestep, both undefined at t = 0.
   */
  #dynamics(
    { noise, masks }: KomplexNetInputs,
    amplitude: Tensor,
  ): (t: number, before?: Phases, outputsBefore?: StageOutputs) => Phases {
    const { phaseMode, rate, desynchrony, background, overlapChannel, objects } = this.config;
    if (phaseMode === "ideal") {
      const channels = 1 + objects + (overlapChannel ? 1 : 0);
      check(masks, () => 'masks: expected masks for phaseMode "ideal", got none');
      check(
        masks.shape[1] === channels,
        () => `masks: expected ${channels} channels for ${objects} objects, got ${showShape(masks.shape)}`,
      );
      return (t) => {
        const draw = drawOf(noise, backgroundNoise(t));
        const offset = drawOf(noise, offsetNoise(t));
        return phasesOf(idealPhases(masks, { draw, offset, background, overlapChannel }));
      };
    }
    const start = phasesOf(randomPhases(drawOf(noise, PHASE_NOISE)));
    if (this.coupling === undefined) return (_t, before) => before ?? start;
    const synchronise = kuramoto(amplitude, this.coupling, { rate, desynchrony });
    const { feedback } = this;
    return (_t, before, outputsBefore) => {
      if (before === undefined || outputsBefore === undefined) return advance(start, [synchronise(start)]);
      if (feedback?.options.frozenAfterFirstStep) return before;
      return advance(before, [synchronise(before), ...(feedback?.increments(before, outputsBefore) ?? [])]);
    };
  }

  /**
   * Makes the function that computes the outputs of the complex layers from phases. Values that do not depend
   * on the phases are computed only once.
   */
  reader(amplitude: Tensor): (phases: Phases) => StageOutputs {
    const { frontEnd, stages } = this;
    const magnitude = frontEnd instanceof FrontEnd ? amplitude : scope("amplitude", () => abs(amplitude));
    const reader = frontEnd instanceof FrontEnd ? stages.convolution : frontEnd;
    const chi = scope("amplitude", () => reader.map.forward(magnitude));
    return ({ cos, sin }) => {
      const z: Complex = { real: mul(amplitude, cos), imaginary: mul(amplitude, sin), magnitude };
      if (frontEnd instanceof FrontEnd) return stages.forward(z, chi);
      return stages.forward(scope("frontEnd", () => frontEnd.forward(z, chi)));
    };
  }
}
