/**
 * Trained networks that come with Striate, for pages. This is a separate entry of the package because bundlers copy the
 * weights of all networks beside any page that imports it; the page downloads only those that it loads.
 *
 * @module striate/pretrained
 */
export type { PretrainedCard, PretrainedFigure } from "./card.js";
export { PRETRAINED_CARDS } from "./cards.js";
export type { Pretrained } from "./decode.js";
export { loadPretrained } from "./load.js";
export type { LoadPretrainedOptions } from "./load.js";
export type { PretrainedModel, PretrainedName } from "./models.js";
