import { multiDsprites } from "../../data/scenes/multi-dsprites.js";
import type { SegmentedScenes } from "../../data/scenes/segmented-scenes.js";
import { shapesScenes } from "../../data/scenes/shapes.js";
import { tetrominoes } from "../../data/scenes/tetrominoes.js";
import type { GeneratedScenesOptions } from "../../data/scenes/tetrominoes.js";
import { check } from "../../util/errors.js";
import type { CellConfig } from "./config.js";
import type { SetName } from "./sets.js";
import { SETS } from "./sets.js";

/** The parts of a set. Test scenes are the same for all networks and seeds. */
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

export type SceneCounts = Pick<CellConfig, "trainScenes" | "validationScenes" | "testScenes">;

const GENERATORS: Partial<Record<SetName, (options: GeneratedScenesOptions) => SegmentedScenes>> = {
  tetrominoes,
  dsprites: multiDsprites,
  shapes: shapesScenes,
};

/** Seed of all generated scenes: runs differ in their networks, not in their pictures. */
const SEED = 1;

/** What makes a set's scenes. Throws {@link StriateError} for a set that can only be read. */
export function checkGenerated(set: SetName): (options: GeneratedScenesOptions) => SegmentedScenes {
  const generate = GENERATORS[set];
  check(generate, () => `${SETS[set].title} cannot be made here: give the published files with --data`);
  return generate;
}

/** Scenes of a set, made here. Throws {@link StriateError} for a set that can only be read. */
export function generateScenes(
  set: SetName,
  { trainScenes, validationScenes, testScenes }: SceneCounts,
): SceneParts {
  const generate = checkGenerated(set);
  const part = (stream: string, count: number) => generate({ count, seed: SEED, stream });
  return {
    train: part("train", trainScenes),
    validation: part("validation", validationScenes),
    test: part("test", testScenes),
    shifted: [],
  };
}
