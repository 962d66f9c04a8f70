import { readdir } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { IMAGE_ENDINGS } from "../data/images/decode/image-formats.js";
import { readImage, writePng } from "../data/images/images-node.js";
import { resizeAndCrop } from "../data/images/resize.js";
import type { RgbImage } from "../data/images/rgb-image.js";
import { contactSheet } from "../report/contact-sheet.js";
import type { ConstantSet } from "../robustness/corruptions/index.js";
import { CORRUPTIONS, corrupt, defaultReencode } from "../robustness/corruptions/index.js";
import { StriateError, check } from "../util/errors.js";
import { ensureFolder, fileError } from "../util/files-node.js";
import type { CorruptCommandOptions } from "./commands/corrupt.js";
import type { Streams } from "./terminal/streams.js";

/** Corrupts one image and writes a contact sheet: a row for each corruption, a column for each severity. */
export async function corruptPicture(
  path: string,
  options: CorruptCommandOptions,
  streams: Streams,
): Promise<void> {
  const { all, severities, seed, cell, each } = options;
  check(
    all !== (options.corruptions !== undefined),
    () => "expected either --all or --corruptions with names",
  );
  const names = options.corruptions ?? CORRUPTIONS;
  const size = Number(options.size) as ConstantSet;
  const { reencode = defaultReencode(size) } = options;
  const frost = options.frost === undefined ? undefined : await readFrost(options.frost);
  const original = resizeAndCrop(await readImage(path), size);
  const name = basename(path, extname(path));
  const out = options.out ?? `${name}-corruptions.png`;
  check(
    extname(out).toLowerCase() === ".png",
    () => `--out: expected a name that ends in .png, got "${out}"`,
  );
  await ensureFolder(dirname(out));
  if (each !== undefined) await ensureFolder(each);

  const rows: { label: string; images: RgbImage[] }[] = [];
  for (const corruption of names) {
    const images = severities.map((severity) =>
      corrupt(original, corruption, severity, { seed, reencode, ...(frost && { frost }) }),
    );
    if (each !== undefined) {
      for (const [i, image] of images.entries()) {
        await writePng(join(each, `${name}-${corruption}-${severities[i]!}.png`), image);
      }
    }
    const label = corruption.replaceAll("_", " ");
    const ours = corruption === "frost" && frost === undefined;
    rows.push({ label: ours ? "frost (procedural)" : label, images: [original, ...images] });
  }
  const stored = reencode === false ? "not re-encoded" : `re-encoded as JPEG ${reencode}`;
  const title = `${name}: ${size} pixels, seed ${seed}, ${stored}`;
  const columns = ["original", ...severities.map((severity) => `severity ${severity}`)];
  await writePng(out, contactSheet({ title, columns, rows, cell }));

  const pictures = names.length * severities.length;
  streams.out.write(
    `${out}: ${names.length} corruptions, ${pictures} images of ${size} x ${size}, seed ${seed}, ${stored}` +
      `${names.includes("frost") && frost === undefined ? ", computed frost textures" : ""}\n` +
      (each === undefined ? "" : `${each}: ${pictures} PNG files\n`),
  );
}

/** Reads all images of a folder, in alphabetical order. */
async function readFrost(folder: string): Promise<RgbImage[]> {
  let names: string[];
  try {
    names = (await readdir(folder)).sort();
  } catch (cause) {
    throw fileError("read the folder of frost photographs", folder, cause);
  }
  const pictures = names.filter((name) =>
    (IMAGE_ENDINGS as readonly string[]).includes(extname(name).toLowerCase()),
  );
  if (pictures.length === 0) throw new StriateError(`--frost: no image in "${folder}"`);
  return Promise.all(pictures.map((name) => readImage(join(folder, name))));
}
