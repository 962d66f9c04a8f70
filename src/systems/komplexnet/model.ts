import type { Dim, Tensor } from "../../graph/index.js";
import { abs, mul, scope, showShape } from "../../graph/index.js";
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

/** What a KomplexNet sees. */
export interface KomplexNetInputs {
  /** [batch, inChannels, imageSize, imageSize], 0 to 1. */
  readonly images: Tensor;
  /** Uniform draws in [0, 1), as `KomplexNet.noiseInputs` names them; fresh ones for every batch, also when testing. */
  readonly noise: PhaseNoise;
  /** [batch, 1 + objects (+ overlap), 1, imageSize, imageSize]; only phaseMode "ideal" reads them. */
  readonly masks?: Tensor;
}

/** What a KomplexNet answers. */
export interface KomplexNetOutput {
  /** One [batch, classes] for each timestep; the same tensor where phases do not change. */
  readonly logits: readonly Tensor[];
  /** Radians after each timestep's update, unwrapped, [batch, oscillators, imageSize, imageSize]. */
  readonly phases: readonly Tensor[];
  /** Same shape; the same at every timestep. */
  readonly amplitude: Tensor;
  /** The complex stages at the last timestep. */
  readonly final: StageOutputs;
}

/**
 * KomplexNet (Muzellec, Alamia, Serre, VanRullen, TMLR 2025; arXiv:2502.21077): the first layer's units have an amplitude (what
 * is there) and a phase (which object it belongs to). Phases start at random and synchronise within objects by Kuramoto
 * dynamics; a small complex-valued network reads amplitude and phase at every timestep.
 *
 * With `feedback` the deeper layers pull on the phases too. With `phaseMode` "random" or "ideal" it is the paper's lower or upper bound.
 *
 * Throws `StriateError` for options that do not exist or do not go together.
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
  /** Real-valued front end; in kuramotoMode "input" a complex convolution that reads the synchronised image. */
  readonly frontEnd: FrontEnd | ComplexConv;
  /** K, [oscillators, oscillators, size, size]; absent where phases follow no dynamics. */
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

  /** The graph inputs that take uniform draws in [0, 1). The batch may be named ("batch"). */
  noiseInputs(batch: Dim): Record<string, Tensor> {
    return phaseNoiseInputs(this.config, batch);
  }

  /** Traces all timesteps. Throws `StriateError` where shapes do not fit the configuration. */
  forward(inputs: KomplexNetInputs): KomplexNetOutput {
    const { timesteps } = this.config;
    const amplitude = this.amplitude(inputs.images);
    const classify = this.reader(amplitude);
    const update = this.#dynamics(inputs, amplitude);
    const phases: Phases[] = [];
    const outputs: StageOutputs[] = [];
    for (let t = 0; t < timesteps; t++) {
      const [before, seen] = [phases.at(-1), outputs.at(-1)];
      const now = scope(`timestep${t}`, () => update(t, before, seen));
      const result = now === before ? seen! : scope(`timestep${t}`, () => classify(now));
      phases.push(now);
      outputs.push(result);
    }
    return {
      logits: outputs.map(({ logits }) => logits),
      phases: phases.map(({ radians }) => radians),
      amplitude,
      final: outputs.at(-1)!,
    };
  }

  /** Amplitudes of the units, [batch, oscillators, imageSize, imageSize]. Throws `StriateError` for images of another shape. */
  amplitude(images: Tensor): Tensor {
    const { inChannels, imageSize } = this.config;
    check(
      images.shape.slice(1).join() === [inChannels, imageSize, imageSize].join() && images.rank === 4,
      () =>
        `images: expected [batch, ${inChannels}, ${imageSize}, ${imageSize}], got ${showShape(images.shape)}`,
    );
    return this.frontEnd instanceof FrontEnd ? this.frontEnd.amplitude(images) : images;
  }

  /** How the phases of a timestep follow from those before (none at t = 0) and from what the stages gave then. */
  #dynamics(
    { noise, masks }: KomplexNetInputs,
    amplitude: Tensor,
  ): (t: number, before?: Phases, seen?: StageOutputs) => Phases {
    const { phaseMode, rate, desynchrony, background, overlapChannel, objects } = this.config;
    if (phaseMode === "ideal") {
      const channels = 1 + objects + (overlapChannel ? 1 : 0);
      check(masks, () => 'phaseMode "ideal" paints phases from masks: masks are missing');
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
    return (_t, before, seen) => {
      if (before === undefined || seen === undefined) return advance(start, [synchronise(start)]);
      if (feedback?.options.frozenAfterFirstStep) return before;
      return advance(before, [synchronise(before), ...(feedback?.increments(before, seen) ?? [])]);
    };
  }

  /** Reads amplitude and phases; what does not depend on the phases is computed once. */
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
