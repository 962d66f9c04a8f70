/**
 * The published variants of EVNet (Piper et al. 2025). "retina" has no V1. In every other variant V1 has
 * noise, also in "no-noise".
 */
export const EVNET_VARIANTS = [
  "standard",
  "no-p-cells",
  "no-m-cells",
  "no-light-adapt",
  "no-contrast-norm",
  "no-noise",
  "lgn-v2-connection",
  "retina",
] as const;
/** Name of a variant; docs/evnet.md has a table of them. */
export type EVNetVariant = (typeof EVNET_VARIANTS)[number];
