import { statSync } from "node:fs";
import { basename, extname } from "node:path";
import pc from "picocolors";
import type { ResultCard, TimestepFindings } from "../../robustness/card.js";
import { showEpsilon } from "../../robustness/epsilon.js";
import { check } from "../../util/errors.js";
import type { RobustnessOptions } from "../commands/robustness.js";
import { checkReportPackages } from "../needed-packages.js";
import { INTERRUPTED, interruptWork, stoppedLine } from "../terminal/interrupt.js";
import { createProgress } from "../terminal/progress.js";
import type { Streams } from "../terminal/streams.js";
import { renderTable } from "../terminal/table.js";
import { measureNetwork } from "./measure.js";
import { writeRobustnessReport } from "./report.js";

/** Measures a classifier's robustness and writes a report, a result card and the records. Returns the exit status. */
export async function measureRobustness(
  path: string,
  options: RobustnessOptions,
  streams: Streams,
): Promise<number> {
  const { seed, device, out } = options;
  check(extname(out) === ".html", () => `--out: expected a name that ends in .html, got "${out}"`);
  check(!isFolder(out), () => `--out: expected the name of a file, got the folder "${out}"`);
  check(
    options.eps === undefined || options.attacks !== undefined,
    () => "--eps has no effect without --attacks: give attacks, such as --attacks pgd",
  );
  checkReportPackages(device, "sharp");
  const progress = createProgress({ stream: streams.err });
  const interrupt = interruptWork("after this batch", (line) => {
    progress.note(line);
  });
  try {
    const measured = await measureNetwork(path, options, {
      name: basename(path),
      stem: out.slice(0, -".html".length),
      signal: interrupt.signal,
      progress,
    });
    progress.stop();
    const { card, files } = measured;
    await writeRobustnessReport(out, { ...measured, seed });
    printCard(card, streams);
    const known = new Set(measured.shown);
    const found = [...card.warnings, ...card.attacks.flatMap((attack) => attack.warnings)];
    for (const warning of new Set(found)) {
      if (!known.has(warning)) streams.err.write(`${pc.yellow("caution")} ${warning}\n`);
    }
    streams.out.write(`\nreport       ${out}\nresult card  ${files.card}\nrecords      ${files.records}\n`);
    if (!interrupt.signal.aborted) return 0;
    streams.err.write(stoppedLine());
    return INTERRUPTED;
  } finally {
    progress.stop();
    interrupt.dispose();
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function printCard(card: ResultCard, streams: Streams): void {
  const { clean, summary, attacks, protocol } = card;
  if (!clean) return;
  const rows = [scoreRow("clean", clean.accuracy, clean.ece)];
  for (const severity of protocol.severities) {
    const own = card.corruptions.filter((one) => one.severity === severity);
    const mean = (value: (one: (typeof own)[number]) => number) =>
      own.reduce((total, one) => total + value(one), 0) / own.length;
    rows.push([
      `severity ${severity}, mean of ${own.length}`,
      (100 * mean((one) => one.accuracy.value)).toFixed(1),
      "",
      String(clean.accuracy.n),
      (100 * mean((one) => one.ece)).toFixed(1),
    ]);
  }
  for (const { plan, epsilon, norm, robust } of attacks)
    rows.push(scoreRow(`${plan}, ${norm} ${showEpsilon(epsilon)}`, robust));
  const notes = [
    `${protocol.data.name}, ${card.measured} images (${protocol.data.choice}), seed ${protocol.seed}`,
    ...(summary
      ? [
          `mean corruption error ${(100 * summary.meanError).toFixed(1)} % over ${protocol.corruptions.length} ${protocol.corruptions.length === 1 ? "corruption" : "corruptions"}` +
            (summary.mceAlexNet === undefined
              ? ""
              : `; mCE ${summary.mceAlexNet.toFixed(1)} and relative mCE ${summary.relativeMceAlexNet!.toFixed(1)}, AlexNet = 100`),
        ]
      : []),
    ...(card.skipped.length > 0 ? [`${card.skipped.length} images could not be read and were skipped`] : []),
  ];
  const title = `Robustness of ${protocol.model.name}`;
  const columns = ["", "accuracy %", "95 % interval", "images", "ECE %"];
  streams.out.write(`\n${renderTable({ title, columns, rows, notes: [...new Set(notes)] })}\n`);
  if (card.overTime) streams.out.write(`\n${timestepTable(card, card.overTime)}\n`);
}

/** A table with one row for each timestep; the main table is about the last timestep. */
function timestepTable({ protocol }: ResultCard, overTime: readonly TimestepFindings[]): string {
  const attacks = overTime[0]!.attacks.map(({ plan, epsilon }) => `${plan} ${showEpsilon(epsilon)} %`);
  const corrupted = protocol.corruptions.length > 0 ? ["corrupted %"] : [];
  const percent = (value: number | undefined) => (value === undefined ? "" : (100 * value).toFixed(1));
  return renderTable({
    title: `Scores at each timestep (the table above is for timestep ${overTime.at(-1)!.timestep})`,
    columns: ["timestep", "clean %", "ECE %", ...corrupted, ...attacks],
    rows: overTime.map(({ timestep, clean, summary, attacks: found }) => [
      String(timestep),
      percent(clean?.accuracy.value),
      percent(clean?.ece),
      ...corrupted.map(() => percent(summary && 1 - summary.meanError)),
      ...found.map(({ robust }) => percent(robust.value)),
    ]),
  });
}

function scoreRow(
  what: string,
  { value, low, high, n }: { value: number; low: number; high: number; n: number },
  ece?: number,
): string[] {
  const one = (part: number): string => (100 * part).toFixed(1);
  return [what, one(value), `${one(low)} – ${one(high)}`, String(n), ece === undefined ? "" : one(ece)];
}
