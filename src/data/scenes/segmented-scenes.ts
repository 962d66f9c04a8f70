import { checkSlice, checkWhole } from "../../util/check.js";
import { check } from "../../util/errors.js";
import { checkIndices } from "../dataset.js";
import type { RgbImage } from "../images/rgb-image.js";

/** Square images of objects, with the object to which each pixel belongs. */
export interface SegmentedScenes {
  /** Name for messages and reports, such as "Tetrominoes train". */
  readonly name: string;
  readonly count: number;
  /** Side S of the images in pixels. */
  readonly size: number;
  /** Largest number of objects in a scene, without the background. */
  readonly objects: number;
  /** The images as bytes, `[count, 3, S, S]`. A value in 0..1 is its byte divided by 255. */
  readonly images: Uint8Array;
  /**
   * The label of each pixel, `[count, S, S]`: 0 for the background, i for the i-th object, -1 for a pixel
   * that metrics ignore.
   */
  readonly labels: Int8Array;
}

/** The largest label that {@link SegmentedScenes} can hold. */
export const MOST_OBJECTS = 127;

/**
 * Combines images and labels into scenes.
 *
 * @throws StriateError for masks whose size differs from that of the images, for labels below -1 or above
 * `objects`, and for data that are not whole scenes.
 */
export function segmentedScenes(parts: Omit<SegmentedScenes, "count">): SegmentedScenes {
  const { name, size, objects, images, labels } = parts;
  checkWhole(`${name}: size`, size);
  checkWhole(`${name}: objects`, objects, { from: 0, to: MOST_OBJECTS });
  const plane = size * size;
  check(
    images.length % (3 * plane) === 0,
    () => `${name}: expected whole images of 3 x ${size} x ${size} bytes, got ${images.length} bytes`,
  );
  const count = images.length / (3 * plane);
  check(
    labels.length === count * plane,
    () =>
      `${name}: expected masks of ${size} x ${size} for ${count} images of that size, ` +
      `together ${count * plane} labels, got ${labels.length}`,
  );
  for (let i = 0; i < labels.length; i++) {
    check(
      labels[i]! >= -1 && labels[i]! <= objects,
      () =>
        `${name}: mask ${Math.floor(i / plane)}: expected labels from -1 to ${objects}, got ${labels[i]!}`,
    );
  }
  return { name, count, size, objects, images, labels };
}

/** Returns scenes first..end-1 as views that share the memory of `scenes`. */
export function sliceScenes(scenes: SegmentedScenes, first: number, end = scenes.count): SegmentedScenes {
  checkSlice(`${scenes.name}: scenes`, first, end, scenes.count);
  const plane = scenes.size ** 2;
  return {
    ...scenes,
    count: end - first,
    images: scenes.images.subarray(3 * plane * first, 3 * plane * end),
    labels: scenes.labels.subarray(plane * first, plane * end),
  };
}

/** The image of one scene, in interleaved RGB. */
export function scenePicture(scenes: SegmentedScenes, index: number): RgbImage {
  checkIndices(scenes.name, [index], scenes.count);
  const plane = scenes.size ** 2;
  const from = 3 * plane * index;
  const data = new Uint8Array(3 * plane);
  for (let i = 0, o = 0; i < plane; i++)
    for (let c = 0; c < 3; c++) data[o++] = scenes.images[from + c * plane + i]!;
  return { width: scenes.size, height: scenes.size, data };
}

/** The labels of one scene, `[S, S]`, as a view. */
export function sceneLabels(scenes: SegmentedScenes, index: number): Int8Array {
  checkIndices(scenes.name, [index], scenes.count);
  return scenes.labels.subarray(scenes.size ** 2 * index, scenes.size ** 2 * (index + 1));
}

/**
 * Writes the images of the scenes with the given indices to `out` (default: a new array), as `[batch, 3, S,
 * S]` with values from 0 to 1.
 */
export function scenePictures(
  scenes: SegmentedScenes,
  indices: ArrayLike<number>,
  out: Float32Array = new Float32Array(indices.length * 3 * scenes.size ** 2),
): Float32Array {
  checkIndices(scenes.name, indices, scenes.count);
  const length = 3 * scenes.size ** 2;
  check(
    out.length >= indices.length * length,
    () =>
      `${scenes.name}: expected room for ${indices.length * length} numbers for ${indices.length} images, got ${out.length}`,
  );
  for (let n = 0; n < indices.length; n++) {
    const from = indices[n]! * length;
    for (let i = 0; i < length; i++) out[n * length + i] = scenes.images[from + i]! / 255;
  }
  return out;
}
