export * from "./corrupt.js";
export {
  BENCHMARK_CORRUPTIONS,
  CORRUPTIONS,
  SEVERITIES,
  corruptionGroup,
  corruptionName,
  isStochastic,
} from "./kinds.js";
export type { CorruptionDraws, CorruptionName, Severity } from "./kinds.js";
export { CONSTANT_SETS } from "./constants.js";
export type { ConstantSet } from "./constants.js";
export type { CorruptionGroup } from "./kind.js";
export { FROST_TEXTURES, frostTexture } from "./pixels/frost-texture.js";
export { jpegRoundTrip } from "./pixels/jpeg.js";
