import CliTable from "cli-table3";
import pc from "picocolors";
import type { ResultTable } from "../../experiments/experiment.js";

export interface PrintedTable extends ResultTable {
  /** Columns of words, aligned left like the first column. All other columns are figures, aligned right. */
  readonly alignLeft?: readonly string[];
}

/** Renders a table with its title above and its notes below. */
export function renderTable({ title, columns, rows, notes = [], alignLeft = [] }: PrintedTable): string {
  const table = new CliTable({
    head: [...columns],
    colAligns: columns.map((column, i) => (i === 0 || alignLeft.includes(column) ? "left" : "right")),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return [pc.bold(title), table.toString(), ...notes.map((note) => pc.dim(note))].join("\n");
}
