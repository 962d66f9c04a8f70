export * from "./corrupt.js";
export { CONSTANT_SETS } from "./constants.js";
export type { ConstantSet } from "./constants.js";
export type { CorruptionGroup } from "./corruption.js";
export { FROST_TEXTURES, frostTexture } from "./pixels/frost-texture.js";
export { jpegRoundTrip } from "./pixels/jpeg.js";
