import { digitImages, type DigitImages } from "../../src/data/index.js";
import { Random } from "../../src/util/random.js";

/** Made-up digits: rectangles of random size, place and grey, ten labels in turn. */
export function rectangleDigits(count: number, seed = 1): DigitImages {
  const images = new Uint8Array(count * 784);
  const random = new Random(seed);
  for (let n = 0; n < count; n++) {
    const height = random.integer(1, 21);
    const width = random.integer(1, 21);
    const top = random.integer(0, 29 - height);
    const left = random.integer(0, 29 - width);
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) images[n * 784 + y * 28 + x] = random.integer(1, 256);
    }
  }
  return digitImages(
    "rectangles",
    images,
    Uint8Array.from({ length: count }, (_, i) => i % 10),
    28,
    28,
  );
}

export const range = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, i) => start + i);

/** Whether two arrays hold the same bytes; much quicker than comparing them element by element in an expectation. */
export const sameBytes = (a: ArrayBufferView, b: ArrayBufferView): boolean =>
  Buffer.compare(bytes(a), bytes(b)) === 0;

const bytes = (view: ArrayBufferView): Buffer => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
