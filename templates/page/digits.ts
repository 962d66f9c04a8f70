import { Random } from "striate";
import type { DigitImages } from "striate";

/** The seven bars of a digital display, as [x, y, width, height] in a square of 28 pixels. */
const BARS = [
  [8, 3, 12, 3],
  [18, 4, 3, 9],
  [18, 14, 3, 9],
  [8, 21, 12, 3],
  [7, 14, 3, 9],
  [7, 4, 3, 9],
  [8, 12, 12, 3],
] as const;

/** For each digit, the bars that are lit. */
const LIT = ["012345", "12", "01643", "01623", "5612", "05623", "056234", "012", "0123456", "012356"];

/** Draws digits of a digital display, each a little different: `fetchMnist` reads handwritten ones instead. */
export function drawDigits(count: number, seed: number): DigitImages {
  const random = Random.derive(seed, "digits");
  const images = new Uint8Array(count * 28 * 28);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  labels.forEach((digit, i) => {
    for (const bar of LIT[digit]!) {
      const [left, top, width, height] = BARS[Number(bar)]!;
      const [dx, dy] = [random.integer(-1, 2), random.integer(-1, 2)];
      for (let y = top + dy; y < top + dy + height; y++)
        for (let x = left + dx; x < left + dx + width; x++)
          images[i * 784 + y * 28 + x] = 200 + random.integer(0, 56);
    }
  });
  return { count, height: 28, width: 28, images, labels };
}
