import sharp from "sharp";
import { encode } from "fast-png";
import { StriateError, check } from "../../util/errors.js";
import { readFileChecked, writeFileAtomic } from "../../util/files-node.js";
import { decodeBmp, isBmp } from "./decode/bmp.js";
import { LARGEST_FILE, LARGEST_PIXELS } from "./decode/image-formats.js";
import type { RgbImage } from "./rgb-image.js";
import { checkImage } from "./rgb-image.js";
import { tiffTags } from "./decode/tiff.js";

/** Samples of these kinds are bytes, or turned into them by their upper byte. */
const DEPTHS: readonly (string | undefined)[] = ["uchar", "ushort"];

/** Values of TIFF's tags for colours and compression. */
const [YCBCR, JPEG] = [6, 7];

/**
 * Decodes an image (JPEG, PNG, WebP, GIF, TIFF, AVIF, BMP) to 8-bit RGB as Pillow's `convert("RGB")` does: the stored
 * samples, whatever colour profile they come with; grey becomes three equal channels, CMYK is (255 - C)(255 - K) / 255 and so
 * on; transparency is ignored, and so is the orientation tag, except in TIFF files, which are turned as it says.
 *
 * Two differences from Pillow: 16-bit grey is scaled to bytes (Pillow clips it at 255, which turns nearly every image white),
 * and transparent pixels of a GIF are black (the decoder does not tell their colour).
 *
 * @param name used in errors
 * @throws StriateError for bytes that are no image, damaged, cut off, larger than 128 megapixels, or whose samples are numbers
 * without a known range (floats, 32-bit integers) or YCbCr without JPEG compression, and for a compression that is not known.
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<RgbImage> {
  if (isBmp(bytes)) return decodeBmp(bytes, name, LARGEST_PIXELS);
  try {
    const input = sharp(bytes, {
      failOn: "error",
      limitInputPixels: LARGEST_PIXELS,
      sequentialRead: true,
      ignoreIcc: true,
    });
    const { depth, space, format } = await input.metadata();
    check(
      DEPTHS.includes(depth),
      () => `"${name}": its samples are of type ${depth}, whose range is not known; expected 8 or 16 bits`,
    );
    const tags = format === "tiff" ? tiffTags(bytes) : undefined;
    check(
      tags?.photometric !== YCBCR || tags.compression === JPEG,
      () => `"${name}": a TIFF of YCbCr samples without JPEG compression cannot be read; convert it to RGB`,
    );
    const turned = format === "tiff" ? input.autoOrient() : input;
    const colours =
      space === "cmyk"
        ? turned.pipelineColourspace("cmyk").toColourspace("cmyk")
        : turned.removeAlpha().toColourspace("srgb");
    const { data, info } = await colours.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    const image = { width: info.width, height: info.height, data: rgbOf(data, info.channels, space) };
    checkImage(image, name);
    return image;
  } catch (cause) {
    if (cause instanceof StriateError) throw cause;
    const reason = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    throw new StriateError(`"${name}" cannot be read as an image: ${reason}`, { cause });
  }
}

function rgbOf(data: Buffer, channels: number, space: string | undefined): Uint8Array {
  if (space === "cmyk") return fromCmyk(data);
  return channels === 3 ? ownBytes(data) : fromGrey(data, channels);
}

/** Reads and decodes an image file; errors as {@link decodeImage}, and when the file cannot be read. */
export async function readImage(path: string): Promise<RgbImage> {
  return decodeImage(await readImageFile(path), path);
}

/** The bytes of an image file. Throws {@link StriateError} if it cannot be read. */
export function readImageFile(path: string): Promise<Uint8Array> {
  return readFileChecked(path, { what: "image", maxBytes: LARGEST_FILE });
}

/** Writes a PNG file, whole or not at all. */
export async function writePng(path: string, image: RgbImage): Promise<void> {
  checkImage(image, path);
  await writeFileAtomic(path, encode({ ...image, channels: 3, depth: 8 }));
}

/** A view of the buffer's own memory could be part of a pool that others write to. */
function ownBytes(data: Buffer): Uint8Array {
  return new Uint8Array(data);
}

function fromGrey(data: Buffer, channels: number): Uint8Array {
  const out = new Uint8Array((data.length / channels) * 3);
  for (let i = 0, o = 0; i < data.length; i += channels, o += 3) out.fill(data[i]!, o, o + 3);
  return out;
}

/** (255 - C)(255 - K) / 255 for red, and so on, rounded as Pillow does. */
function fromCmyk(data: Buffer): Uint8Array {
  const out = new Uint8Array((data.length / 4) * 3);
  for (let i = 0, o = 0; i < data.length; i += 4, o += 3) {
    const light = 255 - data[i + 3]!;
    for (let c = 0; c < 3; c++) {
      const product = data[i + c]! * light + 128;
      out[o + c] = light - (((product >> 8) + product) >> 8);
    }
  }
  return out;
}
