import type { ImportedModel } from "../../../graph/onnx/read/read.js";
import { check } from "../../../util/errors.js";
import { Backbone } from "./backbone.js";
import type { CutPoint } from "./cut-points.js";
import { checkCutPoints, chooseCutPoints, findCutPoints } from "./cut-points.js";
import { parseDecoder } from "../decoder/decoder-expression.js";
import type { DecoderOptions, DecoderStep, FeatureShape } from "../decoder/decoder-steps.js";
import { decoderSteps, defaultDecoder } from "../decoder/decoder-steps.js";
import { Decoder } from "../decoder/decoder.js";
import type { Hyperparameters } from "./hyperparameters.js";
import { DEFAULT_HYPERPARAMETERS, checkHyperparameters } from "./hyperparameters.js";
import { PredictiveNetwork } from "./network.js";
import type { PCoderOptions, PredifyOptions } from "./options.js";
import { checkOptions } from "./options.js";
import { PCoder } from "./pcoder.js";

/**
 * Adds predictive-coding feedback to a feed-forward network read from ONNX. PCoders take over chosen values
 * of the network, and each has a decoder that predicts the value below. The weights of the network itself,
 * the backbone, do not change. The decoders start from random weights; `trainFeedback` trains them.
 *
 * @throws StriateError if a chosen value is unknown (the message suggests similar names), out of order, not
 * between the image and the output, not of fixed size, or lost because normalisation was folded into it; if a
 * decoder does not fit its target; or if beta + lambda is above 1.
 * @example
 * ```ts
 * import { predify } from "striate";
 * import { loadOnnx } from "striate/node";
 *
 * const network = predify(await loadOnnx("vgg11.onnx"), { pcoders: 3 });
 * for (const { shape } of network.pcoders) console.log(shape);
 * ```
 */
export function predify(model: ImportedModel, options: PredifyOptions): PredictiveNetwork {
  checkOptions(options);
  const backbone = new Backbone(model, options);
  const places = placesOf(backbone, options.pcoders);
  checkCutPoints(
    backbone,
    places.map(({ cut }) => cut),
  );
  const network = valuesOf(options, DEFAULT_HYPERPARAMETERS);
  const first = places[0]!;
  const pcoders = places.map((place, i) => {
    const what = `PCoder ${i + 1} ("${place.cut.name}")`;
    const values = valuesOf(options.sharedHyperparameters === true ? first.options : place.options, network);
    checkHyperparameters(values, what);
    const target: FeatureShape = i === 0 ? backbone.imageShape : places[i - 1]!.cut.shape;
    const steps = stepsOf(place.options.decoder, place.cut.shape, target, `${what}: decoder`);
    const { gradientScaling = true, errorOver = "batch", units = "measured", window = "window" } = options;
    return new PCoder(
      i + 1,
      place.options.after,
      place.cut,
      target,
      new Decoder(steps, place.cut.shape, target, `${what}: decoder`),
      values,
      i < places.length - 1 || options.topDownPrior === true,
      gradientScaling ? { window: place.options.window ?? window } : { errorOver },
      units === "measured",
    );
  });
  return new PredictiveNetwork(backbone, pcoders, options);
}

interface Place {
  readonly options: PCoderOptions;
  readonly cut: CutPoint;
}

function placesOf(backbone: Backbone, pcoders: PredifyOptions["pcoders"]): Place[] {
  if (typeof pcoders === "number") {
    return chooseCutPoints(backbone, pcoders).map((cut) => ({ cut, options: { after: cut.name } }));
  }
  return pcoders.flatMap((options, i) => {
    const cuts = findCutPoints(backbone, options.after, `PCoder ${i + 1}`);
    check(
      cuts.length === 1 || options.decoder === undefined,
      () =>
        `PCoder ${i + 1}: "${options.after}" matches ${cuts.length} values, which cannot share one decoder`,
    );
    return cuts.map((cut) => ({ cut, options }));
  });
}

function valuesOf(given: Partial<Hyperparameters>, rest: Hyperparameters): Hyperparameters {
  const { feedforward = rest.feedforward, feedback = rest.feedback, error = rest.error } = given;
  return { feedforward, feedback, error };
}

function stepsOf(
  decoder: string | DecoderOptions | undefined,
  source: FeatureShape,
  target: FeatureShape,
  what: string,
): DecoderStep[] {
  if (decoder === undefined) return defaultDecoder(source, target);
  return typeof decoder === "string"
    ? parseDecoder(decoder, what)
    : decoderSteps(decoder, source, target, what);
}
