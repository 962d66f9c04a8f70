import { loadCifar10 } from "../../data/sets/cifar10-node.js";
import type { ImageSource, SkippedImage } from "../../data/images/image-source.js";
import { imageSubset } from "../../data/images/image-source.js";
import { namedImages } from "../../data/sets/named-images-node.js";
import type { PreparedImages } from "../../data/images/prepared-images.js";
import { prepareImages } from "../../data/images/prepared-images.js";
import { loadTinyImageNet } from "../../data/sets/tiny-imagenet-node.js";
import { StriateError } from "../../util/errors.js";
import { Random } from "../../util/random.js";
import type { ImageSet, NetworkCell } from "./config.js";
import { IMAGE_SIZE } from "./config.js";

/** The pictures of a set, training and test part. */
export interface Sources {
  readonly data: ImageSet;
  readonly train: ImageSource;
  readonly test: ImageSource;
}

/** The set that is asked for; MNIST instead where it is not there and nothing may be fetched. */
export async function openSources(
  data: ImageSet,
  fetch: boolean,
  onNote: (line: string) => void,
): Promise<Sources> {
  try {
    return { data, ...(await parts(data, fetch)) };
  } catch (error) {
    if (fetch || data === "mnist" || !(error instanceof StriateError)) throw error;
    onNote(`${error.message}: MNIST's digits take its place`);
    return { data: "mnist", ...(await parts("mnist", fetch)) };
  }
}

async function parts(data: ImageSet, fetch: boolean): Promise<Omit<Sources, "data">> {
  switch (data) {
    case "mnist": {
      const open = (split: string) => namedImages("mnist", { split });
      return { train: await open("train"), test: await open("test") };
    }
    case "cifar10": {
      const open = (part: "train" | "test") => loadCifar10(part, { fetch: fetch ? "any" : "never" });
      return { train: await open("train"), test: await open("test") };
    }
    case "tiny-imagenet": {
      const open = (part: "train" | "val") => loadTinyImageNet(part, { fetch: fetch ? "official" : "never" });
      return { train: await open("train"), test: await open("val") };
    }
  }
}

export const DATA_TITLES: Readonly<Record<ImageSet, string>> = {
  cifar10: "CIFAR-10, enlarged to 64 x 64",
  mnist: "MNIST, enlarged to 64 x 64",
  "tiny-imagenet": "Tiny ImageNet-200",
};

/** Images in memory, as bytes. */
export interface StudyImages {
  readonly training: PreparedImages;
  readonly validation: PreparedImages;
  readonly test: PreparedImages;
}

/**
 * Takes images at random, the same in every run. Validation images are set aside from the training part; where that is wanted
 * as a whole, they are test images, as in the study.
 */
export async function studyImages(
  { train, test }: Sources,
  {
    trainImages,
    validationImages,
    testing,
  }: Pick<NetworkCell, "trainImages" | "validationImages" | "testing">,
  onNote: (line: string) => void,
): Promise<StudyImages> {
  const skipped: SkippedImage[] = [];
  const prepare = (source: ImageSource) => prepareImages(source, [3, IMAGE_SIZE, IMAGE_SIZE], { skipped });
  const shuffled = (source: ImageSource) =>
    Random.derive("v1-sampling", source.name).permutation(source.count);
  const [trainOrder, testOrder] = [shuffled(train), shuffled(test)];
  const apart = trainImages + validationImages <= train.count;
  const images = {
    training: await prepare(imageSubset(train, trainOrder.slice(0, trainImages))),
    validation: await prepare(
      apart
        ? imageSubset(train, trainOrder.slice(trainImages, trainImages + validationImages))
        : imageSubset(test, testOrder.slice(0, validationImages)),
    ),
    test: await prepare(imageSubset(test, testOrder.slice(0, testing.images))),
  };
  if (skipped.length > 0) onNote(`${skipped.length} images could not be read and are left out.`);
  return images;
}
