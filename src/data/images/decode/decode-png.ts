import type { DecodedPng } from "fast-png";
import { StriateError } from "../../../util/errors.js";
import type { RgbImage } from "../rgb-image.js";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Positions of fields in the first chunk, which must be IHDR. */
const [WIDTH_AT, HEIGHT_AT, DEPTH_AT, INTERLACE_AT, HEADER_END] = [16, 20, 24, 28, 29];

export function isPng(bytes: Uint8Array): boolean {
  return bytes.length >= HEADER_END && SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/**
 * Decodes a PNG file to 8-bit RGB. The result has the stored samples: colour profiles and transparency are
 * ignored, 16-bit samples are reduced to their upper byte, and grey becomes three equal channels. A canvas
 * cannot be used for this because it multiplies colours by their opacity.
 *
 * @returns undefined for interlaced files with fewer than 8 bits per sample, which this decoder does not
 * support
 * @throws StriateError for files that are damaged or cut off, or have more than `mostPixels` pixels.
 */
export async function decodePng(
  bytes: Uint8Array,
  name: string,
  mostPixels: number,
): Promise<RgbImage | undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getUint32(WIDTH_AT), view.getUint32(HEIGHT_AT)];
  if (width < 1 || height < 1 || width * height > mostPixels) {
    throw new StriateError(
      `"${name}" cannot be read as an image: expected 1 to ${mostPixels} pixels, got a header for ${width} x ${height}`,
    );
  }
  if (bytes[DEPTH_AT]! < 8 && bytes[INTERLACE_AT] !== 0) return undefined;
  // The decoder is loaded only when there is a PNG file to decode, because most pages have none.
  const { convertIndexedToRgb, decode } = await import("fast-png");
  try {
    const png = decode(bytes, { checkCrc: true });
    if (png.palette === undefined) return { width, height, data: rgbOf(samplesOf(png), png.channels) };
    return { width, height, data: rgbOf(convertIndexedToRgb(png), png.palette[0]!.length) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StriateError(`"${name}" cannot be read as an image: ${reason}`, { cause });
  }
}

/** Unpacks samples to one byte each. If samples have fewer than 8 bits, each row is padded to whole bytes. */
function samplesOf({ data, depth, width, height, channels }: DecodedPng): ArrayLike<number> {
  if (depth === 8) return data;
  if (depth === 16) return Uint8Array.from(data, (sample) => sample >> 8);
  const samples = new Uint8Array(width * height * channels);
  const stride = Math.ceil((width * depth) / 8);
  const most = (1 << depth) - 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const sample = (data[y * stride + (bit >> 3)]! >> (8 - depth - (bit & 7))) & most;
      samples[y * width + x] = (sample * 255) / most;
    }
  }
  return samples;
}

/** Converts pixels of 1 to 4 channels (grey or RGB, each with or without opacity) to RGB. */
function rgbOf(samples: ArrayLike<number>, channels: number): Uint8Array {
  const data = new Uint8Array((samples.length / channels) * 3);
  const green = channels < 3 ? 0 : 1;
  const blue = channels < 3 ? 0 : 2;
  for (let from = 0, to = 0; from < samples.length; from += channels, to += 3) {
    data[to] = samples[from]!;
    data[to + 1] = samples[from + green]!;
    data[to + 2] = samples[from + blue]!;
  }
  return data;
}
