import type { DigitImages } from "striate";

/** Made-up digits in place of MNIST's: bars, their number and direction by the label. */
export function loadDigits(): Promise<DigitImages> {
  const [count, side] = [100, 28];
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const images = new Uint8Array(count * side * side);
  images.forEach((_, i) => {
    const label = labels[Math.floor(i / side ** 2)]!;
    const [y, x] = [Math.floor(i / side) % side, i % side];
    if (Math.min(x, y) < 6 || Math.max(x, y) > 21) return;
    images[i] = (label < 5 ? x : y) % (2 + (label % 5)) === 0 ? 255 : 0;
  });
  return Promise.resolve({ count, height: side, width: side, images, labels });
}
