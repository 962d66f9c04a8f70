import { basename, dirname, extname, join } from "node:path";
import pc from "picocolors";
import { percent } from "../../report/html.js";
import { points } from "../../report/verdict.js";
import type { Comparison } from "../../robustness/comparison.js";
import { compareRuns, runNames } from "../../robustness/comparison.js";
import { commandLine } from "../../util/command-words.js";
import { check } from "../../util/errors.js";
import { ensureFolder, writeFileAtomic } from "../../util/files-node.js";
import type { CompareOptions } from "../commands/compare.js";
import type { Invocation } from "../commands/command.js";
import { checkReportPackages } from "../needed-packages.js";
import { INTERRUPTED, interruptWork, stoppedLine } from "../terminal/interrupt.js";
import { createProgress } from "../terminal/progress.js";
import type { Streams } from "../terminal/streams.js";
import { renderTable } from "../terminal/table.js";
import { compareInputs } from "./inputs.js";
import { comparisonPage } from "./page.js";
import type { ComparedPictures } from "./pictures.js";
import { comparedPictures, imagesOf } from "./pictures.js";

/** Compares networks, measures those that have no result card, and writes a page. Returns the exit status. */
export async function compareNetworks(
  options: CompareOptions,
  { all: paths, given, streams, words }: Pick<Invocation, "all" | "given" | "streams" | "words">,
): Promise<number> {
  const { out, data, device } = options;
  check(extname(out) === ".html", () => `--out: expected a name that ends in .html, got "${out}"`);
  const stem = out.slice(0, -".html".length);
  const json = `${stem}.json`;
  check(
    !paths.some((path) => join(path) === join(json)),
    () => `--out: "${json}" would be written over the result card of the same name: choose another name`,
  );
  checkReportPackages(device, ...(data === undefined ? [] : (["sharp"] as const)));
  const progress = createProgress({ stream: streams.err });
  const interrupt = interruptWork("after this batch", (line) => {
    progress.note(line);
  });
  try {
    const { signal } = interrupt;
    const { files, source: measured } = await compareInputs(paths, options, given, {
      stem,
      signal,
      progress,
    });
    progress.stop();
    if (signal.aborted) {
      streams.err.write(stoppedLine());
      return INTERRUPTED;
    }
    const names = runNames(files);
    const comparison = compareRuns(files.map(({ card, records }, i) => ({ name: names[i]!, card, records })));
    const { card } = files[0]!;
    const source =
      data === undefined ? undefined : (measured ?? (await imagesOf(card, { ...options, data })));
    const pictures = source && (await comparedPictures(comparison, source));
    await ensureFolder(dirname(out));
    const page = await comparisonPage(comparison, {
      command: commandLine(words),
      date: new Date().toISOString(),
      ...(card.classes && { classes: card.classes }),
      ...(pictures && { pictures }),
    });
    await writeFileAtomic(out, page);
    const numbers = { cards: paths.map((path) => basename(path)), ...numbersOf(comparison, pictures) };
    await writeFileAtomic(json, `${JSON.stringify(numbers, null, 1)}\n`);
    for (const caution of comparison.cautions) streams.err.write(`${pc.yellow("caution")} ${caution}\n`);
    print(comparison, streams);
    streams.out.write(`\nreport   ${out}\nnumbers  ${json}\n`);
    return 0;
  } finally {
    progress.stop();
    interrupt.dispose();
  }
}

function numbersOf({ runs, changed, ...comparison }: Comparison, pictures: ComparedPictures | undefined) {
  return {
    networks: runs.map(({ name }) => name),
    ...comparison,
    changed: changed.map((one) => ({ ...one, ...(pictures && { name: pictures.nameOf(one.image) }) })),
  };
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
            return `${points(one.difference)} (${points(one.low)} to ${points(one.high)})${one.status === "undecided" ? " ?" : ""}`;
          }),
        ],
      ]),
    ],
    notes: ["? means undecided: the interval holds 0"],
  });
  streams.out.write(`\n${table}\n`);
}
