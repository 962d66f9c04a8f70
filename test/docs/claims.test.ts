import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { claimsPage, KNOWN, PAGE, readResults, RESULTS } from "../../scripts/claims-page.js";
import type { ClaimsFile } from "../../src/experiments/claims.js";
import { judgeClaim, readClaims } from "../../src/experiments/claims.js";

const folder = mkdtempSync(join(tmpdir(), "claims-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const sample: ClaimsFile = {
  format: 1,
  experiment: "v1-sampling",
  scale: "laptop",
  complete: true,
  cellSeconds: 3725,
  provenance: {
    seeds: [1, 2, 3],
    machine: "example, 2 cores",
    versions: { striate: "0.1.0" },
    date: "2026-12-01T10:00:00Z",
    wallTimeSeconds: 10,
    command: "striate run v1-sampling --scale laptop",
  },
  claims: [
    {
      id: "biological-over-uniform",
      measure: "mean corruption accuracy, relative to UNIF1",
      unit: "percent",
      compared: [
        { label: "BIOL", value: "53.0 %" },
        { label: "UNIF1", value: "50.9 %" },
      ],
      differences: [0.05, 0.04, 0.045].map((value, i) => ({ seed: i + 1, value })),
      imageError: 0.004,
    },
  ],
};

describe("docs/claims.md", () => {
  it("is what the result files say (else: npm run claims)", async () => {
    expect(readFileSync(PAGE, "utf8")).toBe(await claimsPage(readResults(RESULTS)));
  });

  it("has a row for every claim, measured or not", async () => {
    const page = await claimsPage([sample]);
    const [row] = page.split("\n").filter((line) => line.includes("Receptive fields as measured"));
    expect(row).toMatch(/BIOL: 53\.0 %; UNIF1: 50\.9 % +\| +\+4\.5 ± 1\.5 % +\| +3 +\| \*\*holds\*\*/);
    const all = [...KNOWN.values()].flat();
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(page.match(/not measured yet \|/g)).toHaveLength(all.length - 1);
    expect(page).toContain(
      `Of ${all.length} claims, 1 hold, 0 are reversed, 0 are undecided and ${all.length - 1}`,
    );
    expect(page).toContain("1 h 02 min");
  });

  it("says how many seeds would decide a claim", async () => {
    const differences = [0.04, 0.08].map((value, i) => ({ seed: i + 1, value }));
    const claims = [{ ...sample.claims[0]!, differences, imageError: 0 }];
    expect(judgeClaim(claims[0]!).status).toBe("undecided");
    expect(await claimsPage([{ ...sample, claims }])).toContain("undecided (seeds needed: 4)");
  });
});

describe("a result file", () => {
  const read = (changes: object) => readClaims(JSON.stringify({ ...sample, ...changes }), "a.json", KNOWN);
  const claim = sample.claims[0]!;

  it.each([
    ["of another format", { format: 2 }, "a.json: expected a claims file of format 1, got format 2"],
    ["of another experiment", { experiment: "toys" }, "got toys"],
    ["of a run that only checks", { scale: "smoke" }, "laptop or paper, got smoke"],
    ["of some cells", { complete: false }, "expected a whole run"],
    ["with an unknown claim", { claims: [{ ...claim, id: "x" }] }, "got x"],
    [
      "with seeds that the run does not have",
      { claims: [{ ...claim, differences: [{ seed: 9, value: 0 }] }] },
      "each of some seeds of the run (1, 2, 3), got seeds 9",
    ],
    [
      "with a seed twice",
      { claims: [{ ...claim, differences: [claim.differences[0], claim.differences[0]] }] },
      "got seeds 1, 1",
    ],
    ["with no number", { claims: [{ ...claim, imageError: null }] }, "one finite difference"],
  ])("%s is refused by name", (_, changes, message) => {
    expect(() => read(changes)).toThrow(message);
  });

  it("that is no JSON is refused, and so is a second one of the same experiment", () => {
    expect(() => readClaims("{", "b.json", KNOWN)).toThrow("b.json: expected the claims.json of a run");
    for (const name of ["one.json", "two.json"]) writeFileSync(join(folder, name), JSON.stringify(sample));
    expect(() => readResults(pathToFileURL(`${folder}/`))).toThrow(
      "two.json: expected one run of v1-sampling, got a second one beside one.json",
    );
  });
});
