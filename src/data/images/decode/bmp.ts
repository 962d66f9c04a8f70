import { StriateError, check } from "../../../util/errors.js";
import type { RgbImage } from "../rgb-image.js";

/** Sizes in bytes of the headers that may follow the file header: BITMAPINFOHEADER and its later forms. */
const INFO_HEADERS = [40, 52, 56, 108, 124];
const FILE_HEADER = 14;
const [PLAIN, BIT_FIELDS] = [0, 3];
/** Masks of red, green and blue that Pillow assumes for 32-bit pixels if the file has no masks. */
const USUAL_MASKS = [0x00ff0000, 0x0000ff00, 0x000000ff];

/**
 * Decodes an uncompressed BMP file of 1, 4, 8, 24 or 32 bits per pixel; transparency is ignored.
 *
 * @throws StriateError for other depths, for compressed files, for files that are cut off, and for images of
 * more than `mostPixels` pixels.
 */
export function decodeBmp(bytes: Uint8Array, name: string, mostPixels: number): RgbImage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wrong = (why: string) => new StriateError(`"${name}" cannot be read as an image: ${why}`);
  if (bytes.length < FILE_HEADER + INFO_HEADERS[0]!) throw wrong("the BMP header is cut off");
  const headerSize = view.getUint32(14, true);
  if (!INFO_HEADERS.includes(headerSize)) throw wrong(`a BMP header of ${headerSize} bytes is not supported`);
  const [width, rows] = [view.getInt32(18, true), view.getInt32(22, true)];
  const [bits, compression] = [view.getUint16(28, true), view.getUint32(30, true)];
  const height = Math.abs(rows);
  if (width < 1 || height < 1 || width * height > mostPixels)
    throw wrong(`expected 1 to ${mostPixels} pixels, got a BMP header for ${width} x ${height}`);
  const masked = compression === BIT_FIELDS && bits === 32;
  if (![1, 4, 8, 24, 32].includes(bits) || (compression !== PLAIN && !masked))
    throw wrong(`BMP files of ${bits} bits per pixel with compression ${compression} are not supported`);
  const stride = 4 * Math.ceil((width * bits) / 32);
  const start = view.getUint32(10, true);
  if (start + stride * height > bytes.length)
    throw wrong(
      `expected ${start + stride * height} bytes for ${width} x ${height} pixels, got ${bytes.length}`,
    );
  const masks = masked ? [0, 4, 8].map((at) => view.getUint32(FILE_HEADER + 40 + at, true)) : USUAL_MASKS;
  const shifts = masks.map((mask) => {
    const shift = [0, 8, 16, 24].find((by) => mask === (0xff << by) >>> 0);
    if (shift === undefined) throw wrong("BMP colour masks other than whole bytes are not supported");
    return shift;
  });
  const palette = bits <= 8 ? paletteOf(view, headerSize, bits, start, name) : undefined;
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const row = start + stride * (rows > 0 ? height - 1 - y : y);
    for (let x = 0, out = 3 * width * y; x < width; x++, out += 3) {
      if (palette !== undefined) {
        const byte = bytes[row + ((x * bits) >> 3)]!;
        const index = (byte >> (8 - bits - ((x * bits) & 7))) & ((1 << bits) - 1);
        if (3 * index >= palette.length) throw wrong(`colour ${index} is not in its palette`);
        data.set(palette.subarray(3 * index, 3 * index + 3), out);
      } else if (bits === 24) {
        const at = row + 3 * x;
        for (let c = 0; c < 3; c++) data[out + c] = bytes[at + 2 - c]!;
      } else {
        const pixel = view.getUint32(row + 4 * x, true);
        for (let c = 0; c < 3; c++) data[out + c] = (pixel >>> shifts[c]!) & 0xff;
      }
    }
  }
  return { width, height, data };
}

/** The palette's colours, each as red, green, blue. */
function paletteOf(view: DataView, headerSize: number, bits: number, end: number, name: string): Uint8Array {
  const stated = view.getUint32(46, true);
  const [from, count] = [FILE_HEADER + headerSize, stated === 0 ? 1 << bits : stated];
  check(
    count <= 1 << bits && from + 4 * count <= Math.min(end, view.byteLength),
    () => `"${name}" cannot be read as an image: ${count} colours do not fit into its BMP palette`,
  );
  const colours = new Uint8Array(3 * count);
  for (let i = 0; i < count; i++)
    for (let c = 0; c < 3; c++) colours[3 * i + c] = view.getUint8(from + 4 * i + 2 - c);
  return colours;
}
