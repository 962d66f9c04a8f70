import sharp from "sharp";
import { encode } from "fast-png";
import { StriateError } from "../util/errors.js";
import { readFileChecked, writeFileAtomic } from "../util/files-node.js";
import type { RgbImage } from "./rgb-image.js";
import { checkImage } from "./rgb-image.js";

/** Larger files and pictures are refused: they are damaged or hostile. */
const LARGEST_FILE = 2 ** 28;
const LARGEST_PIXELS = 2 ** 27;

/** Endings of the files that a folder of images is searched for. */
export const IMAGE_ENDINGS = [
  ".jpeg",
  ".jpg",
  ".png",
  ".webp",
  ".gif",
  ".tif",
  ".tiff",
  ".bmp",
  ".avif",
] as const;

/**
 * Decodes a picture (JPEG, PNG, WebP, GIF, TIFF, AVIF) to 8-bit RGB: grey becomes three equal channels, transparency and
 * the orientation tag are ignored, as Pillow's `convert("RGB")` does. `name` is used in errors. Throws
 * {@link StriateError} for bytes that are no picture, cut off, or larger than 128 megapixels.
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<RgbImage> {
  try {
    const { data, info } = await sharp(bytes, {
      failOn: "truncated",
      limitInputPixels: LARGEST_PIXELS,
      sequentialRead: true,
    })
      .removeAlpha()
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    const image = {
      width: info.width,
      height: info.height,
      data: info.channels === 3 ? ownBytes(data) : fromGrey(data, info.channels),
    };
    checkImage(image, name);
    return image;
  } catch (cause) {
    if (cause instanceof StriateError) throw cause;
    const reason = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    throw new StriateError(`"${name}" cannot be read as an image: ${reason}`, { cause });
  }
}

/** Reads and decodes an image file; errors as {@link decodeImage}, and when the file cannot be read. */
export async function readImage(path: string): Promise<RgbImage> {
  return decodeImage(await readFileChecked(path, { what: "image", maxBytes: LARGEST_FILE }), path);
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
