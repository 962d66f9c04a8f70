/**
 * Trained networks that come with Striate, for pages. An entry of its own: bundlers copy the files of all of them beside a
 * page that imports it, and the page fetches those that it loads.
 *
 * @module striate/pretrained
 */
export type { PretrainedCard, PretrainedFigure } from "./card.js";
export { PRETRAINED_CARDS } from "./cards.js";
export type { Pretrained } from "./decode.js";
export { loadPretrained } from "./load.js";
export type { LoadPretrainedOptions } from "./load.js";
export type { PretrainedModel, PretrainedName } from "./models.js";
