import { existsSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { loadClevrTex } from "../../data/sets/clevrtex-node.js";
import { loadConvertedScenes } from "../../data/sets/converted-scenes-node.js";
import type { MultiObjectSet } from "../../data/sets/multi-object-node.js";
import { loadMultiObject } from "../../data/sets/multi-object-node.js";
import type { SegmentedScenes } from "../../data/scenes/segmented-scenes.js";
import { sliceScenes } from "../../data/scenes/segmented-scenes.js";
import { StriateError, check } from "../../util/errors.js";
import type { SceneCounts, SceneParts } from "./scenes.js";
import type { SetName } from "./sets.js";
import { SETS } from "./sets.js";

type Part = "train" | "validation" | "test";

const RECORDS: Partial<Record<SetName, MultiObjectSet>> = {
  tetrominoes: "tetrominoes",
  dsprites: "multi-dsprites",
  clevr: "clevr",
};

/** How converted files name the parts. */
const NAMED: Readonly<Record<Part, RegExp>> = { train: /train/i, validation: /val/i, test: /test/i };

/** Test sets that look different from the training scenes, beside `clevrtex_full`. */
const SHIFTED = [
  { id: "clevrtex-outd", title: "CLEVRTex OOD", folder: "clevrtex_outd" },
  { id: "clevrtex-camo", title: "CLEVRTex CAMO", folder: "clevrtex_camo" },
] as const;

/**
 * Reads a published set: a `.tfrecords` file (Tetrominoes, multi-dSprites, CLEVR), the folder that holds `clevrtex_full`
 * (and `clevrtex_outd`, `clevrtex_camo`, which are tested on where they are there), or a folder of converted scenes, one
 * `.npz` file (or folder of `images.npy` and `labels.npy`) for each of "train", "val" and "test".
 *
 * @throws StriateError for files that are missing or damaged, or scenes of another size than the set's
 */
export async function readScenes(
  set: SetName,
  path: string,
  counts: SceneCounts,
  onNote: (line: string) => void,
): Promise<SceneParts> {
  check(existsSync(path), () => `${SETS[set].title}: there is no "${path}"`);
  onNote(`Reading ${SETS[set].title} from ${path} ...`);
  const parts = await readParts(set, path, counts);
  for (const scenes of [parts.train, parts.validation, parts.test]) {
    const { size } = SETS[set];
    check(
      scenes.size === size,
      () => `${scenes.name}: expected pictures of ${size} x ${size}, got ${scenes.size} x ${scenes.size}`,
    );
  }
  return parts;
}

function readParts(set: SetName, path: string, counts: SceneCounts): Promise<SceneParts> {
  const wanted = { train: counts.trainScenes, validation: counts.validationScenes, test: counts.testScenes };
  const records = RECORDS[set];
  if (records !== undefined && statSync(path).isFile()) {
    return eachPart((part) => loadMultiObject(records, path, part, { count: wanted[part] }));
  }
  if (set === "clevrtex" && !existsSync(join(path, "train.npz"))) return readClevrTex(path, wanted);
  return readConverted(set, path, wanted);
}

async function eachPart(read: (part: Part) => Promise<SegmentedScenes>): Promise<SceneParts> {
  // One after another: each may take much memory while it is read.
  const train = await read("train");
  const validation = await read("validation");
  return { train, validation, test: await read("test"), shifted: [] };
}

async function readClevrTex(path: string, wanted: Readonly<Record<Part, number>>): Promise<SceneParts> {
  const full = existsSync(join(path, "clevrtex_full")) ? join(path, "clevrtex_full") : path;
  const parts = await eachPart((part) => loadClevrTex(full, part, { count: wanted[part] }));
  const shifted = [];
  for (const { id, title, folder } of SHIFTED) {
    const own = join(path, folder);
    if (existsSync(own))
      shifted.push({ id, title, scenes: await loadClevrTex(own, "all", { count: wanted.test }) });
  }
  return { ...parts, shifted };
}

async function readConverted(
  set: SetName,
  path: string,
  wanted: Readonly<Record<Part, number>>,
): Promise<SceneParts> {
  if (statSync(path).isFile()) {
    throw new StriateError(
      `${SETS[set].title}: expected ${RECORDS[set] ? "a .tfrecords file or " : ""}a folder with train, val and test, got the file "${path}"`,
    );
  }
  const entries = (await readdir(path)).sort();
  return eachPart(async (part) => {
    const found = entries.find((entry) => {
      const fits = entry.endsWith(".npz") || existsSync(join(path, entry, "images.npy"));
      return fits && NAMED[part].test(entry);
    });
    check(found, () => `"${path}": no .npz file or folder of images.npy and labels.npy for "${part}"`);
    const scenes = await loadConvertedScenes(join(path, found), { name: `${SETS[set].title} ${part}` });
    return sliceScenes(scenes, 0, Math.min(wanted[part], scenes.count));
  });
}
