#!/bin/sh
# A person would expect an assignment of least cost to refuse a matrix with NaN, or to keep off that cell.
# Instead munkres answers as if nothing were wrong, and takes the NaN cell though an assignment without it exists. With nothing
# but NaN it gives one, too.
# Seen with munkres 2.0.4, Node 20, Linux x64.
# It matters where predicted objects are matched with true ones: an overlap of 0 / 0 pixels is NaN, and the score that
# follows looks like any other. Check the costs first.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts munkres@2.0.4 > npm.log
cat > run.mjs <<'END'
import { readFileSync } from "node:fs";
import { munkres } from "munkres";

const { version } = JSON.parse(readFileSync("node_modules/munkres/package.json", "utf8"));
console.log(`munkres ${version}, Node ${process.versions.node}, ${process.platform} ${process.arch}`);
const cases = [
  ["all known", [[1, 9], [3, 4]], "0-0 1-1"],
  ["one NaN", [[1, NaN], [3, 4]], "0-1 1-0"],
  ["nothing but NaN", [[NaN, NaN], [NaN, NaN]], "0-0 1-1"],
];
let same = true;
for (const [name, costs, recorded] of cases) {
  let found;
  try {
    found = munkres(costs).map((pair) => pair.join("-")).join(" ");
  } catch (error) {
    found = `the error "${error.message}"`;
  }
  console.log(`${name}, costs [${costs.map((row) => `[${row}]`)}]: ${found}`);
  same &&= found === recorded;
}
console.log(same ? "as recorded" : `CHANGED: recorded were ${cases.map(([, , recorded]) => recorded).join(", ")}`);
process.exitCode = same ? 0 : 1;
END
node run.mjs
