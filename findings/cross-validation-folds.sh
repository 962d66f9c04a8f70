#!/bin/sh
# A person would expect the folds of a cross-validation to share out all samples: each is tested once and trained with otherwise.
# Instead, if the remainder of samples by folds is at least as large as a fold, samples are left over: of 14 samples in 5 folds
# four are neither tested nor trained with, in any of the rounds, and nothing says so. A comment in the source states that the
# total is kept. Which samples are left out is drawn anew each time.
# Seen with ml-cross-validation 1.3.0 (the newest), Node 20.
# It matters for decoding from small sets (14 stimuli, 5 folds; one fold for each of many subjects): accuracies are means over 10
# samples and vary from run to run. Choose a number of folds that divides the samples, or count the tests.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts ml-cross-validation@1.3.0 > npm.log
cat > run.mjs <<'END'
import { createRequire } from "node:module";

const { getFolds } = createRequire(import.meta.url)("ml-cross-validation");
console.log(`ml-cross-validation 1.3.0, Node ${process.versions.node}`);
const cases = [
  [100, 10, 100],
  [101, 10, 101],
  [10, 4, 8],
  [14, 5, 10],
  [7, 5, 5],
];
let same = true;
for (const [samples, count, recorded] of cases) {
  const folds = getFolds(Array.from({ length: samples }), count);
  const tested = new Set(folds.flatMap(({ testIndex }) => testIndex)).size;
  const used = new Set(folds.flatMap(({ testIndex, trainIndex }) => [...testIndex, ...trainIndex])).size;
  console.log(`${samples} samples in ${count} folds: ${tested} are tested, ${used} are used at all`);
  same &&= tested === recorded && used === recorded && folds.length === count;
}
console.log(same ? "as recorded" : `CHANGED: recorded were ${cases.map((row) => row[2]).join(", ")}`);
process.exitCode = same ? 0 : 1;
END
node run.mjs
