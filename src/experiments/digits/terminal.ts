import Table from "cli-table3";
import pc from "picocolors";
import { duration, number, percent } from "../../report/html.js";
import { overSeeds } from "../../report/over-seeds.js";
import type { DigitsReport, DigitsModelDescription } from "./results.js";
import { METRICS, result, SET_ACCURACY } from "./results.js";
import { budgetRemark, digitsHeadline, judge } from "./verdict.js";

/** Options of {@link terminalReport}. */
export interface TerminalOptions {
  /** Whether to use colours. Default: whether standard output supports them. */
  readonly colour?: boolean;
  /** Width of the terminal in columns. If the table is wider, it omits the learning curves. Default 100. */
  readonly width?: number;
}

const BLOCKS = "▁▂▃▄▅▆▇█";

/**
 * Draws values as a row of at most `width` block characters; if there are more values, each character shows
 * the mean of several. `range` gives the values at the bottom and the top (default: the smallest and the
 * largest value). Without values, the row is empty.
 */
export function sparkline(
  values: readonly number[],
  options: { readonly width?: number; readonly range?: readonly [number, number] } = {},
): string {
  if (values.length === 0) return "";
  const width = Math.min(options.width ?? 16, values.length);
  const groups = Array.from({ length: width }, (_, i) => {
    const from = Math.floor((i * values.length) / width);
    const group = values.slice(from, Math.max(from + 1, Math.floor(((i + 1) * values.length) / width)));
    return group.reduce((sum, value) => sum + value, 0) / group.length;
  });
  const [low, high] = options.range ?? [Math.min(...groups), Math.max(...groups)];
  return groups
    .map((value) => {
      if (!Number.isFinite(value)) return " ";
      const part = high > low ? (value - low) / (high - low) : 0;
      return BLOCKS[Math.min(7, Math.max(0, Math.round(part * 7)))]!;
    })
    .join("");
}

/** The experiment's table, learning curves and verdicts as text for a terminal, without a line break at the end. */
export function terminalReport(report: DigitsReport, options: TerminalOptions = {}): string {
  const colours = pc.createColors(options.colour ?? pc.isColorSupported);
  const condition = report.conditions[0]!;
  const marks = {
    holds: colours.green("✓ holds    "),
    reversed: colours.red("✗ reversed "),
    undecided: colours.yellow("? undecided"),
  };
  const { seeds, imagesSeen, wallTimeSeconds, testImages } = report.provenance;
  const width = options.width ?? 100;
  const full = accuracyTable(report, colours, true);
  const fits = full.split("\n").every((line) => visibleLength(line) <= width);
  const lines = [
    colours.bold(report.title),
    colours.dim(
      `${METRICS[SET_ACCURACY]!.label} in %, mean ± s.d. over ${seeds.length} seed${seeds.length === 1 ? "" : "s"}; ` +
        `${imagesSeen.toLocaleString("en-GB")} training images, ${testImages.toLocaleString("en-GB")} test images, ` +
        duration(wallTimeSeconds),
    ),
    fits ? full : accuracyTable(report, colours, false),
  ];
  if (report.reference) lines.push(colours.dim(wrap(`* ${report.reference.description}`, width)));
  lines.push("", wrap(digitsHeadline(report), width));
  for (const { status, sentence } of judge(report, condition.id)) {
    lines.push(`${marks[status]}  ${wrap(sentence, width, 13)}`);
  }
  const budget = budgetRemark(report);
  if (budget !== undefined) lines.push(colours.yellow(wrap(`! ${budget}`, width, 2)));
  const { onnxCheck } = report;
  if (onnxCheck) {
    const same = onnxCheck.maximumDifference <= onnxCheck.tolerance;
    lines.push(
      `${same ? colours.green("✓ same     ") : colours.red("✗ differs  ")}  exported ONNX, Node and web runtime: ` +
        `largest logit difference ${number(onnxCheck.maximumDifference, 3)} (allowed ${number(onnxCheck.tolerance, 3)})`,
    );
  }
  return lines.join("\n");
}

function accuracyTable(
  report: DigitsReport,
  colours: ReturnType<typeof pc.createColors>,
  curves: boolean,
): string {
  const { reference, conditions } = report;
  const head = [
    "model",
    ...conditions.map(({ label }) => label.toLowerCase()),
    ...(reference ? [`authors’ code*`] : []),
    ...(curves ? ["learning"] : []),
  ];
  const table = new Table({
    head: head.map((cell) => colours.bold(cell)),
    style: { head: [], border: [] },
    colAligns: [
      "left",
      ...conditions.map(() => "right" as const),
      ...(reference ? (["right"] as const) : []),
      "left",
    ],
  });
  const best = conditions.map(({ id }) =>
    Math.max(...report.models.map((model) => result(report, model.id, id)?.mean ?? -Infinity)),
  );
  for (const model of report.models) {
    const cells = conditions.map(({ id }, i) => {
      const summary = result(report, model.id, id);
      if (!summary) return colours.dim("–");
      const mean = percent(summary.mean);
      const spread = summary.std === null ? "" : colours.dim(` ± ${percent(summary.std)}`);
      return (summary.mean === best[i] ? colours.bold(mean) : mean) + spread;
    });
    const authors = reference?.rows.find((row) => row.role === model.role)?.setAccuracy;
    table.push([
      model.label,
      ...cells,
      ...(reference ? [authors === undefined ? "–" : colours.dim(percent(authors))] : []),
      ...(curves ? [colours.cyan(learning(report, model))] : []),
    ]);
  }
  // Keep the line under the head, and drop the lines between the models.
  let rules = 0;
  return table
    .toString()
    .split("\n")
    .filter((line) => !line.startsWith("├") || rules++ === 0)
    .join("\n");
}

/**
 * A model's learning curve as a sparkline: mean accuracy over seeds, or the loss if no accuracy was measured.
 * The curves of all models have the same scale of accuracy.
 */
function learning(report: DigitsReport, model: DigitsModelDescription): string {
  const accuracies = report.learningCurves.flatMap((curve) => curve.points.map((point) => point.setAccuracy));
  const known = accuracies.filter((value) => value !== undefined);
  const runs = report.learningCurves
    .filter((curve) => curve.model === model.id)
    .map((curve) =>
      curve.points.flatMap(({ images, loss, setAccuracy }) => {
        const y = known.length > 0 ? setAccuracy : loss;
        return y === undefined ? [] : [{ x: images, y }];
      }),
    );
  const values = overSeeds(runs).map(({ y }) => y);
  return sparkline(values, known.length > 0 ? { range: [0, Math.max(...known)] } : {});
}

function visibleLength(line: string): number {
  return line.replace(/\u001b\[[0-9;]*m/g, "").length;
}

function wrap(text: string, width: number, indent = 0): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length + indent <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join(`\n${" ".repeat(indent)}`);
}
