import { existsSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { loadClevrTex } from "../../data/sets/clevrtex-node.js";
import { loadConvertedScenes } from "../../data/sets/converted-scenes-node.js";
import { multiDsprites } from "../../data/scenes/multi-dsprites.js";
import type { MultiObjectSet } from "../../data/sets/multi-object-node.js";
import { loadMultiObject } from "../../data/sets/multi-object-node.js";
import type { SegmentedScenes } from "../../data/scenes/segmented-scenes.js";
import { sliceScenes } from "../../data/scenes/segmented-scenes.js";
import { shapesScenes } from "../../data/scenes/shapes.js";
import type { GeneratedScenesOptions } from "../../data/scenes/tetrominoes.js";
import { tetrominoes } from "../../data/scenes/tetrominoes.js";
import { check, StriateError } from "../../util/errors.js";
import type { DiscoveryCell, DiscoverySetName } from "./plan.js";
import { DISCOVERY_SETS } from "./plan.js";

/** The parts of a set. The test scenes are the same for all networks and seeds. */
export interface SceneParts {
  readonly train: SegmentedScenes;
  readonly validation: SegmentedScenes;
  readonly test: SegmentedScenes;
  /** Further test scenes that look different from the training scenes. */
  readonly shifted: readonly {
    readonly id: string;
    readonly title: string;
    readonly scenes: SegmentedScenes;
  }[];
}

export type SceneCounts = Pick<DiscoveryCell, "trainScenes" | "validationScenes" | "testScenes">;

const GENERATORS: Partial<Record<DiscoverySetName, (options: GeneratedScenesOptions) => SegmentedScenes>> = {
  tetrominoes,
  dsprites: multiDsprites,
  shapes: shapesScenes,
};

/** Random seed of all generated scenes: runs differ in their networks, not in their images. */
const SEED = 1;

/** The generator of a set's scenes. Throws {@link StriateError} for a set that can only be read. */
export function checkDiscoveryScenes(
  set: DiscoverySetName,
): (options: GeneratedScenesOptions) => SegmentedScenes {
  const generate = GENERATORS[set];
  check(
    generate,
    () =>
      `${DISCOVERY_SETS[set].title}: expected the published files (--data), since this set cannot be generated; got none`,
  );
  return generate;
}

/** Generates the scenes of a set. Throws {@link StriateError} for a set that can only be read. */
export function generateScenes(
  set: DiscoverySetName,
  { trainScenes, validationScenes, testScenes }: SceneCounts,
): SceneParts {
  const generate = checkDiscoveryScenes(set);
  const part = (stream: string, count: number) => generate({ count, seed: SEED, stream });
  return {
    train: part("train", trainScenes),
    validation: part("validation", validationScenes),
    test: part("test", testScenes),
    shifted: [],
  };
}

type Part = "train" | "validation" | "test";

const RECORDS: Partial<Record<DiscoverySetName, MultiObjectSet>> = {
  tetrominoes: "tetrominoes",
  dsprites: "multi-dsprites",
  clevr: "clevr",
};

/** Names of the parts in converted files. */
const NAMED: Readonly<Record<Part, RegExp>> = { train: /train/i, validation: /val/i, test: /test/i };

/** Test sets that look different from the training scenes, stored next to `clevrtex_full`. */
const SHIFTED = [
  { id: "clevrtex-outd", title: "CLEVRTex OOD", folder: "clevrtex_outd" },
  { id: "clevrtex-camo", title: "CLEVRTex CAMO", folder: "clevrtex_camo" },
] as const;

/**
 * Reads a published set: a `.tfrecords` file (Tetrominoes, multi-dSprites, CLEVR), the folder that holds `clevrtex_full`
 * (and `clevrtex_outd`, `clevrtex_camo`, which are tested on if they are present), or a folder of converted scenes, one
 * `.npz` file (or folder of `images.npy` and `labels.npy`) for each of "train", "val" and "test".
 *
 * @throws StriateError if files are missing or damaged, or the scenes do not have the set's size
 */
export async function readScenes(
  set: DiscoverySetName,
  path: string,
  counts: SceneCounts,
  onNote: (line: string) => void,
): Promise<SceneParts> {
  check(
    existsSync(path),
    () => `${DISCOVERY_SETS[set].title}: expected a file or folder at "${path}", found none`,
  );
  onNote(`Reading ${DISCOVERY_SETS[set].title} from ${path} ...`);
  const parts = await readParts(set, path, counts);
  for (const scenes of [parts.train, parts.validation, parts.test]) {
    const { size } = DISCOVERY_SETS[set];
    check(
      scenes.size === size,
      () => `${scenes.name}: expected images of ${size} x ${size}, got ${scenes.size} x ${scenes.size}`,
    );
  }
  return parts;
}

function readParts(set: DiscoverySetName, path: string, counts: SceneCounts): Promise<SceneParts> {
  const wanted = { train: counts.trainScenes, validation: counts.validationScenes, test: counts.testScenes };
  const records = RECORDS[set];
  if (records !== undefined && statSync(path).isFile()) {
    return eachPart((part) => loadMultiObject(records, path, part, { count: wanted[part] }));
  }
  if (set === "clevrtex" && !existsSync(join(path, "train.npz"))) return readClevrTex(path, wanted);
  return readConverted(set, path, wanted);
}

async function eachPart(read: (part: Part) => Promise<SegmentedScenes>): Promise<SceneParts> {
  // Read one part at a time, because reading a part may take much memory.
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
  set: DiscoverySetName,
  path: string,
  wanted: Readonly<Record<Part, number>>,
): Promise<SceneParts> {
  if (statSync(path).isFile()) {
    throw new StriateError(
      `${DISCOVERY_SETS[set].title}: expected ${RECORDS[set] ? "a .tfrecords file or " : ""}a folder with train, val and test, got the file "${path}"`,
    );
  }
  const entries = (await readdir(path)).sort();
  return eachPart(async (part) => {
    const found = entries.find((entry) => {
      const fits = entry.endsWith(".npz") || existsSync(join(path, entry, "images.npy"));
      return fits && NAMED[part].test(entry);
    });
    check(
      found,
      () =>
        `"${path}": expected an .npz file, or a folder with images.npy and labels.npy, for "${part}"; found neither`,
    );
    const scenes = await loadConvertedScenes(join(path, found), {
      name: `${DISCOVERY_SETS[set].title} ${part}`,
    });
    return sliceScenes(scenes, 0, Math.min(wanted[part], scenes.count));
  });
}

/** Generates or reads every set once, for all its cells. */
export class SceneCache {
  readonly #parts = new Map<DiscoverySetName, Promise<SceneParts>>();

  constructor(private readonly onNote: (line: string) => void) {}

  of(config: DiscoveryCell): Promise<SceneParts> {
    const { set, data } = config;
    const known = this.#parts.get(set);
    if (known !== undefined) return known;
    const parts =
      data === undefined
        ? Promise.resolve().then(() => generateScenes(set, config))
        : readScenes(set, data, config, this.onNote);
    this.#parts.set(set, parts);
    return parts;
  }
}
