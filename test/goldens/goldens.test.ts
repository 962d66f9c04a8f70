import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { evaluator } from "./evaluate.js";
import type { GoldenCase } from "./golden-case.js";
import { readGolden, readIndex } from "./golden-case.js";
import type { GoldenSystem } from "./harness.js";
import { runCase, runGoldens } from "./harness.js";
import { goldenSystems } from "./systems.js";

const folder = fileURLToPath(new URL("../../../shared/goldens", import.meta.url));
const present = existsSync(folder);
if (!present) console.log(`goldens: skipped, there is no folder ${folder}`);

async function casesOf(system: GoldenSystem): Promise<GoldenCase[]> {
  const path = join(folder, system.name);
  return Promise.all((await readIndex(path)).map((entry) => readGolden(system.name, path, entry)));
}

for (const system of present ? goldenSystems : []) {
  const cases = await casesOf(system);

  describe(`${system.name} agrees with the authors' code`, () => {
    it.each(cases.map((golden) => [golden.file, golden] as const))("%s", async (_file, golden) => {
      const { failures, compared } = await runCase(golden, system);
      expect(failures).toEqual([]);
      expect(compared).toBeGreaterThan(0);
    });
  });

  describe(`${system.name} without ONNX Runtime's graph optimisation`, () => {
    const evaluate = evaluator({ optimisation: "disabled" });
    const kindOf = (golden: GoldenCase) => system.kinds.find((kind) => kind.matches(golden));
    const kinds = new Map(
      cases.filter((golden) => kindOf(golden)?.slow !== true).map((golden) => [kindOf(golden)?.name, golden]),
    );
    it.each([...kinds])("%s", async (_kind, golden) => {
      expect((await runCase(golden, system, evaluate)).failures).toEqual([]);
    });
  });
}

describe.skipIf(!present)("the golden harness", () => {
  const system = goldenSystems.find(({ name }) => name === "komplexnet")!;
  const linear = async (): Promise<GoldenCase> => {
    const cases = await casesOf(system);
    return cases.find((golden) => golden.tensors.has("output.pred"))!;
  };

  it("fails a case with one wrong number, and names the tensor", async () => {
    const golden = await linear();
    for (const name of ["output.last_re", "grad.param.weights.bias"]) {
      const good = golden.tensors.get(name)!;
      const data = Float32Array.from(good.data as Float32Array);
      data[data.length - 1]! += 0.01;
      const tensors = new Map([...golden.tensors, [name, { ...good, data }]]);
      const { failures } = await runCase({ ...golden, tensors }, system);
      expect(failures).toHaveLength(1);
      expect(failures[0]).toMatch(new RegExp(`^${name}: off by 1.0e-2, allowed`));
    }
  });

  it("fails a case with NaN where a number is expected", async () => {
    const golden = await linear();
    const good = golden.tensors.get("output.pred")!;
    const data = Float32Array.from(good.data as Float32Array).fill(NaN, 0, 1);
    const tensors = new Map([...golden.tensors, ["output.pred", { ...good, data }]]);
    expect((await runCase({ ...golden, tensors }, system)).failures).toEqual([
      expect.stringContaining("output.pred: off by Infinity"),
    ]);
  });

  it("fails on an output that it cannot compute", async () => {
    const golden = await linear();
    const tensors = new Map([...golden.tensors, ["output.more", golden.tensors.get("output.pred")!]]);
    expect((await runCase({ ...golden, tensors }, system)).failures).toEqual(["not compared: output.more"]);
  });

  it("fails on a tensor that has no tolerance", async () => {
    const golden = { ...(await linear()), tolerance: {}, metadata: {} };
    const { failures } = await runCase(golden, system);
    expect(failures).toContain("no tolerance is given for output.pred");
  });

  it("fails on a kind that it does not know", async () => {
    const golden = await linear();
    const tensors = new Map([["output.strange", golden.tensors.get("output.pred")!]]);
    const { kind, failures } = await runCase({ ...golden, tensors }, system);
    expect(kind).toBe("unknown");
    expect(failures[0]).toContain("unknown kind");
  });

  it("does not depend on file names, and finds cases by kind", async () => {
    const golden = await linear();
    expect((await runCase({ ...golden, file: "some.safetensors" }, system)).failures).toEqual([]);
    const lines: string[] = [];
    const print = (line: string) => lines.push(line);
    expect(await runGoldens(folder, goldenSystems, { system: "komplexnet", kind: "read-out", print })).toBe(
      true,
    );
    expect(lines).toEqual([expect.stringMatching(/^pass {2}komplexnet\//), "komplexnet: 1 of 1 cases pass"]);
    expect(await runGoldens(folder, goldenSystems, { kind: "no such kind", print })).toBe(false);
  });

  it("fails when asked for a system that is not implemented, and names it otherwise", async () => {
    const lines: string[] = [];
    const print = (line: string) => lines.push(line);
    const [first] = goldenSystems;
    expect(await runGoldens(folder, [], { system: first!.name, print })).toBe(false);
    expect(lines).toEqual([`${first!.name}: not implemented yet`]);
    await expect(runGoldens(folder, [], { system: "nobody", print })).rejects.toThrow("has no system nobody");
  });
});
