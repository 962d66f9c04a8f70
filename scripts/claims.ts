// npm run claims [RUN...]: takes the claims.json of runs into results/, and writes docs/claims.md from all files there.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readClaims } from "../src/experiments/claims.js";
import { claimsPage, KNOWN, PAGE, readResults, RESULTS } from "./claims-page.js";

mkdirSync(RESULTS, { recursive: true });
for (const run of process.argv.slice(2)) {
  const path = join(run, "claims.json");
  const text = readFileSync(path, "utf8");
  const { experiment } = readClaims(text, path, KNOWN);
  writeFileSync(new URL(`${experiment}.json`, RESULTS), text);
}
writeFileSync(PAGE, await claimsPage(readResults(RESULTS)));
