import type { SubcorticalBlock } from "./subcortical-block.js";

/** Makes metadata for exported files, which describe the retina. Values are JSON. */
export function retinaMetadata(retina: SubcorticalBlock): Record<string, string> {
  const { imageSize, pixelsPerDegree, imageRange, lightAdaptation, p, m, colours } = retina;
  const { contrastNormalisation, rectify, noise, weights } = retina;
  const kernels: Record<string, { centreSurround: number; pool?: number }> = {};
  for (const [pathway, { dog, pool }] of Object.entries(weights))
    kernels[pathway] = {
      centreSurround: dog.shape[2]!,
      ...(contrastNormalisation && pool && { pool: pool.shape[2]! }),
    };
  return {
    "retina.geometry": JSON.stringify({ imageSize, pixelsPerDegree, imageRange }),
    "retina.cells": JSON.stringify({ p, m, colours, kernels }),
    "retina.responses": JSON.stringify({
      lightAdaptation,
      contrastNormalisation,
      rectify,
      noise: noise ?? null,
    }),
  };
}
