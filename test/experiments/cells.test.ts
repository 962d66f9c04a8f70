import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Cell } from "../../src/experiments/cells.js";
import { cellFolder, cellKey, runCells } from "../../src/experiments/cells.js";
import { temporaryFolder } from "../support/folders.js";

const cells: Cell<{ n: number }>[] = [1, 2, 3, 4].map((n) => ({ label: `cell ${n}`, config: { n } }));
const never = new AbortController().signal;

describe("cells", () => {
  it("run once each, side by side, and are never computed again", async () => {
    const folder = await temporaryFolder();
    let [active, most, calls] = [0, 0, 0];
    const square = async ({ config: { n } }: Cell<{ n: number }>) => {
      calls += 1;
      most = Math.max(most, ++active);
      await new Promise((resolve) => setTimeout(resolve, 20));
      active -= 1;
      return { square: n * n };
    };
    const options = { folder, resume: true, parallel: 2, signal: never };
    const results = await runCells(cells, square, options);
    expect(results).toEqual([1, 4, 9, 16].map((n) => ({ square: n })));
    expect(most).toBe(2);
    expect(await runCells(cells, square, options)).toEqual(results);
    const more = [...cells, { label: "cell 5", config: { n: 5 } }];
    expect((await runCells(more, square, options)).at(-1)).toEqual({ square: 25 });
    expect(calls).toBe(5);
    await expect(runCells(cells, square, { ...options, resume: false })).rejects.toThrow(
      /holds a run already/,
    );
  });

  it("keep what was finished when one fails, and start no other", async () => {
    const folder = await temporaryFolder();
    const work = ({ config: { n } }: Cell<{ n: number }>) =>
      n === 2 ? Promise.reject(new Error("broken")) : Promise.resolve(n);
    const options = { folder, resume: true, parallel: 1, signal: never };
    await expect(runCells(cells, work, options)).rejects.toThrow("broken");
    expect((await readdir(folder)).sort()).toEqual([cellKey({ n: 1 }), cellKey({ n: 2 })].sort());
    expect(await runCells(cells, ({ config: { n } }) => Promise.resolve(n * 10), options)).toEqual([
      1, 20, 30, 40,
    ]);
  });

  it("stop when asked: what is missing stays undefined", async () => {
    const folder = await temporaryFolder();
    const controller = new AbortController();
    const work = ({ config: { n } }: Cell<{ n: number }>) => {
      if (n === 2) controller.abort();
      return Promise.resolve(n === 2 ? undefined : n);
    };
    const options = { folder, resume: true, parallel: 1, signal: controller.signal };
    expect(await runCells(cells, work, options)).toEqual([1, undefined, undefined, undefined]);
  });

  it("name a result file that is damaged", async () => {
    const folder = await temporaryFolder();
    const options = { folder, resume: true, parallel: 1, signal: never };
    await runCells(cells, () => Promise.resolve(1), options);
    const path = join(cellFolder(folder, { n: 3 }), "result.json");
    await writeFile(path, "{ half");
    await expect(runCells(cells, () => Promise.resolve(1), options)).rejects.toThrow(path);
  });

  it("refuse a result that was changed, and one of another version", async () => {
    const folder = await temporaryFolder();
    const options = { folder, resume: true, parallel: 1, signal: never };
    const work = () => Promise.resolve({ accuracy: 0.25, undecided: NaN, bounds: [-Infinity, "none"] });
    const first = await runCells(cells, work, options);
    expect(first[0]).toEqual({ accuracy: 0.25, undecided: NaN, bounds: [-Infinity, "none"] });
    expect(await runCells(cells, () => Promise.reject(new Error("ran again")), options)).toEqual(first);
    const path = join(cellFolder(folder, { n: 3 }), "result.json");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace("0.25", "0.75"));
    await expect(runCells(cells, work, options)).rejects.toThrow(/was changed or is damaged/);
    await writeFile(path, text.replace(/"striate":"[^"]*"/, '"striate":"0.0.1"'));
    await expect(runCells(cells, work, options)).rejects.toThrow(
      /expected a result of striate [\d.]+, got one of striate 0.0.1. Results of two versions must not be mixed/,
    );
    await writeFile(path, '{"accuracy":0.25}');
    await expect(runCells(cells, work, options)).rejects.toThrow(
      /expected a result with its versions; remove/,
    );
  });
});
