import { readFile } from "node:fs/promises";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { expect, it } from "vitest";
import { packed } from "../support/packed.js";

it("package.json describes the packed library as npm and bundlers read it (publint)", async () => {
  const { messages, pkg } = await publint({ pack: { tarball: (await readFile(await packed())).buffer } });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

it("types are found wherever the code is found (are the types wrong?)", async () => {
  const analysis = await checkPackage(
    createPackageFromTarballData(new Uint8Array(await readFile(await packed()))),
  );
  if (analysis.types === false) throw new Error("the packed library has no types");
  // Entry points need "exports", which the oldest way of resolution does not know. The library is ESM, which
  // CommonJS loads by require since Node 20.19.
  const isKnown = (problem: (typeof analysis.problems)[number]): boolean =>
    ("resolutionKind" in problem && problem.resolutionKind === "node10") ||
    problem.kind === "CJSResolvesToESM";
  expect(analysis.problems.filter((problem) => !isKnown(problem))).toEqual([]);
  expect(Object.keys(analysis.entrypoints)).toContain("./node");
});
