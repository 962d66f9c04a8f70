import type { VOneBlock } from "./vone-block.js";

/**
 * Makes metadata for exported files. They describe every V1 cell, so that other software can identify the
 * cells. Values are JSON. The range of the images' values is left out behind a retina, whose responses V1 then
 * sees.
 */
export function v1Metadata(
  block: VOneBlock,
  { behindRetina = false }: { readonly behindRetina?: boolean } = {},
): Record<string, string> {
  const { fields, imageSize, channels, pixelsPerDegree, stride, gain, noise, bank } = block;
  const range = behindRetina ? { channels } : { imageRange: [-1, 1] };
  const geometry = { imageSize, pixelsPerDegree, ...range, kernelSize: bank.size, stride };
  const cells = {
    simple: fields.simple,
    complex: fields.complex,
    spatialFrequency: [...fields.spatialFrequency],
    orientation: [...fields.orientation],
    phase: [...fields.phase],
    nx: [...fields.nx],
    ny: [...fields.ny],
    colour: [...fields.colour],
    quadratureColour: [...fields.quadratureColour],
  };
  return {
    "v1.sampling": JSON.stringify(fields.source),
    "v1.geometry": JSON.stringify(geometry),
    "v1.responses": JSON.stringify({ gain, noise: noise ?? null }),
    "v1.cells": JSON.stringify(cells),
  };
}
