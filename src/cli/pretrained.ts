import pc from "picocolors";
import { loadPretrained } from "../pretrained/load-node.js";
import { PRETRAINED_NAMES } from "../pretrained/models.js";
import { StriateError } from "../util/errors.js";
import type { Streams } from "./terminal/streams.js";
import { renderTable } from "./terminal/table.js";

/**
 * Lists the trained networks, and loads each of them once as a check. The exit status is 1 if a file is
 * missing or damaged.
 */
export async function printModels(streams: Streams): Promise<number> {
  const rows: string[][] = [];
  const problems: string[] = [];
  for (const name of PRETRAINED_NAMES) {
    try {
      const { card } = await loadPretrained(name);
      const [first] = card.figures;
      const figure =
        first === undefined ? "" : `${first.value} ${first.unit === "percent" ? "%" : first.unit}`;
      rows.push([name, card.system, figure, `${Math.round(card.bytes / 1024)} KiB`, `seed ${card.seed}`]);
    } catch (error) {
      if (!(error instanceof StriateError)) throw error;
      problems.push(error.message);
    }
  }
  const notes = [
    "Accuracy: both digits right, on test images without noise. Cards with all figures, commands and licences are in the",
    "package's folder pretrained/; load a network with loadPretrained(name) of striate/node.",
  ];
  const columns = ["name", "system", "accuracy", "size", "trained"];
  streams.out.write(
    `${renderTable({ title: "Trained networks", columns, alignLeft: ["system"], rows, notes })}\n`,
  );
  for (const problem of problems) streams.err.write(`${pc.red("error:")} ${problem}\n`);
  return problems.length === 0 ? 0 : 1;
}
