import { expect, test } from "vitest";
import { temporaryFolder } from "../support/folders.js";
import { runMutations } from "./mutations/pool.js";
import { report, settings } from "./settings.js";

/** Mutations of `npm run torture`; `npm test` makes every tenth round over the samples. */
const MUTATIONS = 12_000;
const faulty = new URL("./mutations/faulty.ts", import.meta.url);
const FAULTLESS = ["read", "refused"];

test.skipIf(process.platform !== "linux")(
  "a damaged file is read or refused with one StriateError",
  { timeout: 3_600_000 },
  async () => {
    const { all, seed, at } = settings;
    const started = performance.now();
    const folder = await temporaryFolder();
    const mutated = await runMutations({
      folder,
      seed,
      from: at ?? 0,
      end: at === undefined ? MUTATIONS : at + 1,
      every: all || at !== undefined ? 1 : 10,
    });
    const faults = mutated.filter(({ outcome }) => !FAULTLESS.includes(outcome.kind));
    const refused = mutated.filter(({ outcome }) => outcome.kind === "refused").length;
    if (at !== undefined) console.log(JSON.stringify(mutated, null, 2));
    for (const { number, sample, what, outcome } of faults)
      console.log(
        `${outcome.kind} with ${sample}: ${what}: ${outcome.said ?? ""}\n` +
          `once more: npm run torture -- --only mutations --seed ${seed} --at ${number}`,
      );
    report({
      kind: "mutations of files",
      cases: mutated.length,
      faults: faults.length,
      seconds: (performance.now() - started) / 1000,
      note: `seed ${seed}: ${refused} refused, ${mutated.length - refused - faults.length} read`,
    });
    expect(mutated.length).toBeGreaterThan(0);
    expect(faults).toEqual([]);
  },
);

test.skipIf(process.platform !== "linux")(
  "the harness notices every kind of fault",
  { timeout: 600_000 },
  async () => {
    const folder = await temporaryFolder();
    const found = async (from: number, end: number) => {
      const mutated = await runMutations({ module: faulty, folder, seed: 1, from, end });
      return mutated.map(({ sample, outcome }) => `${sample}: ${outcome.kind}`);
    };
    expect(await found(5, 6)).toEqual(["open files: read", "the mutations before: open files"]);
    expect(await found(0, 8)).toEqual([
      "none: refused",
      "other error: other error",
      "late error: late error",
      "memory: memory",
      "addresses: memory",
      "open files: read",
      "crash: crash",
      "hang: hang",
    ]);
  },
);
