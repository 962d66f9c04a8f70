import { encode } from "fast-png";
import { StriateError, check } from "../../util/errors.js";
import { readFileChecked, writeFileAtomic } from "../../util/files-node.js";
import { decodeBmp } from "./decode/bmp.js";
import { LARGEST_FILE, LARGEST_PIXELS, imageFormat } from "./decode/image-formats.js";
import type { RgbImage } from "./rgb-image.js";
import { checkImage } from "./rgb-image.js";
import { loadSharp } from "./sharp-node.js";
import { tiffTags } from "./decode/tiff.js";

/** The supported types of samples: bytes, and 16-bit samples, which are reduced to their upper byte. */
const DEPTHS: readonly (string | undefined)[] = ["uchar", "ushort"];

/** Values of TIFF's tags for the colour space and the compression. */
const [YCBCR, JPEG] = [6, 7];

/**
 * Decodes an image (JPEG, PNG, WebP, GIF, TIFF, AVIF, BMP) to 8-bit RGB as Pillow's `convert("RGB")` does.
 * The result has the stored samples: colour profiles and transparency are ignored, and grey becomes three
 * equal channels. From CMYK, red is (255 - C)(255 - K) / 255; green and blue follow in the same way from M
 * and Y. The orientation tag is ignored except in TIFF files, which are rotated accordingly.
 *
 * Damage is an error if the format can tell. PNG has checksums. JPEG, WebP, GIF, TIFF, AVIF and BMP have none, so a
 * changed byte among their samples may give other pixels.
 *
 * There are two differences from Pillow: 16-bit grey is scaled to bytes (Pillow clips it at 255, which makes
 * nearly every image white), and transparent pixels of a GIF are black (because the decoder does not report
 * their colour).
 *
 * @param name used in errors
 * @throws StriateError for bytes that are not an image, or are damaged or cut off; for images larger than 128
 * megapixels; for samples without a known range (floats, 32-bit integers), YCbCr without JPEG compression, and unknown
 * compressions; also if the package sharp is absent, which only BMP files do not need.
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<RgbImage> {
  if (imageFormat(bytes, name) === "bmp") return decodeBmp(bytes, name, LARGEST_PIXELS);
  const sharp = await loadSharp();
  try {
    const input = sharp(bytes, {
      failOn: "warning",
      limitInputPixels: LARGEST_PIXELS,
      sequentialRead: true,
      ignoreIcc: true,
    });
    const { depth, space, format } = await input.metadata();
    check(
      DEPTHS.includes(depth),
      () => `"${name}": expected samples of 8 or 16 bits, got type ${depth}, whose range is unknown`,
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

/** Reads and decodes an image file; throws as {@link decodeImage} does, and if the file cannot be read. */
export async function readImage(path: string): Promise<RgbImage> {
  return decodeImage(await readImageFile(path), path);
}

/** Reads the bytes of an image file. Throws {@link StriateError} if it cannot be read. */
export function readImageFile(path: string): Promise<Uint8Array> {
  return readFileChecked(path, { what: "image", maxBytes: LARGEST_FILE });
}

/** Writes a PNG file atomically. */
export async function writePng(path: string, image: RgbImage): Promise<void> {
  checkImage(image, path);
  await writeFileAtomic(path, encode({ ...image, channels: 3, depth: 8 }));
}

/** Copies a buffer's bytes, because its memory may be part of a pool that other buffers use. */
function ownBytes(data: Buffer): Uint8Array {
  return new Uint8Array(data);
}

function fromGrey(data: Buffer, channels: number): Uint8Array {
  const out = new Uint8Array((data.length / channels) * 3);
  for (let i = 0, o = 0; i < data.length; i += channels, o += 3) out.fill(data[i]!, o, o + 3);
  return out;
}

/**
 * Converts CMYK to RGB: red is (255 - C)(255 - K) / 255, rounded as in Pillow; green and blue follow in the
 * same way from M and Y.
 */
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
