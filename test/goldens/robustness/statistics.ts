import { dirname, join } from "node:path";
import type { RgbImage } from "../../../src/data/images/rgb-image.js";
import { truncateToBytes } from "../../../src/robustness/corruptions/kind.js";
import { corruptedValues } from "../../../src/robustness/corruptions/corrupt.js";
import { CORRUPTIONS, SEVERITIES, isStochastic } from "../../../src/robustness/corruptions/kinds.js";
import type { CorruptionName, Severity } from "../../../src/robustness/corruptions/kinds.js";
import { check } from "../../../src/util/errors.js";
import { isJsonObject } from "../../../src/util/json.js";
import { readGolden } from "../golden-case.js";
import type { GoldenKind, Verdict } from "../harness.js";
import { imageOf } from "./corruptions.js";

const MEASURES = ["mean", "std", "mse"] as const;

/** Mean and spread of all bytes, mean squared distance from the clean image. */
function measure(clean: RgbImage, corrupted: Uint8Array): number[] {
  let [sum, squares, error] = [0, 0, 0];
  for (let i = 0; i < corrupted.length; i++) {
    const value = corrupted[i]!;
    sum += value;
    squares += value * value;
    error += (value - clean.data[i]!) ** 2;
  }
  const count = corrupted.length;
  const mean = sum / count;
  return [mean, Math.sqrt(Math.max(squares / count - mean * mean, 0)), error / count];
}

const RUNS = 10;

/** The listed averages were taken over as many runs. */
const LISTED_RUNS = 20;

function checkSeverity(
  image: RgbImage,
  name: CorruptionName,
  severity: Severity,
  listed: unknown,
  label: string,
): string[] {
  check(isJsonObject(listed) && Array.isArray(listed.run_sd), () => `${label}: no statistics`);
  const runs = isStochastic(name) ? RUNS : 1;
  const averages = [0, 0, 0];
  for (let index = 0; index < runs; index++) {
    const values = corruptedValues(image, name, severity, { seed: "statistics", index });
    measure(image, truncateToBytes(values)).forEach((value, i) => (averages[i]! += value / runs));
  }
  const spreads = listed.run_sd.map(Number);
  return MEASURES.flatMap((what, i) => {
    const expected = Number(listed[what]);
    const allowed = 4 * spreads[i]! * Math.sqrt(1 / LISTED_RUNS + 1 / runs) + 0.02 * expected;
    const difference = Math.abs(averages[i]! - expected);
    if (difference <= allowed) return [];
    return [
      `${label}: ${what} is ${averages[i]!.toFixed(3)}, expected ${expected} within ${allowed.toFixed(3)}`,
    ];
  });
}

/** What our own draws do to an image on average, against the same averages of the authors' code. */
export const corruptionStatistics: GoldenKind = {
  name: "corruption statistics",
  matches: ({ content }) =>
    isJsonObject(content) &&
    isJsonObject(content.images) &&
    Object.values(content.images).every((entry) => isJsonObject(entry) && isJsonObject(entry.stats)),
  run: () => Promise.resolve(new Map()),
  verify: async ({ system, folder, content }) => {
    const { images } = content as {
      images: Record<string, { image: string; stats: Record<string, unknown> }>;
    };
    const failures: string[] = [];
    let compared = 0;
    for (const [side, { image: source, stats }] of Object.entries(images)) {
      const file = /(\S+\.safetensors)/.exec(source)?.[1];
      check(file, () => `statistics for ${side} pixels name no image`);
      const path = join(folder, file);
      const golden = await readGolden(system, dirname(path), { file, what: "", config: {}, tolerance: "" });
      const image = imageOf(golden);
      for (const [key, bySeverity] of Object.entries(stats)) {
        // Ours is the frost that is made by rule; the plain entry belongs to photographs.
        if (key === "frost") continue;
        const name = CORRUPTIONS.find((known) => known === key.replace(/_procedural$/, ""));
        check(name && isJsonObject(bySeverity), () => `statistics of an unknown corruption ${key}`);
        for (const severity of SEVERITIES) {
          const label = `${key} ${side} severity ${severity}`;
          failures.push(...checkSeverity(image, name, severity, bySeverity[`s${severity}`], label));
          compared += MEASURES.length;
        }
      }
    }
    const verdict: Verdict = { failures, compared };
    return verdict;
  },
};
