import { StriateError, check } from "../../../util/errors.js";
import { decodeBmp } from "./bmp.js";
import { decodePng, isPng } from "./decode-png.js";
import { withoutExif } from "./exif.js";
import { LARGEST_PIXELS, imageFormat } from "./image-formats.js";
import type { RgbImage } from "../rgb-image.js";

/**
 * Decodes an image to 8-bit RGB in a page or a worker, as `decodeImage` of `striate/node` does in Node. The
 * function returns the stored samples and ignores colour profiles, orientation tags and transparency; grey
 * becomes three equal channels. For PNG and BMP files, the result is the same as in Node, byte for byte. The
 * browser decodes the other formats (JPEG, WebP, GIF, AVIF), so their results differ: values of lossy formats
 * may be off by a few levels of 255; partly transparent pixels are rounded, and fully transparent ones are
 * black; the browser converts CMYK in its own way; and TIFF files are supported only if the browser supports
 * them (as Safari does).
 *
 * @param name used in errors
 * @throws StriateError for bytes that are not an image, or are damaged or cut off, and for images larger than 128
 * megapixels.
 */
export async function decodeImageInPage(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<RgbImage> {
  const format = imageFormat(bytes, name);
  if (format === "bmp") return decodeBmp(bytes, name, LARGEST_PIXELS);
  if (isPng(bytes)) {
    const image = await decodePng(bytes, name, LARGEST_PIXELS);
    if (image !== undefined) return image;
  }
  check(
    format !== "jpeg" || endsAsJpeg(bytes),
    () => `"${name}" cannot be read as an image: the file is cut off`,
  );
  check(
    typeof OffscreenCanvas === "function",
    () => `"${name}" cannot be read: formats other than PNG and BMP need a browser with OffscreenCanvas`,
  );
  const bitmap = await bitmapOf(bytes, name);
  try {
    const { width, height } = bitmap;
    check(
      width * height <= LARGEST_PIXELS,
      () => `"${name}": expected at most ${LARGEST_PIXELS} pixels, got ${width} x ${height}`,
    );
    return { width, height, data: pixelsOf(bitmap, name) };
  } finally {
    bitmap.close();
  }
}

async function bitmapOf(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(new Blob([withoutExif(bytes)]), {
      colorSpaceConversion: "none",
      imageOrientation: "none",
      premultiplyAlpha: "none",
    });
  } catch (cause) {
    throw new StriateError(
      `"${name}" cannot be read as an image: it is damaged, or this browser does not support its format`,
      { cause },
    );
  }
}

function pixelsOf(bitmap: ImageBitmap, name: string): Uint8Array {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  check(context, () => `"${name}": this browser cannot make a canvas of ${width} x ${height} pixels`);
  context.drawImage(bitmap, 0, 0);
  const rgba = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    data[to] = rgba[from]!;
    data[to + 1] = rgba[from + 1]!;
    data[to + 2] = rgba[from + 2]!;
  }
  return data;
}

/**
 * Whether a JPEG file contains the end marker. This must be checked because browsers show the available part
 * of a file that is cut off, without an error. Cameras may append data after the marker.
 */
function endsAsJpeg(bytes: Uint8Array): boolean {
  for (let at = bytes.length - 2; at > 1; at--) if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return true;
  return false;
}
