#!/bin/sh
# A person would expect a product of matrices whose inner lengths differ to be an error that names both.
# Instead ml-matrix goes by the columns of the left one: [2 x 3] times [4 x 2] leaves the fourth row out and gives a [2 x 2]
# that means nothing. Only where rows are missing does it fail, and then inside, "Cannot read properties of undefined".
# Seen with ml-matrix 6.15.1, Node 20, Linux x64.
# It matters for regressions and principal components on responses, where a transpose is easily forgotten: the result has a
# shape that fits. Compare columns with rows before mmul.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts ml-matrix@6.15.1 > npm.log
cat > run.mjs <<'END'
import { readFileSync } from "node:fs";
import { Matrix } from "ml-matrix";

const { version } = JSON.parse(readFileSync("node_modules/ml-matrix/package.json", "utf8"));
console.log(`ml-matrix ${version}, Node ${process.versions.node}, ${process.platform} ${process.arch}`);
const cases = [
  [[2, 3], [3, 2], "a [2 x 2] of 3"],
  [[2, 3], [4, 2], "a [2 x 2] of 3"],
  [[2, 4], [3, 2], "TypeError"],
];
let same = true;
for (const [left, right, recorded] of cases) {
  let found;
  try {
    const product = Matrix.ones(...left).mmul(Matrix.ones(...right));
    found = `a [${product.rows} x ${product.columns}] of ${product.get(0, 0)}`;
  } catch (error) {
    found = error.constructor.name;
  }
  console.log(`ones [${left.join(" x ")}] times ones [${right.join(" x ")}]: ${found}`);
  same &&= found === recorded;
}
console.log(same ? "as recorded" : `CHANGED: recorded were ${cases.map(([, , recorded]) => recorded).join(", ")}`);
process.exitCode = same ? 0 : 1;
END
node run.mjs
