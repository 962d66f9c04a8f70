import type { Tensor } from "../../../graph/index.js";
import {
  add,
  gradients,
  mean,
  mul,
  parameter,
  scope,
  showShape,
  stopGradient,
  sub,
} from "../../../graph/index.js";
import { isStatic } from "../../../graph/dims.js";
import { dimTensor } from "../../../graph/operators/broadcast.js";
import { cast, div, square } from "../../../graph/operators/elementwise/elementwise.js";
import { fill } from "../../../nn/init.js";
import { check } from "../../../util/errors.js";
import type { CutPoint } from "./cut-points.js";
import type { Decoder, DecoderUnits } from "../decoder/decoder.js";
import type { FeatureShape } from "../decoder/decoder-steps.js";
import type { Hyperparameters, MixingWeights } from "./hyperparameters.js";
import { memoryOf } from "./hyperparameters.js";
import type { WindowRule } from "./options.js";

/**
 * What a PCoder computes from its representation. It is used in the PCoder's own next update and in that of
 * the PCoder below.
 */
export interface Prediction {
  /** The prediction p = D(r) of decoder D, [batch, ...target]. */
  readonly prediction: Tensor;
  /** The error e, a scalar: the mean of (p - target)^2 over all elements of the batch. */
  readonly error: Tensor;
  /**
   * Jᵀ (p - target), [batch, ...representation], where J is the Jacobian of D at r. Back-propagation treats
   * it as a constant.
   */
  readonly pull: Tensor;
}

/**
 * One PCoder (Choksi et al. 2021, arXiv:2106.02749). It replaces one value of the backbone by a representation r, predicts
 * the value below it, and updates r by
 *
 *     r(t) = beta f(t) + lambda p_above(t-1) + (1 - beta - lambda) r(t-1) - alpha s g(t-1),   g = (2 / K) Jᵀ (p - target)
 *
 * Here f is the feed-forward drive, which is the backbone's value; target is the value below this PCoder, and
 * p the prediction of it; p_above is the prediction of r by the PCoder above; J is the Jacobian of p at r;
 * and K is the number of elements of p. A plain PCoder has s = 1. A PCoderN has s = K / sqrt(C), so that K
 * cancels; {@link WindowRule} explains C. With measured units, the standard deviations a of r and b of the target,
 * the prediction is b D(r / a), and s has the factor a^2 / b^2, so that the step of r has the units of r.
 */
export class PCoder {
  /**
   * The decoder. Parameters have the same names as in the authors' code, such as "pcoder1.pmodule.weight" and
   * "pcoder1.C_sqrt".
   */
  readonly decoder: Decoder;
  /** sqrt(C) of a PCoderN, a scalar that is stored with the weights. Undefined for a plain PCoder. */
  readonly windowRoot: Tensor | undefined;
  /** The measured standard deviations of representation and target, stored with the weights; undefined if left out. */
  readonly units: DecoderUnits | undefined;

  constructor(
    /** Position among the PCoders, from 1 for the lowest. */
    readonly number: number,
    /** The cut point as the user wrote it in `PCoderOptions.after`. */
    readonly after: string,
    readonly cut: CutPoint,
    /** Shape of the predicted value for one image: [channels, ...space]. */
    readonly target: FeatureShape,
    decoder: Decoder,
    readonly hyperparameters: Hyperparameters,
    readonly hasFeedback: boolean,
    readonly scaling: { readonly window: WindowRule } | { readonly errorOver: "batch" | "image" },
    hasUnits: boolean,
  ) {
    this.decoder = decoder;
    this.windowRoot =
      "window" in scaling
        ? parameter([], fill(this.#startRoot(scaling.window)), { trainable: false })
        : undefined;
    const deviation = () => parameter([], fill(1), { trainable: false });
    this.units = hasUnits ? { source: deviation(), target: deviation() } : undefined;
  }

  /** Shape of the representation for one image: [channels, ...space]. */
  get shape(): FeatureShape {
    return this.cut.shape;
  }

  /** Returns sqrt(C) according to the rule; -1 means "not measured yet", as in the authors' code. */
  #startRoot(rule: WindowRule): number {
    if (typeof rule === "number") return Math.sqrt(rule);
    const skippedBy = () =>
      `PCoder ${this.number} ("${this.after}"): its decoder, which maps ${showShape(this.shape)} to ` +
      `${showShape(this.target)}, skips `;
    if (rule === "measured") {
      check(
        this.decoder.centralWindow() > 0,
        () =>
          `${skippedBy()}the central element, on which C is measured: choose the window "window" or a number`,
      );
      return -1;
    }
    const window = this.decoder.window();
    check(
      window > 0,
      () => `${skippedBy()}every element, so its prediction does not depend on the representation`,
    );
    return Math.sqrt(window);
  }

  /** The prediction from a representation, [batch, ...target]. */
  decode(representation: Tensor): Tensor {
    return this.decoder.forward(representation, this.units);
  }

  predict(representation: Tensor, target: Tensor): Prediction {
    return scope(`pcoder${this.number}`, () => {
      const prediction = this.decode(representation);
      const difference = sub(prediction, target);
      const [pull] = gradients(prediction, [representation], { seeds: [difference] });
      return { prediction, error: mean(square(difference)), pull: stopGradient(pull!) };
    });
  }

  /**
   * Computes g, the gradient of the error with respect to the representation: (2 / K) Jᵀ (p - target), where K counts
   * the elements of the whole batch.
   */
  gradient({ pull, prediction }: Prediction): Tensor {
    return mul(pull, div(2, this.#elements(prediction, "batch")));
  }

  /**
   * Computes r(t) from the drive at timestep t and from the representation, predictions and error gradient at
   * t - 1.
   */
  update(
    drive: Tensor,
    representation: Tensor,
    prediction: Prediction,
    feedback: Tensor | undefined,
    weights: MixingWeights,
  ): Tensor {
    return scope(`pcoder${this.number}`, () => {
      const rate = mul(weights.error, this.#errorScale(prediction.prediction));
      const remembered = mul(representation, memoryOf(weights, feedback !== undefined));
      const driven = add(mul(drive, weights.feedforward), remembered);
      const mixed = feedback === undefined ? driven : add(driven, mul(feedback, weights.feedback));
      return sub(mixed, mul(prediction.pull, rate));
    });
  }

  /**
   * Computes the factor of alpha Jᵀ (p - target) in the update: 2 / sqrt(C) for a PCoderN, 2 / K for a plain
   * PCoder, each times the factor of the units.
   */
  #errorScale(prediction: Tensor): Tensor {
    const { units, windowRoot, scaling } = this;
    const elements = () => this.#elements(prediction, "errorOver" in scaling ? scaling.errorOver : "batch");
    const scale = div(2, windowRoot ?? elements());
    return units === undefined ? scale : mul(scale, square(div(units.source, units.target)));
  }

  #elements(prediction: Tensor, over: "batch" | "image"): Tensor | number {
    const perImage = this.target.reduce((a, b) => a * b, 1);
    const batch = prediction.shape[0]!;
    if (over === "image") return perImage;
    if (isStatic(batch)) return perImage * batch;
    return mul(cast(dimTensor(batch, [prediction]), "float32"), perImage);
  }
}
