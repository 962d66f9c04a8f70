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
import type { Decoder } from "../decoder/decoder.js";
import type { FeatureShape } from "../decoder/decoder-steps.js";
import type { Hyperparameters, MixingWeights } from "./hyperparameters.js";
import { memoryOf } from "./hyperparameters.js";
import type { WindowRule } from "./options.js";

/** What a PCoder computes from its representation, for its own and its lower neighbour's next update. */
export interface Prediction {
  /** p = D(r): [batch, ...target]. */
  readonly prediction: Tensor;
  /** e = mean over all elements, batch included, of (p - target)^2: scalar. */
  readonly error: Tensor;
  /** Jᵀ (p - target), J the Jacobian of D at r: [batch, ...representation]. A constant for back-propagation. */
  readonly pull: Tensor;
}

/**
 * One PCoder (Choksi et al. 2021, arXiv:2106.02749): takes over one value of the backbone, predicts the value below it,
 * and moves by
 *
 *     r(t) = beta f(t) + lambda p_above(t-1) + (1 - beta - lambda) r(t-1) - alpha s g(t-1),   g = (2 / K) Jᵀ (p - target)
 *
 * with s = 1, or s = K / sqrt(C) for a PCoderN, where K cancels.
 */
export class PCoder {
  /** Parameters and buffers carry the original's names: "pcoder1.pmodule.weight", "pcoder1.C_sqrt". */
  readonly decoder: Decoder;
  /** sqrt(C) of a PCoderN: scalar, kept with the weights. */
  readonly windowRoot: Tensor | undefined;

  constructor(
    /** From 1, lowest first. */
    readonly number: number,
    /** As the configuration names it. */
    readonly after: string,
    readonly cut: CutPoint,
    /** Channels and space of what is predicted. */
    readonly target: FeatureShape,
    decoder: Decoder,
    readonly hyperparameters: Hyperparameters,
    readonly hasFeedback: boolean,
    readonly scaling: { readonly window: WindowRule } | { readonly errorOver: "batch" | "image" },
  ) {
    this.decoder = decoder;
    this.windowRoot =
      "window" in scaling
        ? parameter([], fill(this.#startRoot(scaling.window)), { trainable: false })
        : undefined;
  }

  /** Channels and space of the representation. */
  get shape(): FeatureShape {
    return this.cut.shape;
  }

  /** sqrt(C) by the rule; -1 says "not measured yet", as in the original. */
  #startRoot(rule: WindowRule): number {
    if (typeof rule === "number") return Math.sqrt(rule);
    const skips = () =>
      `PCoder ${this.number} ("${this.after}"): its decoder makes ${showShape(this.target)} from ` +
      `${showShape(this.shape)} and skips `;
    if (rule === "measured") {
      check(
        this.decoder.centralWindow() > 0,
        () =>
          `${skips()}the central cell, which the measurement of C changes: choose the window "window" or a number`,
      );
      return -1;
    }
    const window = this.decoder.window();
    check(window > 0, () => `${skips()}every cell: nothing could be learned from its prediction`);
    return Math.sqrt(window);
  }

  predict(representation: Tensor, target: Tensor): Prediction {
    return scope(`pcoder${this.number}`, () => {
      const prediction = this.decoder.forward(representation);
      const difference = sub(prediction, target);
      const [pull] = gradients(prediction, [representation], { seeds: [difference] });
      return { prediction, error: mean(square(difference)), pull: stopGradient(pull!) };
    });
  }

  /** g: the gradient of the error with respect to the representation, (2 / K) Jᵀ (p - target), K with the batch. */
  gradient({ pull, prediction }: Prediction): Tensor {
    return mul(pull, div(2, this.#elements(prediction, "batch")));
  }

  /** r(t) from the drive and what was computed one timestep ago. */
  update(
    drive: Tensor,
    representation: Tensor,
    own: Prediction,
    feedback: Tensor | undefined,
    weights: MixingWeights,
  ): Tensor {
    return scope(`pcoder${this.number}`, () => {
      const rate = mul(weights.error, this.#errorScale(own.prediction));
      const kept = mul(representation, memoryOf(weights, feedback !== undefined));
      const driven = add(mul(drive, weights.feedforward), kept);
      const mixed = feedback === undefined ? driven : add(driven, mul(feedback, weights.feedback));
      return sub(mixed, mul(own.pull, rate));
    });
  }

  /** alpha's factor before the pull: 2 / sqrt(C), or 2 / K. */
  #errorScale(prediction: Tensor): Tensor {
    if (this.windowRoot !== undefined) return div(2, this.windowRoot);
    return div(2, this.#elements(prediction, "errorOver" in this.scaling ? this.scaling.errorOver : "batch"));
  }

  #elements(prediction: Tensor, over: "batch" | "image"): Tensor | number {
    const perImage = this.target.reduce((a, b) => a * b, 1);
    const batch = prediction.shape[0]!;
    if (over === "image") return perImage;
    if (isStatic(batch)) return perImage * batch;
    return mul(cast(dimTensor(batch, [prediction]), "float32"), perImage);
  }
}
