import { resizeImage } from "../../data/images/resize.js";
import { CONTRAST, JPEG_COMPRESSION, PIXELATE, SATURATE } from "./constants.js";
import type { CorruptionKind } from "./kind.js";
import { clip255, clipAll, unitValues } from "./kind.js";
import { changeHsv } from "./pixels/hsv.js";
import { jpegRoundTrip } from "./pixels/jpeg.js";

/** Reduces the contrast: (x - mean) c + mean, with each channel's mean over the image. */
export const contrast: CorruptionKind<number> = {
  group: "digital",
  constants: CONTRAST,
  apply({ pixels }, factor) {
    const values = unitValues(pixels);
    for (let c = 0; c < 3; c++) {
      let mean = 0;
      for (let i = c; i < values.length; i += 3) mean += values[i]!;
      mean /= values.length / 3;
      for (let i = c; i < values.length; i += 3) values[i] = clip255((values[i]! - mean) * factor + mean);
    }
    return values;
  },
};

export const saturate: CorruptionKind<readonly [number, number]> = {
  group: "extra",
  constants: SATURATE,
  apply({ pixels }, [factor, addition]) {
    const values = unitValues(pixels);
    changeHsv(
      values,
      (s) => Math.min(Math.max(s * factor + addition, 0), 1),
      (v) => v,
    );
    return clipAll(values);
  },
};

/** Shrinks the image and enlarges it again, both with a box filter. */
export const pixelate: CorruptionKind<number> = {
  group: "digital",
  constants: PIXELATE,
  apply({ pixels, side }, scale) {
    const small = Math.trunc(side * scale);
    const image = { width: side, height: side, data: pixels };
    return resizeImage(resizeImage(image, small, small, "box"), side, side, "box").data;
  },
};

export const jpegCompression: CorruptionKind<number> = {
  group: "digital",
  constants: JPEG_COMPRESSION,
  apply: ({ pixels, side }, quality) =>
    jpegRoundTrip({ width: side, height: side, data: pixels }, quality).data,
};
