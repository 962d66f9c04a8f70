import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { PAGE, operatorsPage } from "../../scripts/operators-page.js";

it("docs/operators.md says what the code does (else: npm run docs:operators)", async () => {
  expect(readFileSync(PAGE, "utf8")).toBe(await operatorsPage());
});
