/**
 * Trained networks that come with Striate, for use in web pages. This is a separate entry of the package
 * because, if a page imports it, the bundler copies the weights of all networks into the page's output. The
 * page downloads only the weights that it loads.
 *
 * @module striate/pretrained
 */
export type { PretrainedCard, PretrainedFigure } from "./card.js";
export { PRETRAINED_CARDS } from "./cards.js";
export type { Pretrained } from "./decode.js";
export { loadPretrained } from "./load.js";
export type { LoadPretrainedOptions } from "./load.js";
export type { PretrainedModel, PretrainedName } from "./models.js";
