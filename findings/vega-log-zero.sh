#!/bin/sh
# A person would expect a 0 on a logarithmic axis, which has no place there, to be left out of the line.
# Instead the domain of the axis then begins at 0, every value comes out at the same height and the whole line is flat. Vega
# does write a warning, which a page or a file of SVG does not show.
# Seen with vega 6.4.0 and vega-lite 6.4.3, Node 20, Linux x64.
# It matters for learning curves, spectra and tuning curves: one loss or one response of exactly 0 hides all the others. Leave
# such values out, or give the scale a domain.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder"
echo '{ "private": true }' > package.json
npm install --loglevel error --no-audit --no-fund --ignore-scripts vega@6.4.0 vega-lite@6.4.3 > npm.log
cat > run.mjs <<'END'
import * as vega from "vega";
import * as vegaLite from "vega-lite";

console.log(`vega ${vega.version}, vega-lite ${vegaLite.version}, ${process.platform} ${process.arch}`);
async function line(values) {
  const warnings = [];
  const quiet = () => logger;
  const warn = (...words) => (warnings.push(words.join(" ")), logger);
  const logger = { level: quiet, info: quiet, debug: quiet, warn, error: warn };
  const { spec } = vegaLite.compile({
    width: 100,
    height: 90,
    data: { values: values.map((y, x) => ({ x, y })) },
    mark: "line",
    encoding: {
      x: { field: "x", type: "quantitative" },
      y: { field: "y", type: "quantitative", scale: { type: "log" } },
    },
  });
  const svg = await new vega.View(vega.parse(spec), { renderer: "none", logger }).toSVG();
  const path = /mark-line[^]*? d="([^"]+)"/.exec(svg)[1];
  const heights = [...path.matchAll(/[ML][^,]+,([^ML]+)/g)].map(([, y]) => Math.round(y));
  console.log(`values ${values.join(", ")}: heights ${heights.join(", ")}; ${warnings.length} warnings`);
  return heights.join(" ");
}

const found = [await line([1, 10, 100, 1000]), await line([1, 10, 0, 1000])];
const [whole, zero] = found;
const same = whole === "90 60 30 0" && new Set(zero.split(" ")).size === 1;
console.log(same ? "as recorded" : "CHANGED: recorded were 90, 60, 30, 0 and one height for all");
process.exitCode = same ? 0 : 1;
END
node run.mjs
