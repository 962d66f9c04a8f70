import { basename, dirname, extname, join } from "node:path";
import pc from "picocolors";
import { percent } from "../../report/html.js";
import { points } from "../../report/verdict.js";
import type { Comparison } from "../../robustness/comparison.js";
import { compareRuns, runNames } from "../../robustness/comparison.js";
import { readCard } from "../../robustness/read-card-node.js";
import { commandLine } from "../../util/command-words.js";
import { check } from "../../util/errors.js";
import { ensureFolder, writeFileAtomic } from "../../util/files-node.js";
import type { CompareOptions } from "../commands/compare.js";
import type { Invocation } from "../commands/command.js";
import { checkReportPackages } from "../needed-packages.js";
import type { Streams } from "../terminal/streams.js";
import { renderTable } from "../terminal/table.js";
import { comparisonPage, isDecided } from "./page.js";

/** Compares the networks of result cards, and writes a page. Returns the exit status. */
export async function compareCards(
  options: CompareOptions,
  { all: paths, streams, words }: Pick<Invocation, "all" | "streams" | "words">,
): Promise<number> {
  const { out } = options;
  check(extname(out) === ".html", () => `--out: expected a name that ends in .html, got "${out}"`);
  checkReportPackages("cpu");
  const files = await Promise.all(paths.map((path) => readCard(path)));
  const names = runNames(files);
  const comparison = compareRuns(files.map(({ card, records }, i) => ({ name: names[i]!, card, records })));
  await ensureFolder(dirname(out));
  const json = out.replace(/\.html$/, ".json");
  check(
    !paths.some((path) => join(path) === join(json)),
    () => `--out: "${json}" would be written over the result card of the same name: choose another name`,
  );
  const page = await comparisonPage(comparison, {
    command: commandLine(words),
    date: new Date().toISOString(),
    ...(files[0]!.card.classes && { classes: files[0]!.card.classes }),
  });
  await writeFileAtomic(out, page);
  const numbers = { cards: paths.map((path) => basename(path)), ...withoutRecords(comparison) };
  await writeFileAtomic(json, `${JSON.stringify(numbers, null, 1)}\n`);
  for (const caution of comparison.cautions) streams.err.write(`${pc.yellow("caution")} ${caution}\n`);
  print(comparison, streams);
  streams.out.write(`\nreport   ${out}\nnumbers  ${json}\n`);
  return 0;
}

function withoutRecords({ runs, ...comparison }: Comparison) {
  return { networks: runs.map(({ name }) => name), ...comparison };
}

function print({ runs, measures }: Comparison, streams: Streams): void {
  const main = measures.filter(({ kind }) => kind !== "corruption" && kind !== "severity");
  const [first, ...others] = runs;
  const table = renderTable({
    title: "Percent right, and differences in points with 95 % intervals",
    columns: ["", ...main.map(({ name }) => name)],
    rows: [
      [first!.name, ...main.map(({ values }) => percent(values[0] ?? NaN))],
      ...others.flatMap(({ name }, i) => [
        [name, ...main.map(({ values }) => percent(values[i + 1] ?? NaN))],
        [
          `  against ${first!.name}`,
          ...main.map(({ differences }) => {
            const one = differences[i + 1];
            if (one === undefined) return "";
            return `${points(one.difference)} (${points(one.low)} to ${points(one.high)})${isDecided(one) ? "" : " ?"}`;
          }),
        ],
      ]),
    ],
    notes: ["? means undecided: the interval holds 0"],
  });
  streams.out.write(`\n${table}\n`);
}
