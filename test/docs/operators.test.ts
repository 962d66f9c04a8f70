import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { PAGE, operatorsPage } from "../../scripts/operators-page.js";
import { operatorSupport } from "../../src/graph/onnx/support.js";

it("docs/operators.md says what the code does (else: npm run docs:operators)", async () => {
  expect(readFileSync(PAGE, "utf8")).toBe(await operatorsPage());
});

it("refuses operators on text alone, and what no network of images uses", () => {
  const refused = operatorSupport().flatMap(({ name, read }) => (read === "refused" ? [name] : []));
  const others = refused.filter((name) => !/^(String|Regex)/.test(name));
  expect(others).toEqual(["ImageDecoder"]);
});
