import type { Tensor } from "../../graph/index.js";
import { mul, resizeBilinear, showShape, sub } from "../../graph/index.js";
import { Conv2d } from "../../nn/layers/convolution.js";
import { check } from "../../util/errors.js";
import type { Grid } from "./rotations.js";

export interface PatchOptions {
  readonly channels: number;
  /** Side of the square images in pixels, a multiple of `patch`. */
  readonly imageSize: number;
  /** Side of a patch in pixels. */
  readonly patch: number;
  /** Whether images of another size are resized bilinearly; else they are an error. */
  readonly rescale: boolean;
}

/** Images [batch, 3, size, size] in [0, 1] to patches [batch, channels, size / patch, size / patch]: (x - 0.5) / 0.5, then a convolution. */
export class Patches {
  readonly conv: Conv2d;
  readonly grid: Grid;
  readonly #options: PatchOptions;

  constructor(options: PatchOptions) {
    const { channels, imageSize, patch } = options;
    const side = imageSize / patch;
    check(
      Number.isInteger(side) && side > 0,
      () => `patches of ${patch} pixels do not tile an image of ${imageSize}`,
    );
    this.conv = new Conv2d(3, channels, patch, { stride: patch });
    this.grid = [side, side];
    this.#options = options;
  }

  forward(images: Tensor): Tensor {
    const { imageSize, rescale } = this.#options;
    const [, channels, ...space] = images.shape;
    const fits = images.rank === 4 && channels === 3;
    const exact = space.every((length) => length === imageSize);
    check(
      fits && (exact || rescale),
      () =>
        `images: expected [batch, 3, ${imageSize}, ${imageSize}], got ${showShape(images.shape)}` +
        (fits ? "; set `rescale` to resize them" : ""),
    );
    const sized = exact ? images : resizeBilinear(images, [imageSize, imageSize]);
    return this.conv.forward(sub(mul(sized, 2), 1));
  }
}
