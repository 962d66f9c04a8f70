import { join } from "node:path";
import { expect, test } from "vitest";
import { runTypescript } from "../support/child.js";
import { temporaryFolder } from "../support/folders.js";
import { inParallel, report, settings } from "./settings.js";
import { finished, script } from "./small-run.js";

/** Every kill point with `npm run torture`; in the tests of every day only some of them, spread over the run. */
const POINTS = 3;

/** Killed before a change, or in the middle of it if it writes a file. */
const WAYS = ["before", "half"] as const;

test(
  "a run that is killed at any change of a file ends with the same bytes",
  { timeout: 3_600_000 },
  async () => {
    const { all } = settings;
    const started = performance.now();
    const folder = await temporaryFolder();
    const whole = await finished(join(folder, "whole"));
    expect(Object.keys(whole.files)).toEqual([
      "checkpoints/step-00000006.safetensors",
      "checkpoints/step-00000016.safetensors",
      "checkpoints/step-00000018.safetensors",
      "checkpoints/step-00000020.safetensors",
      "config.json",
      "metrics.jsonl",
    ]);
    const points = Array.from({ length: whole.changes }, (_, i) => i + 1);
    const every = all ? 1 : Math.ceil(points.length / POINTS);
    const kills = points
      .filter((point) => point % every === 0)
      .flatMap((at) => (all ? WAYS : [WAYS[at % 2]!]).map((way) => ({ at, way })));
    // Most of the time, a resumed run waits for the lock of the killed one to expire.
    await inParallel(4, kills, async ({ at, way }) => {
      const run = join(folder, `${at}-${way}`);
      const killed = await runTypescript(script, [run, String(at), way]).ended();
      expect({ at, way, status: killed.status }).toEqual({ at, way, status: null });
      const { end, files } = await finished(run);
      expect({ at, way, end, files }).toEqual({ at, way, end: whole.end, files: whole.files });
    });
    report({
      kind: "kills of a run",
      cases: kills.length,
      faults: 0,
      seconds: (performance.now() - started) / 1000,
      note: `${whole.changes} changes of files; the same bytes after each kill`,
    });
  },
);
