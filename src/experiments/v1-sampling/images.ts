import { existsSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { loadCifar10 } from "../../data/sets/cifar10-node.js";
import type { ImageSource, SkippedImage } from "../../data/images/image-source.js";
import { imageSubset } from "../../data/images/image-source.js";
import { namedImages } from "../../data/sets/named-images-node.js";
import type { PreparedImages } from "../../data/images/prepared-images.js";
import { pictureOf, prepareImages, writePlanes } from "../../data/images/prepared-images.js";
import { loadTinyImageNet } from "../../data/sets/tiny-imagenet-node.js";
import type { CorruptionName, Severity } from "../../robustness/corruptions/kinds.js";
import { corruptAll } from "../../robustness/corruptions/pool-node.js";
import { StriateError, check } from "../../util/errors.js";
import {
  ensureFolder,
  errorCode,
  fileError,
  readFileChecked,
  writeFileAtomic,
} from "../../util/files-node.js";
import { Random } from "../../util/random.js";
import type { ProgressEvent } from "../../train/progress.js";
import { progressOf } from "../training.js";
import type { ImageSet, V1NetworkCell, V1Plan, Testing } from "./plan.js";
import { IMAGE_SIZE } from "./plan.js";

/** The training and the test images of a set. */
export interface Sources {
  readonly data: ImageSet;
  readonly train: ImageSource;
  readonly test: ImageSource;
}

/** The plan of a run with the data set that it uses, which may differ from the data set of the scale. */
export interface StudyPlan extends V1Plan {
  readonly sources: Sources;
}

/** Opens the requested set, or MNIST if that set is not available and must not be downloaded. */
export async function openSources(
  data: ImageSet,
  fetch: boolean,
  onNote: (line: string) => void,
): Promise<Sources> {
  try {
    return { data, ...(await parts(data, fetch)) };
  } catch (error) {
    if (fetch || data === "mnist" || !(error instanceof StriateError)) throw error;
    onNote(`${error.message}; the run uses MNIST's digits instead`);
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

/** Images in memory, as bytes with their labels. */
export interface StudyImages {
  readonly training: PreparedImages;
  readonly validation: PreparedImages;
  readonly test: PreparedImages;
}

/**
 * Chooses images at random; every run gets the same ones. Validation images are held out from the training
 * part; if training uses all of it, validation uses test images, as in the study.
 */
export async function studyImages(
  { train, test }: Sources,
  {
    trainImages,
    validationImages,
    testing,
  }: Pick<V1NetworkCell, "trainImages" | "validationImages" | "testing">,
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
  if (skipped.length > 0) onNote(`${skipped.length} images could not be read, and the run leaves them out.`);
  return images;
}

/** A test condition: one corruption at one severity, or clean images. */
export interface V1Condition {
  readonly corruption: CorruptionName | "clean";
  /** 0 for clean images. */
  readonly severity: Severity | 0;
}

/** Test images under all conditions. Corrupted images are written to files once. */
export interface TestImages {
  /** All conditions; the first is clean. */
  readonly conditions: readonly V1Condition[];
  readonly clean: PreparedImages;
  load(condition: V1Condition): Promise<PreparedImages>;
}

export interface TestImagesOptions {
  /** Folder of the corrupted images. */
  readonly folder: string;
  readonly data: ImageSet;
  readonly testing: Pick<Testing, "corruptions" | "severities">;
  readonly threads: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (task: string, event: ProgressEvent) => void;
}

/**
 * Makes the corrupted versions of the test images, or takes those of an earlier run. They depend only on an image's
 * index and the corruption, so all networks get the same images.
 */
export async function testImages(clean: PreparedImages, options: TestImagesOptions): Promise<TestImages> {
  const { folder, testing } = options;
  const corrupted = testing.corruptions.flatMap((corruption) =>
    testing.severities.map((severity) => ({ corruption, severity })),
  );
  const manifest = JSON.stringify({ data: options.data, images: clean.count, seed: SEED, corrupted });
  const made = join(folder, "made.json");
  await ensureFolder(folder);
  if (!existsSync(made) || (await textOf(made)) !== manifest) {
    await makeAll(clean, corrupted, options);
    await writeFileAtomic(made, manifest);
  }
  return {
    conditions: [{ corruption: "clean", severity: 0 }, ...corrupted],
    clean,
    load: async (condition) => {
      if (condition.severity === 0) return clean;
      const path = fileOf(folder, condition);
      const pixels = await readFileChecked(path, { what: "corrupted images", maxBytes: clean.pixels.length });
      return { ...clean, pixels };
    },
  };
}

const SEED = 1;

type Corrupted = V1Condition & { readonly corruption: CorruptionName; readonly severity: Severity };

const fileOf = (folder: string, { corruption, severity }: V1Condition): string =>
  join(folder, `${corruption}-${severity}.bin`);

async function textOf(path: string): Promise<string> {
  return new TextDecoder().decode(await readFileChecked(path, { what: "list of images", maxBytes: 2 ** 20 }));
}

async function makeAll(
  clean: PreparedImages,
  corrupted: readonly Corrupted[],
  { folder, threads, signal, onProgress }: TestImagesOptions,
): Promise<void> {
  const size = clean.pixels.length / clean.count;
  const steps = clean.count * corrupted.length;
  const report = progressOf({ onProgress }, "corrupted images", steps);
  const pictures = Array.from({ length: clean.count }, (_, index) => index);
  const tasks = corrupted.map(({ corruption: name, severity }) => ({ name, severity }));
  const files: FileHandle[] = [];
  try {
    for (const condition of corrupted) files.push(await open(fileOf(folder, condition), "w"));
    const source = (function* () {
      for (const index of pictures) yield { index, image: pictureOf(clean, index) };
    })();
    const options = { seed: SEED, signal, ...(threads !== undefined && { threads }) };
    let step = 0;
    for await (const { index, corrupted: versions } of corruptAll(source, tasks, options)) {
      const planes = new Uint8Array(size);
      for (const [i, image] of versions.entries()) {
        writePlanes(image, 3, planes);
        const { bytesWritten } = await files[i]!.write(planes, 0, size, index * size);
        check(bytesWritten === size, () => `"${folder}": wrote ${bytesWritten} of ${size} bytes of an image`);
      }
      step += tasks.length;
      report(step, tasks.length);
    }
  } catch (cause) {
    throw errorCode(cause) === undefined ? cause : fileError("write the corrupted images in", folder, cause);
  } finally {
    for (const file of files) await file.close();
  }
}
