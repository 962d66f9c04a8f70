import { contentDigest } from "../../data/images/content-digest-node.js";
import type { ImageSource } from "../../data/images/image-source.js";
import { namedImages, readClassOrder } from "../../data/sets/named-images-node.js";
import type { ResultCard } from "../../robustness/card.js";
import type { Comparison } from "../../robustness/comparison.js";
import { fitPicture } from "../../robustness/images.js";
import { check, StriateError } from "../../util/errors.js";
import type { CompareOptions } from "../commands/compare.js";
import { dataUri } from "../picture-uri.js";
import { chosenImages } from "../robustness/measure.js";

/** Number of images that the page shows. */
const SHOWN = 24;

/** Names of images, and pictures of the first ones on which the networks differ. */
export interface ComparedPictures {
  readonly nameOf: (image: number) => string;
  /** The pictures as `data:` addresses, by the position of the image in the data set. */
  readonly uris: ReadonlyMap<number, string>;
}

/**
 * Opens the images on which the network of a card was measured.
 *
 * @throws StriateError if the data are not the card's
 */
export async function imagesOf(
  { protocol, classes }: ResultCard,
  options: CompareOptions & { readonly data: string },
): Promise<ImageSource> {
  const { data, model, seed } = protocol;
  const stated =
    options.classes === undefined ? undefined : await readClassOrder(options.classes, model.classes);
  const open = (order: typeof stated) =>
    namedImages(options.data, {
      outputs: model.classes,
      ...(options.split !== undefined && { split: options.split }),
      ...(order && { classes: order }),
      cifar10: { fetch: options.cifar10Source },
    });
  const named = classes && { from: "the first result card", classes: classes.map((name) => ({ name })) };
  // The card's class names may be those that the data have without an order of outputs, or in the order of the outputs.
  const source = await open(stated ?? named);
  const digest = await contentDigest(
    source,
    chosenImages(seed, source.count, Math.min(data.images, source.count)),
  );
  check(
    data.sha256 === undefined || digest === data.sha256,
    () =>
      `--data ${options.data}: expected the images of the result cards (${data.images} of ${data.name}), got others`,
  );
  return source;
}

/** Reads the first images on which the networks of a comparison differ. */
export async function comparedPictures(
  { changed, runs }: Comparison,
  source: ImageSource,
): Promise<ComparedPictures> {
  const { imageShape, preprocessing } = runs[0]!.card.protocol.model;
  const shape = imageShape as [channels: number, height: number, width: number];
  const uris = new Map<number, string>();
  for (const { image } of changed.slice(0, SHOWN)) {
    try {
      uris.set(image, await dataUri(fitPicture(await source.read(image), shape, preprocessing)));
    } catch (error) {
      // The image was readable when it was measured: the page shows its answers without the picture.
      if (!(error instanceof StriateError)) throw error;
    }
  }
  return { nameOf: (image) => source.nameOf(image), uris };
}
