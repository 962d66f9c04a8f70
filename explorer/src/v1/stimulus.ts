import { gratingPatch } from "striate/vonenet";
import { PIXELS_PER_DEGREE, SIGHT } from "../compute/v1-frame.js";
import { SAMPLE, sampleBox } from "../parts/digits.js";
import type { V1State } from "./state.js";

const SIZE = SIGHT.imageSize;
/** Length of the bar in degrees of visual angle. */
export const BAR_LENGTH = 0.9;
/** Side in pixels of a digit. */
export const DIGIT_SIZE = 2 * SAMPLE;

/**
 * The image of a stimulus, [64, 64], from -1 (black) through 0 (grey) to 1 (white). The phase is in degrees.
 */
export function stimulusImage(
  state: V1State,
  phase: number,
  samples: CanvasImageSource,
  own: ImageBitmap | undefined,
): Float32Array {
  const { stimulus, contrast, orientation, frequency } = state;
  const image =
    stimulus === "own" && own !== undefined
      ? ownImage(own)
      : stimulus === "grating" || stimulus === "own"
        ? gratingPatch({ orientation, spatialFrequency: frequency, phase }, SIZE, PIXELS_PER_DEGREE)
        : stimulus === "bar"
          ? barImage(state)
          : digitImage(state, samples);
  return image.map((value) => contrast * value);
}

/** A white bar on grey. Pixels at its edges are as bright as the bar covers them. */
function barImage({ x, y, orientation, width }: V1State): Float32Array {
  const image = new Float32Array(SIZE * SIZE);
  const angle = (orientation * Math.PI) / 180;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const covered = (distance: number, degrees: number): number =>
    Math.min(1, Math.max(0, (degrees * PIXELS_PER_DEGREE) / 2 - Math.abs(distance) + 0.5));
  for (let row = 0; row < SIZE; row++) {
    for (let column = 0; column < SIZE; column++) {
      const [right, up] = [column - x, y - row];
      image[row * SIZE + column] =
        covered(right * c + up * s, BAR_LENGTH) * covered(up * c - right * s, width);
    }
  }
  return image;
}

const canvas = new OffscreenCanvas(SIZE, SIZE);

/** The grey values of the user's picture, which fills the image. */
function ownImage(own: ImageBitmap): Float32Array {
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingQuality = "high";
  context.drawImage(own, 0, 0, SIZE, SIZE);
  const { data } = context.getImageData(0, 0, SIZE, SIZE);
  return Float32Array.from({ length: SIZE * SIZE }, (_, i) => {
    const [red, green, blue] = [data[4 * i]!, data[4 * i + 1]!, data[4 * i + 2]!];
    return (0.299 * red + 0.587 * green + 0.114 * blue) / 127.5 - 1;
  });
}

/** A white digit on grey. */
function digitImage({ x, y, sample }: V1State, samples: CanvasImageSource): Float32Array {
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "#000";
  context.fillRect(0, 0, SIZE, SIZE);
  const [left, top] = [x - DIGIT_SIZE / 2, y - DIGIT_SIZE / 2];
  context.drawImage(samples, ...sampleBox(sample), left, top, DIGIT_SIZE, DIGIT_SIZE);
  const { data } = context.getImageData(0, 0, SIZE, SIZE);
  return Float32Array.from({ length: SIZE * SIZE }, (_, i) => data[4 * i]! / 255);
}
