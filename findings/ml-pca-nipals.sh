#!/bin/sh
# A person would expect a principal component analysis to give the same variances by each of its three methods, and the explained
# variance to be a part of the variance of the data.
# Instead, with method "NIPALS", the eigenvalues are sums of squares, larger by the number of rows minus 1, and the standard
# deviations by its root; and the explained variance is a part of what the computed components explain: one component explains 100
# per cent of any data, and two, the default, always make up 100 together. The other methods agree with NumPy's eigenvalues.
# Seen with ml-pca 4.1.1 (the newest), Node 20.
# It matters because NIPALS is the method for few components of wide responses (thousands of units), where nobody computes the
# others: every network looks two-dimensional. Divide by the variance of the data yourself.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts ml-pca@4.1.1 > npm.log
cat > run.mjs <<'END'
import { PCA } from "ml-pca";

const data = [
  [1, 2, 0],
  [2, 1, 5],
  [3, 6, 1],
  [4, 3, 2],
  [5, 5, 7],
  [6, 8, 3],
];
console.log(`ml-pca 4.1.1, Node ${process.versions.node}`);
const words = (numbers) => numbers.map((number) => number.toFixed(3)).join(" ");
const cases = [
  [{ method: "SVD" }, "10.125 6.669 0.473", "0.586 0.386 0.027"],
  [{ method: "covarianceMatrix" }, "10.125 6.669 0.473", "0.586 0.386 0.027"],
  [{ method: "NIPALS", nCompNIPALS: 3 }, "50.623 33.345 2.366", "0.586 0.386 0.027"],
  [{ method: "NIPALS" }, "50.623 33.345", "0.603 0.397"],
  [{ method: "NIPALS", nCompNIPALS: 1 }, "50.623", "1.000"],
];
let same = true;
for (const [options, values, parts] of cases) {
  const pca = new PCA(data, options);
  const [eigenvalues, explained] = [words(pca.getEigenvalues()), words(pca.getExplainedVariance())];
  console.log(`${JSON.stringify(options)}: eigenvalues ${eigenvalues}; explained variance ${explained}`);
  same &&= eigenvalues === values && explained === parts;
}
console.log(same ? "as recorded" : `CHANGED: recorded were ${cases.map((row) => `${row[1]}; ${row[2]}`).join(", ")}`);
process.exitCode = same ? 0 : 1;
END
node run.mjs
