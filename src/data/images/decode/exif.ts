/*
 * Browsers turn images as their EXIF data say and offer no way to switch that off (the option "none" of createImageBitmap no
 * longer does). So the data are hidden from them.
 */

const [MARKER, APP1, START_OF_SCAN] = [0xff, 0xe1, 0xda];

/** The same JPEG or WebP file without EXIF data that a decoder would find: a copy if it has some, else the bytes themselves. */
export function withoutExif(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const places = isWebp(bytes) ? webpExif(bytes) : jpegExif(bytes);
  if (places.length === 0) return bytes;
  const copy = bytes.slice();
  for (const at of places) copy[at] = HIDDEN;
  return copy;
}

/** In place of the first letter of "Exif" or "EXIF": parts with unknown names are passed over. */
const HIDDEN = 0x78;

function textAt(bytes: Uint8Array, at: number, text: string): boolean {
  return Array.from(text, (letter) => letter.charCodeAt(0)).every((code, i) => bytes[at + i] === code);
}

/** Where names of EXIF segments begin, among the segments before the image itself. */
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

/** Where names of EXIF chunks begin. Chunks have even lengths. */
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
