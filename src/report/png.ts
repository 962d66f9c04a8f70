import { encode } from "fast-png";
import type { RgbaImage } from "../draw/index.js";

/**
 * Encodes an image of `striate/draw` as the bytes of a PNG file.
 *
 * @example
 * ```ts
 * import { labelMap } from "striate/draw";
 * import { encodePng } from "striate/node";
 *
 * const png = encodePng(labelMap({ height: 1, width: 2, labels: [0, 1] }));
 * console.log(String.fromCharCode(...png.subarray(1, 4))); // PNG
 * ```
 */
export function encodePng(image: RgbaImage): Uint8Array {
  return encode({ width: image.width, height: image.height, data: image.data, channels: 4, depth: 8 });
}

/** Encodes bytes as base64, in Node and in browsers. */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

/** Encodes an image as `data:image/png;base64,...`. */
export function pngDataUri(image: RgbaImage): string {
  return `data:image/png;base64,${base64(encodePng(image))}`;
}
