import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { PreparedImages } from "../../data/images/prepared-images.js";
import { pictureOf, writePlanes } from "../../data/images/prepared-images.js";
import type { CorruptionName, Severity } from "../../robustness/corruptions/corrupt.js";
import { corruptAll } from "../../robustness/corruptions/pool-node.js";
import type { ProgressListener } from "../../train/progress.js";
import { createRateEstimator } from "../../train/progress.js";
import { ensureFolder, readFileChecked, writeFileAtomic } from "../../util/files-node.js";
import type { ImageSet, Testing } from "./config.js";

/** One corruption at one severity, or neither. */
export interface Condition {
  readonly corruption: CorruptionName | "clean";
  /** 0 for clean images. */
  readonly severity: Severity | 0;
}

/** Test images under all conditions; corrupted ones are files that are made once. */
export interface TestImages {
  /** Clean first. */
  readonly conditions: readonly Condition[];
  readonly clean: PreparedImages;
  load(condition: Condition): Promise<PreparedImages>;
}

export interface TestImagesOptions {
  /** Where the corrupted images are kept. */
  readonly folder: string;
  readonly data: ImageSet;
  readonly testing: Pick<Testing, "corruptions" | "severities">;
  readonly threads: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (task: string, ...event: Parameters<ProgressListener>) => void;
}

/**
 * Makes the corrupted versions of the test images, or takes those that an earlier run made. They follow from an image's place and
 * the corruption alone, so all networks see the same pictures.
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
type Corrupted = Condition & { readonly corruption: CorruptionName; readonly severity: Severity };

const fileOf = (folder: string, { corruption, severity }: Condition): string =>
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
  const rate = createRateEstimator({ steps });
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
        await files[i]!.write(planes, 0, size, index * size);
      }
      step += tasks.length;
      onProgress("corrupted images", { step, steps, ...rate.update(step, tasks.length) });
    }
  } finally {
    for (const file of files) await file.close();
  }
}
