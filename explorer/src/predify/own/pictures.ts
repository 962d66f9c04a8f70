import { Random } from "striate";
import { sampleBox } from "../../parts/digits.js";
import type { PredifyState } from "../state.js";

/** Channels, height and width of a network's pictures. */
export type PictureShape = readonly [channels: number, height: number, width: number];

const canvas = new OffscreenCanvas(1, 1);

/** A picture at a network's size as bytes, red, green, blue and opacity. A digit of the page is white on black. */
function bytesOf(
  [, height, width]: PictureShape,
  picture: ImageBitmap,
  box: readonly [number, number, number, number],
): Uint8ClampedArray {
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingQuality = "high";
  // The picture covers the network's, as its centre.
  const [left, top, boxWidth, boxHeight] = box;
  const scale = Math.max(width / boxWidth, height / boxHeight);
  const [w, h] = [boxWidth * scale, boxHeight * scale];
  context.drawImage(
    picture,
    ...([left, top, boxWidth, boxHeight] as const),
    ...([(width - w) / 2, (height - h) / 2, w, h] as const),
  );
  return context.getImageData(0, 0, width, height).data;
}

const whole = (picture: ImageBitmap) => [0, 0, picture.width, picture.height] as const;

/** Bytes as planes: red, green and blue, or grey for a network of one channel. */
function planesOf(shape: PictureShape, bytes: Uint8ClampedArray, isSwapped: boolean): Uint8Array {
  const [channels, height, width] = shape;
  const plane = height * width;
  const out = new Uint8Array(channels * plane);
  for (let i = 0; i < plane; i++) {
    const [r, g, b] = [bytes[4 * i]!, bytes[4 * i + 1]!, bytes[4 * i + 2]!];
    const values = channels === 1 ? [Math.round(0.299 * r + 0.587 * g + 0.114 * b)] : [r, g, b];
    values.forEach((value, c) => {
      out[c * plane + i] = isSwapped ? 255 - value : value;
    });
  }
  return out;
}

/** The picture that the network sees, [channels, height, width], 0 to 1 and beyond with noise. */
export function noisyPicture(
  shape: PictureShape,
  samples: ImageBitmap,
  own: ImageBitmap | undefined,
  { sample, source, noise, salt, seed }: PredifyState,
): Float32Array {
  const bytes =
    own === undefined ? bytesOf(shape, samples, sampleBox(sample)) : bytesOf(shape, own, whole(own));
  const planes = planesOf(shape, bytes, own !== undefined && source === "swapped");
  const draws = Random.derive(seed, "noise").fillNormal(new Float32Array(planes.length));
  const random = Random.derive(seed, "salt");
  const plane = planes.length / shape[0];
  const chances = Float32Array.from({ length: 2 * plane }, () => random.uniform());
  return draws.map((draw, i) => {
    const at = i % plane;
    return chances[2 * at]! < salt ? Number(chances[2 * at + 1]! < 0.5) : planes[i]! / 255 + noise * draw;
  });
}

/** Pictures to train on, [count, channels, height, width]: those of the user, and the digits of the page if they are wanted. */
export function trainingPictures(
  shape: PictureShape,
  digits: ImageBitmap | undefined,
  own: readonly ImageBitmap[],
  isSwapped: boolean,
): { readonly pixels: Uint8Array; readonly count: number } {
  // The user's pictures are spread over the digits, so that both kinds are among those that are kept aside.
  const fromDigits = digits === undefined ? [] : Array.from({ length: 100 }, (_, i) => i);
  const places = [
    ...own.map((picture, i) => ({
      at: (i + 0.5) / own.length,
      bytes: () => bytesOf(shape, picture, whole(picture)),
      isOwn: true,
    })),
    ...fromDigits.map((sample, i) => ({
      at: i / 100,
      bytes: () => bytesOf(shape, digits!, sampleBox((sample * 37) % 100)),
      isOwn: false,
    })),
  ].sort((a, b) => a.at - b.at);
  const size = shape.reduce((a, b) => a * b, 1);
  const pixels = new Uint8Array(places.length * size);
  places.forEach(({ bytes, isOwn }, i) => {
    pixels.set(planesOf(shape, bytes(), isOwn && isSwapped), i * size);
  });
  return { pixels, count: places.length };
}

/** Planes from 0 to 1 as pixels to draw. */
export function rgbaOf([channels, height, width]: PictureShape, planes: Float32Array) {
  const plane = height * width;
  const data = new Uint8ClampedArray(4 * plane);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) data[4 * i + c] = 255 * planes[(channels === 1 ? 0 : c) * plane + i]!;
    data[4 * i + 3] = 255;
  }
  return { data, height, width };
}

/** The difference of two pictures, the mean over channels, [height, width]. */
export function meanGap(
  [channels, height, width]: PictureShape,
  a: Float32Array,
  b: Float32Array,
): Float32Array {
  const plane = height * width;
  return Float32Array.from({ length: plane }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += a[c * plane + i]! - b[c * plane + i]!;
    return sum / channels;
  });
}
