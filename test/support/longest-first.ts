import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TestSpecification } from "vitest/node";
import { BaseSequencer } from "vitest/node";

/**
 * The files that take longest, in order. One that began last would leave the other worker without work until it ends.
 * Measured on two cores, each file alone: the first takes a minute and a half, the last a quarter of a minute.
 */
const LONGEST = [
  "docs/examples",
  "browser/explorer",
  "goldens/goldens",
  "browser/training",
  "browser/bundlers",
  "browser/devices",
  "train/run-folder-node",
  "browser/systems",
  "browser/stepper-in-browser",
  "runtime/runtime",
];

/** Runs the longest files first, then all others in Vitest's order: by their last duration if known, else by size. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const paths = LONGEST.map((name) => join(this.ctx.config.root, "test", `${name}.test.ts`));
    const gone = paths.find((path) => !existsSync(path));
    if (gone !== undefined) throw new Error(`longest-first.ts names a file that is not there: ${gone}`);
    const rankOf = ({ moduleId }: TestSpecification): number => {
      const rank = paths.indexOf(moduleId);
      return rank < 0 ? paths.length : rank;
    };
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b));
  }
}
