import { checkPixels } from "../../util/check.js";
import { check } from "../../util/errors.js";
import type { ImageSource } from "../images/image-source.js";
import type { SceneBatch, Scenes } from "./multi-mnist.js";
import { SCENE } from "./scene-render.js";

/** Colour images that serve as backgrounds of digits, such as those of CIFAR-10. */
export interface BackgroundImages {
  readonly count: number;
  /** The images, `[count, 3, 32, 32]`: planes of red, green and blue values from 0 to 255. */
  readonly images: Uint8Array;
}

/** Options for the backgrounds of `BackgroundScenes`. */
export interface BackgroundOptions {
  /**
   * Whether backgrounds are converted to one grey channel, 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601). Default
   * false.
   */
  readonly grey?: boolean;
}

const PIXELS = SCENE * SCENE;
const LUMINANCE = [0.299, 0.587, 0.114] as const;

/**
 * Scenes of digits in front of images, as the generator of the KomplexNet authors makes them. Scene i has the
 * background image i (images repeat if there are fewer images than scenes); every channel is min(1, image +
 * digits). Labels and masks are those of the digits, so mask channel 0 is the background. To sample the masks
 * as the authors do, make the scenes with `maskSampling: "floor"`.
 *
 * Throws `StriateError` for scenes that are not grey and for images that are not 32x32 in colour.
 */
export class BackgroundScenes implements Scenes {
  readonly count: number;
  readonly channels: number;
  readonly objects: number;
  readonly maskChannels: number;
  readonly overlapChannel: boolean;
  readonly #digits = new Float32Array(PIXELS);

  constructor(
    readonly scenes: Scenes,
    readonly backgrounds: BackgroundImages,
    { grey = false }: BackgroundOptions = {},
  ) {
    const { count, images } = backgrounds;
    check(
      Number.isInteger(count) && count > 0 && images.length === count * 3 * PIXELS,
      () =>
        `backgrounds: expected ${count} images of 3 x ${SCENE} x ${SCENE} bytes, got ${images.length} bytes`,
    );
    check(scenes.channels === 1, () => `backgrounds: expected grey scenes, got ${scenes.channels} channels`);
    this.count = scenes.count;
    this.channels = grey ? 1 : 3;
    this.objects = scenes.objects;
    this.maskChannels = scenes.maskChannels;
    this.overlapChannel = scenes.overlapChannel;
  }

  digitLabels(index: number): number[] {
    return this.scenes.digitLabels(index);
  }

  fillBatch(indices: ArrayLike<number>, { x, y, masks }: SceneBatch): void {
    const needed = indices.length * this.channels * PIXELS;
    check(
      x === undefined || x.length >= needed,
      () => `scenes with backgrounds: expected room for ${needed} numbers in x, got ${x?.length ?? 0}`,
    );
    this.scenes.fillBatch(indices, { ...(y && { y }), ...(masks && { masks }) });
    if (x === undefined) return;
    for (let n = 0; n < indices.length; n++) {
      this.scenes.fillBatch([indices[n]!], { x: this.#digits });
      this.#compose(indices[n]! % this.backgrounds.count, x, n * this.channels * PIXELS);
    }
  }

  #compose(picture: number, out: Float32Array, at: number): void {
    const { images } = this.backgrounds;
    const from = picture * 3 * PIXELS;
    const digits = this.#digits;
    if (this.channels === 3) {
      for (let i = 0; i < 3 * PIXELS; i++) {
        out[at + i] = Math.min(1, images[from + i]! / 255 + digits[i % PIXELS]!);
      }
      return;
    }
    const [red, green, blue] = LUMINANCE;
    for (let i = 0; i < PIXELS; i++) {
      const grey =
        red * images[from + i]! + green * images[from + PIXELS + i]! + blue * images[from + 2 * PIXELS + i]!;
      out[at + i] = Math.min(1, grey / 255 + digits[i]!);
    }
  }
}

/**
 * Reads the first `most` images of a source as backgrounds. Throws `StriateError` for images that are not
 * 32x32.
 */
export async function backgroundImages(
  source: ImageSource,
  most: number = source.count,
): Promise<BackgroundImages> {
  const count = Math.min(most, source.count);
  const images = new Uint8Array(count * 3 * PIXELS);
  for (let n = 0; n < count; n++) {
    const { width, height, data } = await source.read(n);
    checkPixels(`backgrounds: ${source.name}, ${source.nameOf(n)}`, { width, height }, SCENE, SCENE);
    for (let i = 0; i < PIXELS; i++) {
      for (let c = 0; c < 3; c++) images[(3 * n + c) * PIXELS + i] = data[3 * i + c]!;
    }
  }
  return { count, images };
}
