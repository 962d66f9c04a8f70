import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { CLI_PAGE, cliPage } from "../../scripts/cli-page.js";

it("docs/cli.md says what the code does (else: npm run docs:cli)", async () => {
  expect(readFileSync(CLI_PAGE, "utf8")).toBe(await cliPage());
});
