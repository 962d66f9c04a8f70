// npm run torture [-- --only KIND] [--seed N] [--at N]: everything of test/torture/, of which `npm test` does little, and a
// table of what came of it. KIND is the beginning of a test file's name, such as "mutations"; N of --at is one mutation.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { fail, root } from "./bootstrap.mjs";

const { values } = parseArgs({
  options: { only: { type: "string" }, seed: { type: "string" }, at: { type: "string" } },
});
for (const name of ["seed", "at"]) {
  const value = values[name];
  if (value !== undefined && !/^\d+$/.test(value)) fail(`--${name}: expected a whole number, got "${value}"`);
}
const folder = mkdtempSync(join(tmpdir(), "striate-torture-"));
const rows = join(folder, "rows.jsonl");
writeFileSync(rows, "");
const env = { ...process.env, STRIATE_TORTURE: "all", STRIATE_TORTURE_TABLE: rows };
if (values.seed !== undefined) env.STRIATE_TORTURE_SEED = values.seed;
if (values.at !== undefined) env.STRIATE_TORTURE_AT = values.at;
// One file after another: the tests measure memory and time.
const tests = ["--no-file-parallelism", `test/torture/${values.only ?? ""}`];
const { status } = spawnSync(process.execPath, [join(root, "scripts", "test.mjs"), ...tests], {
  cwd: root,
  stdio: "inherit",
  env,
});
const table = new Table({
  head: ["kind", "cases", "faults", "seconds", ""],
  style: { head: [], border: [] },
});
for (const line of readFileSync(rows, "utf8").split("\n").filter(Boolean)) {
  const { kind, cases, faults, seconds, note } = JSON.parse(line);
  table.push([kind, cases, faults, seconds.toFixed(0), note]);
}
process.stdout.write(`${table.toString()}\n`);
rmSync(folder, { recursive: true, force: true });
process.exitCode = status ?? 1;
