/**
 * VOneNet: a model of primary visual cortex (V1) in front of a network (Dapello et al., NeurIPS 2020). V1's
 * receptive fields are drawn from measured or from uniform distributions (Barbulescu, Marques, Oliveira 2023;
 * arXiv:2310.10575).
 *
 * A good order in which to read the files:
 * 1. `v1/receptive-fields.ts`: the properties of a cell, in physiological units and in pixels.
 * 2. `v1/histograms.ts`: the published distributions. `v1/sampling.ts`: draws a population of cells from
 *    them, in {@link sampleReceptiveFields}. `v1/sampling-2020.ts`: draws as in the first paper.
 * 3. `v1/gabor.ts`: the Gabor function of a cell, in {@link gaborKernel}.
 * 4. `v1/vone-block.ts`: simple and complex cells, in {@link VOneBlock}. `v1/v1-noise.ts`: neuronal noise.
 * 5. `subcortical/`: retina and thalamus before V1 (EVNet, Piper et al. 2025; arXiv:2506.03089):
 * `light-adaptation.ts`, `pathways.ts`, and the {@link SubcorticalBlock}.
 * 6. `networks/`: the networks behind V1 (ResNet, CORnet-S, AlexNet, or any ONNX network by {@link withV1}), the task,
 * and the authors' training recipes.
 * 7. `analysis/`: tuning curves, sub-populations of cells, and cells matched between populations.
 *
 * @module striate/vonenet
 */
export * from "./networks/alexnet.js";
export * from "./subcortical/authors-weights.js";
export { V1_WEIGHTS, authorsFilters, authorsName, stateFromAuthors } from "./authors-names.js";
export * from "./v1/bank-weights.js";
export type { ColourDraw } from "./v1/colour-draw.js";
export * from "./networks/cornet.js";
export * from "./networks/evnet.js";
export * from "./networks/evnet-variant-names.js";
export * from "./networks/evnet-variants.js";
export type { FrontEnd, FrontEndInputs } from "./networks/front-end.js";
export * from "./v1/gabor.js";
export * from "./v1/histograms.js";
export { interpolate, inverseCdf } from "./v1/inverse-cdf.js";
export { LIGHT_ADAPTATIONS, adaptToLight } from "./subcortical/light-adaptation.js";
export type { LightAdaptation } from "./subcortical/light-adaptation.js";
export * from "./analysis/matched-cells.js";
export * from "./networks/networks.js";
export type { PathwayTensors } from "./subcortical/pathway-kernels.js";
export * from "./subcortical/pathways.js";
export * from "./v1/receptive-fields.js";
export * from "./networks/recipe.js";
export * from "./analysis/response-statistics.js";
export * from "./v1/sampling-options.js";
export { sampleReceptiveFields } from "./v1/sampling.js";
export * from "./subcortical/retina-feeds.js";
export * from "./subcortical/retina-metadata.js";
export * from "./analysis/retina-stimulus.js";
export * from "./analysis/sub-populations.js";
export * from "./subcortical/subcortical-block.js";
export * from "./subcortical/subcortical-noise.js";
export * from "./networks/task.js";
export * from "./analysis/tuning.js";
export * from "./v1/v1-feeds.js";
export * from "./v1/v1-metadata.js";
export * from "./v1/v1-noise.js";
export * from "./v1/vone-block.js";
export * from "./networks/with-v1.js";
