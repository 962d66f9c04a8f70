import { join } from "node:path";
import { writeFileAtomic } from "../util/files-node.js";
import type { ExperimentResult } from "./experiment.js";

type RunFile = ExperimentResult["files"][number];

/** Writes a run's report.html and results.json, and lists them in this order. */
export async function writeReport(
  out: string,
  page: string,
  results: object,
): Promise<readonly [report: RunFile, results: RunFile]> {
  const [html, json] = [join(out, "report.html"), join(out, "results.json")];
  await writeFileAtomic(html, page);
  await writeFileAtomic(json, `${JSON.stringify(results, null, 1)}\n`);
  return [
    { what: "report", path: html },
    { what: "results", path: json },
  ];
}
