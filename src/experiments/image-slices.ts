import type { PreparedImages } from "../data/images/prepared-images.js";

/** Some of the images, sharing their memory. */
export function sliceImages(images: PreparedImages, from: number, to: number): PreparedImages {
  const size = images.pixels.length / images.count;
  return {
    ...images,
    count: to - from,
    pixels: images.pixels.subarray(from * size, to * size),
    labels: images.labels.subarray(from, to),
  };
}
