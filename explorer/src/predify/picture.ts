import { Random } from "striate";
import { MEAN, SIDE, STD } from "../compute/predify-frame.js";
import { sampleBox } from "../parts/digits.js";
import type { PredifyState } from "./state.js";

const canvas = new OffscreenCanvas(SIDE, SIDE);

/**
 * The picture that the network sees, [SIDE, SIDE], normalised: a digit, or the grey values of the user's picture, which
 * fills it, with noise.
 */
export function networkPicture(
  samples: CanvasImageSource,
  own: ImageBitmap | undefined,
  state: PredifyState,
): Float32Array {
  const { sample, x, y, angle, noise, salt, seed } = state;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.clearRect(0, 0, SIDE, SIDE);
  if (own === undefined) {
    context.fillStyle = "#000";
    context.fillRect(0, 0, SIDE, SIDE);
  }
  context.save();
  context.translate(x, y);
  context.rotate((-angle * Math.PI) / 180);
  if (own === undefined) {
    const [left, top, width, height] = sampleBox(sample);
    context.drawImage(samples, left, top, width, height, -SIDE / 2, -SIDE / 2, SIDE, SIDE);
  } else {
    context.imageSmoothingQuality = "high";
    context.drawImage(own, -SIDE / 2, -SIDE / 2, SIDE, SIDE);
  }
  context.restore();
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  // What the user's picture does not cover is black, also if black and white are swapped.
  const greyAt = (i: number): number => {
    if (own === undefined) return data[4 * i]! / 255;
    const grey = (0.299 * data[4 * i]! + 0.587 * data[4 * i + 1]! + 0.114 * data[4 * i + 2]!) / 255;
    return ((state.source === "swapped" ? 1 - grey : grey) * data[4 * i + 3]!) / 255;
  };
  const draws = Random.derive(seed, "noise").fillNormal(new Float32Array(SIDE * SIDE));
  const random = Random.derive(seed, "salt");
  return Float32Array.from(draws, (draw, i) => {
    const [chance, end] = [random.uniform(), random.uniform()];
    const pixel = chance < salt ? Number(end < 0.5) : greyAt(i) + noise * draw;
    return (pixel - MEAN) / STD;
  });
}

/** The grey of a normalised pixel, 0 to 255. */
export const greyOf = (value: number): number =>
  Math.round(255 * Math.min(1, Math.max(0, value * STD + MEAN)));
