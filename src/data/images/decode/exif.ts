/*
 * Browsers rotate images according to their EXIF data, and there is no way to switch this off: the option
 * imageOrientation: "none" of createImageBitmap no longer does so. So the functions in this file hide the
 * EXIF data from them.
 */

const [MARKER, APP1, START_OF_SCAN] = [0xff, 0xe1, 0xda];

/**
 * Hides the EXIF data of a JPEG or WebP file from decoders. Returns a changed copy if the file has EXIF data,
 * otherwise the same bytes.
 */
export function withoutExif(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const places = isWebp(bytes) ? webpExif(bytes) : jpegExif(bytes);
  if (places.length === 0) return bytes;
  const copy = bytes.slice();
  for (const at of places) copy[at] = HIDDEN;
  return copy;
}

/**
 * The letter that replaces the first letter of "Exif" or "EXIF"; decoders skip segments with unknown names.
 */
const HIDDEN = 0x78;

function textAt(bytes: Uint8Array, at: number, text: string): boolean {
  return Array.from(text, (letter) => letter.charCodeAt(0)).every((code, i) => bytes[at + i] === code);
}

/** Positions of the names of all EXIF segments before the image data. */
function jpegExif(bytes: Uint8Array): number[] {
  const places: number[] = [];
  if (bytes[0] !== MARKER || bytes[1] !== 0xd8) return places;
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === MARKER;) {
    const kind = bytes[at + 1]!;
    if (kind === MARKER) {
      at += 1;
      continue;
    }
    if (kind === START_OF_SCAN) break;
    if (kind === APP1 && textAt(bytes, at + 4, "Exif\0")) places.push(at + 4);
    at += 2 + bytes[at + 2]! * 256 + bytes[at + 3]!;
  }
  return places;
}

function isWebp(bytes: Uint8Array): boolean {
  return textAt(bytes, 0, "RIFF") && textAt(bytes, 8, "WEBP");
}

/** Positions of the names of EXIF chunks. Chunks are padded to even lengths. */
function webpExif(bytes: Uint8Array): number[] {
  const places: number[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 12; at + 8 <= bytes.length;) {
    if (textAt(bytes, at, "EXIF")) places.push(at);
    const length = view.getUint32(at + 4, true);
    at += 8 + length + (length % 2);
  }
  return places;
}
