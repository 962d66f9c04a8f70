import { readdirSync, readFileSync } from "node:fs";
import { format, resolveConfig } from "prettier";
import type { Claim, ClaimsFile, MeasuredClaim, Paper } from "../src/experiments/claims.js";
import { judgeClaim, PAPERS, readClaims } from "../src/experiments/claims.js";
import { experiments } from "../src/experiments/registry.js";
import { duration, percent } from "../src/report/html.js";
import { versionsText } from "../src/report/provenance-node.js";
import { check } from "../src/util/errors.js";

/* Generates docs/claims.md from the result files in results/. */

const root = new URL("../", import.meta.url);
export const PAGE = new URL("docs/claims.md", root);
/** The folder with the claims.json of one run of each experiment, named by the experiment. */
export const RESULTS = new URL("results/", root);

/** The claims of each experiment, by its name. */
export const KNOWN: ReadonlyMap<string, readonly Claim[]> = new Map(
  experiments.flatMap(({ name, claims }) => (claims ? [[name, claims] as const] : [])),
);

/** Reads the result files of a folder. Throws if one is not sound, or if two are of one experiment. */
export function readResults(folder: URL): ClaimsFile[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort();
  const files = names.map((name) => readClaims(readFileSync(new URL(name, folder), "utf8"), name, KNOWN));
  files.forEach(({ experiment }, i) => {
    const first = files.findIndex((file) => file.experiment === experiment);
    check(
      first === i,
      () =>
        `${names[i]!}: expected one run of ${experiment}, got a second one beside ${names[first]!}; put all seeds into one run`,
    );
  });
  return files;
}

const WORDS = { holds: "**holds**", reversed: "**reversed**", undecided: "undecided" } as const;

/** The text of docs/claims.md. */
export async function claimsPage(files: readonly ClaimsFile[]): Promise<string> {
  const measured = new Map(
    files.flatMap((file) => file.claims.map((claim) => [claim.id, { claim, file }] as const)),
  );
  const all = [...KNOWN].flatMap(([experiment, claims]) => claims.map((claim) => ({ experiment, claim })));
  const verdicts = all.map(({ claim: { id } }) => {
    const found = measured.get(id);
    return found && judgeClaim(found.claim).status;
  });
  const count = (status: string | undefined) => verdicts.filter((one) => one === status).length;
  const parts = (Object.keys(PAPERS) as Paper[]).flatMap((paper) => [
    `## ${PAPERS[paper]}`,
    "",
    "| claim | the paper | measured here | difference | seeds | verdict | experiment |",
    "| --- | --- | --- | ---: | ---: | --- | --- |",
    ...all
      .filter(({ claim }) => claim.paper === paper)
      .map(({ experiment, claim }) => row(experiment, claim, measured.get(claim.id)?.claim)),
    "",
  ]);
  const text = [
    "# The papers’ claims",
    "",
    "Each row is one claim of a paper, with what one run of an experiment measured about it. " +
      `Of ${all.length} claims, ${count("holds")} hold, ${count("reversed")} are reversed, ${count("undecided")} are undecided` +
      `${count(undefined) > 0 ? ` and ${count(undefined)} are not measured yet` : ""}. ` +
      "The runs are small: they decide what holds for networks and budgets of this size, and not what holds at the papers’ scale.",
    "",
    "**How a claim is judged.** The networks of one random seed form a pair: same data, same order, same budget. " +
      "The difference is the mean over seeds; ± is half of its 95 % interval, which joins Student’s t over the seeds with the " +
      "error over the test images, which all seeds share. A claim holds if the whole interval is above 0, and is reversed if it is " +
      "below 0. One seed decides nothing, because it cannot show how much seeds differ. “Seeds needed” is the number that " +
      "would decide the claim if mean and spread stayed as they are. `metrics.judgeDifferences` computes all of this.",
    "",
    ...parts,
    "## The runs",
    "",
    "Time is the sum over all cells of a run, of which two ran side by side.",
    "",
    "| experiment | command | seeds | date | time | machine | versions |",
    "| --- | --- | --- | --- | ---: | --- | --- |",
    ...files.map(runRow),
    "",
    "This page is generated: `npm run claims` writes it from the files in `results/`, and `npm run claims RUN` first takes " +
      "the claims.json of the run in the folder RUN.",
    "",
  ].join("\n");
  const options = await resolveConfig(PAGE);
  return format(text, { ...options, parser: "markdown" });
}

function row(experiment: string, { claim, published }: Claim, measured: MeasuredClaim | undefined): string {
  if (measured === undefined)
    return `| ${claim} | ${published} | not measured yet | | | | \`${experiment}\` |`;
  const { status, mean, margin, seeds, seedsNeeded } = judgeClaim(measured);
  const unit = measured.unit === "points" ? "points" : "%";
  const sign = mean < 0 ? "−" : "+";
  const spread = Number.isNaN(margin) ? "" : ` ± ${percent(margin)}`;
  const values = measured.compared.map(({ label, value }) => `${label}: ${value}`).join("; ");
  const needed = seedsNeeded === undefined ? "" : ` (seeds needed: ${seedsNeeded})`;
  return `| ${claim} | ${published} | ${measured.measure}. ${values} | ${sign}${percent(Math.abs(mean))}${spread} ${unit} | ${seeds} | ${WORDS[status]}${needed} | \`${experiment}\` |`;
}

function runRow({ experiment, provenance, cellSeconds }: ClaimsFile): string {
  const { command, seeds, date, machine, versions } = provenance;
  return `| \`${experiment}\` | \`${command}\` | ${seeds.join(", ")} | ${date.slice(0, 10)} | ${duration(cellSeconds)} | ${machine} | ${versionsText(versions)} |`;
}
