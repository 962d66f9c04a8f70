import { checkBetween } from "../../util/check.js";
import { StriateError, check } from "../../util/errors.js";
import { Random } from "../../util/random.js";
import type { ImageSource } from "./image-source.js";
import { imageSubset } from "./image-source.js";

/**
 * Splits a source into parts by the names of its images, each part with about the given share. An image stays in its
 * part when others are added or removed. Equal seeds give equal parts.
 *
 * @param shares the shares of all parts but the first, which gets the rest
 * @throws StriateError for shares that leave nothing for the first part, for a class without two images, and if a part
 * would be empty
 */
export function splitByName(source: ImageSource, shares: readonly number[], seed: number): ImageSource[] {
  const rest = 1 - shares.reduce((a, b) => a + b, 0);
  for (const share of shares) checkBetween(`${source.name}: share of a part`, share, 0, 1);
  check(rest > 0, () => `${source.name}: expected shares with a sum below 1, got ${shares.join(" + ")}`);
  checkClassSizes(source);
  const draws = Array.from({ length: source.count }, (_, index) =>
    Random.derive("split", seed, source.nameOf(index)).uniform(),
  );
  const places = draws.map((draw) => {
    let left = draw;
    for (const [i, share] of shares.entries()) {
      if (left < share) return i + 1;
      left -= share;
    }
    return 0;
  });
  // In a small data set chance may leave a part empty. It then gets the image with the next number.
  for (const part of shares.keys()) {
    if (places.includes(part + 1) || shares[part] === 0) continue;
    const [next] = [...draws.keys()]
      .filter((index) => places[index] === 0)
      .sort((a, b) => draws[a]! - draws[b]! || a - b);
    if (next !== undefined) places[next] = part + 1;
  }
  return [0, ...shares.keys()].map((_, part) => {
    const indices = places.flatMap((place, index) => (place === part ? [index] : []));
    check(
      indices.length > 0,
      () => `${source.name}: ${source.count} images are too few to split: one of the parts would be empty`,
    );
    return imageSubset(source, indices);
  });
}

/** Throws {@link StriateError} if a class that has images has only one, which cannot be in two parts. */
export function checkClassSizes({ name, classes, labels }: ImageSource): void {
  const sizes = classSizes(classes.length, labels);
  const single = classes.filter((_, i) => sizes[i] === 1);
  if (single.length === 0) return;
  const more = single.length > 5 ? ` and ${single.length - 5} more` : "";
  throw new StriateError(
    `${name}: expected at least two images of every class, got one of ${single.slice(0, 5).join(", ")}${more}`,
  );
}

/** The number of images of each class. */
export function classSizes(classes: number, labels: ArrayLike<number>): Uint32Array {
  const sizes = new Uint32Array(classes);
  for (const label of Array.from(labels)) sizes[label]!++;
  return sizes;
}
