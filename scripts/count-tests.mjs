// count-tests.mjs FILE: prints "PASSED FAILED" of vitest's JSON report. A file that could not even be loaded counts as
// one failure; a run without any test is an error.
import { readFileSync } from "node:fs";

const report = JSON.parse(readFileSync(process.argv[2], "utf8"));
const broken = report.testResults.filter(
  (suite) => suite.status === "failed" && !suite.assertionResults.some((test) => test.status === "failed"),
).length;
const failed = report.numFailedTests + broken;
if (failed + report.numPassedTests === 0) {
  process.stderr.write("no test was run\n");
  process.exit(1);
}
process.stdout.write(`${report.numPassedTests} ${failed}\n`);
