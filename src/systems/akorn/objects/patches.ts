import type { Tensor } from "../../../graph/index.js";
import { isStatic } from "../../../graph/dims.js";
import { mul, resizeBilinear, showShape, sub } from "../../../graph/index.js";
import type { Size } from "../../../nn/layers/convolution.js";
import { Conv2d } from "../../../nn/layers/convolution.js";
import { check } from "../../../util/errors.js";
import type { Grid } from "../layer/grid.js";
import { gridOf, showSize } from "../layer/grid.js";

/**
 * What happens to images of a size other than the network's. With true, the images are resized bilinearly.
 * With "rotations", they keep their size, which must be whole patches, and the learned rotations of the
 * attention are resized to the images' grid of patches (the authors' `autorescale=False`). With false, such
 * images are an error.
 */
export type Rescale = boolean | "rotations";

/** Options of {@link Patches}. */
export interface PatchOptions {
  readonly channels: number;
  /** Height and width of the images in pixels, or one number for both. They must be multiples of `patch`. */
  readonly imageSize: Size;
  /** Side of a patch in pixels. */
  readonly patch: number;
  readonly rescale: Rescale;
}

/**
 * Maps images [batch, 3, height, width] with values in [0, 1] to patches [batch, channels, height / patch,
 * width / patch]. It normalises values x to (x - 0.5) / 0.5, then applies a convolution whose kernel size and
 * stride are the patch size.
 */
export class Patches {
  readonly conv: Conv2d;
  /** Numbers of rows and columns of patches in an image of the network's size. */
  readonly grid: Grid;
  readonly #options: PatchOptions;

  /** Throws `StriateError` unless patches tile the images. */
  constructor(options: PatchOptions) {
    const { channels, imageSize, patch } = options;
    this.conv = new Conv2d(3, channels, patch, { stride: patch });
    this.grid = tiled(imageSize, patch);
    this.#options = options;
  }

  /**
   * Returns the numbers of rows and columns of patches for images of a given size. Throws `StriateError`
   * unless patches tile the images.
   */
  gridFor(imageSize: Size): Grid {
    const { rescale, patch } = this.#options;
    return rescale === "rotations" ? tiled(imageSize, patch) : this.grid;
  }

  /** Computes the patches. Throws `StriateError` if images do not have the network's size and are not rescaled. */
  forward(images: Tensor): Tensor {
    const { imageSize, rescale, patch } = this.#options;
    const size = gridOf(imageSize);
    const [, channels, ...space] = images.shape;
    const fits = images.rank === 4 && channels === 3;
    const exact = space.every((length, axis) => length === size[axis]);
    const known = space.every(isStatic);
    check(
      fits && (exact || rescale === true || (rescale === "rotations" && known)),
      () =>
        `images: expected [batch, 3, ${size.join(", ")}], got ${showShape(images.shape)}` +
        (fits && rescale === false ? "; set `rescale` to resize them" : ""),
    );
    if (rescale === "rotations") tiled(space as unknown as Grid, patch);
    const sized = exact || rescale === "rotations" ? images : resizeBilinear(images, size);
    return this.conv.forward(sub(mul(sized, 2), 1));
  }
}

/**
 * Throws `StriateError` if `rescale` has another value than those of {@link Rescale}, or if it is "rotations"
 * but the network has position codes, whose size is fixed.
 */
export function checkRescale(rescale: Rescale, rotations: boolean): void {
  check(
    [true, false, "rotations"].includes(rescale),
    () => `rescale: expected true, false or "rotations", got ${JSON.stringify(rescale)}`,
  );
  check(
    rescale !== "rotations" || rotations,
    () =>
      'rescale: "rotations" needs learned rotations, but this network has position codes (rotations false) of a fixed size: choose true',
  );
}

/**
 * Returns the numbers of rows and columns of patches. Throws `StriateError` unless patches tile the image.
 */
function tiled(imageSize: Size, patch: number): Grid {
  const [rows, columns] = gridOf(imageSize).map((length) => length / patch) as [number, number];
  check(
    [rows, columns].every((count) => Number.isInteger(count) && count > 0),
    () => `patches: expected an image of whole patches of ${patch} pixels, got ${showSize(imageSize)}`,
  );
  return [rows, columns];
}
