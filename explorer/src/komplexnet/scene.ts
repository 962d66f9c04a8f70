import { writeSceneMasks } from "striate";
import type { PlacedDigit } from "./state.js";
import { SAMPLE, sampleBox } from "../parts/digits.js";
import { CANVAS, IMAGE, networkImage } from "./image.js";

/** Draws digits on a canvas whose side is `scale` times 50 pixels. Ink adds up where digits overlap. */
export function drawScene(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  samples: CanvasImageSource,
  digits: readonly PlacedDigit[],
  scale: number,
): void {
  context.fillStyle = "#000";
  context.fillRect(0, 0, CANVAS * scale, CANVAS * scale);
  context.globalCompositeOperation = "lighter";
  for (const { sample, x, y, angle } of digits) {
    context.save();
    context.translate(x * scale, y * scale);
    context.rotate((-angle * Math.PI) / 180);
    context.drawImage(
      samples,
      ...sampleBox(sample),
      ...([(-SAMPLE / 2) * scale, (-SAMPLE / 2) * scale, SAMPLE * scale, SAMPLE * scale] as const),
    );
    context.restore();
  }
  context.globalCompositeOperation = "source-over";
}

const canvas = new OffscreenCanvas(CANVAS, CANVAS);

/** The ink on the canvas, [50, 50], from 0 to 255. */
function inkOf(samples: CanvasImageSource, digits: readonly PlacedDigit[]): Uint16Array {
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  drawScene(context, samples, digits, 1);
  const { data } = context.getImageData(0, 0, CANVAS, CANVAS);
  return Uint16Array.from({ length: CANVAS ** 2 }, (_, i) => data[4 * i]!);
}

/** The network's image for the digits on the canvas. */
export function sceneImage(
  samples: CanvasImageSource,
  digits: readonly PlacedDigit[],
  noise: number,
  seed: number,
): Float32Array {
  return networkImage(inkOf(samples, digits), noise, seed);
}

/**
 * The digit to which each pixel of the image [32, 32] belongs: 0 for none, 1 for the first. Where digits overlap, the
 * last one wins.
 */
export function sceneLabels(samples: CanvasImageSource, digits: readonly PlacedDigit[]): Uint8Array {
  const owners = new Uint8Array(CANVAS ** 2);
  for (const [k, digit] of digits.entries())
    inkOf(samples, [digit]).forEach((ink, i) => {
      if (ink > 0) owners[i]! |= 1 << k;
    });
  const masks = new Uint8Array((1 + digits.length) * IMAGE ** 2);
  writeSceneMasks({ owners }, masks, 0, digits.length, false);
  return Uint8Array.from(
    { length: IMAGE ** 2 },
    (_, i) => digits.findIndex((_, k) => masks[(k + 1) * IMAGE ** 2 + i] === 1) + 1,
  );
}
