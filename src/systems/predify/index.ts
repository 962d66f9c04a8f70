/**
 * Predify: predictive-coding feedback for any convolutional network (Choksi, Mozafari, Biggs O'May, Ador, Alamia, VanRullen,
 * NeurIPS 2021; arXiv:2106.02749).
 *
 * A good order in which to read the files:
 * 1. `core/pcoder.ts`: the prediction of a PCoder, in {@link PCoder.predict}, and the update of its
 *    representation, in {@link PCoder.update}.
 * 2. `core/hyperparameters.ts`: beta, lambda and alpha. `core/options.ts`: all other options.
 * 3. `core/backbone.ts`: an ONNX network that can be evaluated in parts. `core/cut-points.ts`: the values in
 *    it that a PCoder can take over.
 * 4. `core/network.ts`: the loop over timesteps, in {@link PredictiveNetwork}. `core/cut-graph.ts`: rewrites
 *    the backbone's graph so that PCoders take over its values. `core/predify.ts`: builds the whole network,
 *    in {@link predify}.
 * 5. `decoder/`: the decoder, which predicts a value from the representation above it. It can be given as
 *    text or as steps, and is built as a graph.
 * 6. `training/`: trains the decoders (without labels) and the hyper-parameters (with labels). `core/run.ts`:
 *    runs all timesteps in one graph. `core/steps.ts`: runs one timestep at a time.
 * 7. `files/`: reads the authors' TOML configurations and weights, and exports graphs. `measures/`: the
 *    paper's attack and measurements.
 *
 * @module striate/predify
 */
export * from "./measures/attack.js";
export type { BackboneOptions } from "./core/backbone.js";
export { Backbone } from "./core/backbone.js";
export * from "./files/config.js";
export type { Candidate, CutPoint } from "./core/cut-points.js";
export { candidates, chooseCutPoints, listFeatureMaps, findCutPoints } from "./core/cut-points.js";
export { parseDecoder } from "./decoder/decoder-expression.js";
export * from "./decoder/decoder-steps.js";
export { Decoder } from "./decoder/decoder.js";
export * from "./core/hyperparameters.js";
export * from "./decoder/measure-window.js";
export * from "./measures/metrics.js";
export * from "./core/network.js";
export type * from "./core/options.js";
export { PCoder } from "./core/pcoder.js";
export type { Prediction } from "./core/pcoder.js";
export { predify } from "./core/predify.js";
export * from "./training/tasks.js";
export * from "./training/train-web.js";
export { resizeMatrix } from "./decoder/upsampling.js";
export * from "./files/export.js";
export * from "./core/run.js";
export * from "./core/steps.js";
export * from "./core/values.js";
export * from "../../data/images/prepared-images.js";
export * from "../../data/images/preprocessing.js";
export * from "./core/presets.js";
export * from "./measures/measure.js";
