import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { runStages, withStarts } from "../../src/experiments/cells.js";
import { defineExperiment, writeReport } from "../../src/experiments/experiment.js";
import type { ExperimentOptions } from "../../src/experiments/options.js";
import { temporaryFolder } from "../support/folders.js";

interface Config {
  readonly seed: number;
  readonly name: string;
  readonly start?: Config;
}

const network: Config = { seed: 1, name: "network" };
const tuned: Config = { seed: 1, name: "tuned", start: network };
const test: Config = { seed: 1, name: "test", start: tuned };
const other: Config = { seed: 2, name: "other" };
const all = [test, other, tuned, network];

const nameOf = ({ name }: Config): string => name;

function optionsFor(out: string, controller = new AbortController(), resume = false) {
  const notes: string[] = [];
  const tasks: string[] = [];
  const options: ExperimentOptions = {
    scale: "smoke",
    out,
    seeds: [1, 2],
    device: "cpu",
    threads: 2,
    resume,
    signal: controller.signal,
    onProgress: (task) => tasks.push(task),
    onNote: (line) => notes.push(line),
  };
  return { options, notes, tasks };
}

describe("cells that start from others", () => {
  it("are chosen with these, also where a start is a copy", () => {
    const copy = JSON.parse(JSON.stringify(test)) as Config;
    expect(withStarts([copy], all)).toEqual([test, tuned, network]);
    expect(withStarts([other], all)).toEqual([other]);
  });

  it("run after these, with what these gave", async () => {
    const { options, notes, tasks } = optionsFor(await temporaryFolder());
    const results = await runStages<Config, string>(options, all, {
      nameOf,
      run: ({ name, start }, { onProgress, threads }, done) => {
        onProgress("training", { step: 1, steps: 1, imagesPerSecond: 0, secondsLeft: 0 });
        return Promise.resolve(`${start ? `${done.get(start)!} > ` : ""}${name} on ${threads!}`);
      },
      describe: (result) => `gave ${result}`,
    });
    // Two cells of the first stage share the threads.
    expect([...results!]).toEqual([
      [other, "other on 1"],
      [network, "network on 1"],
      [tuned, "network on 1 > tuned on 2"],
      [test, "network on 1 > tuned on 2 > test on 2"],
    ]);
    expect(notes).toContain("tuned: gave network on 1 > tuned on 2");
    expect(tasks).toContain("test, training");
    expect(tasks).toContain("all cells");
  });

  it("wait when one of these was stopped, and go on where that was", async () => {
    const out = await temporaryFolder();
    const controller = new AbortController();
    // One thread: of cells side by side either may begin first.
    const alone = (...given: Parameters<typeof optionsFor>) => ({
      ...optionsFor(...given).options,
      threads: 1,
    });
    const ran: string[] = [];
    const kind = {
      nameOf,
      run: ({ name }: Config) => {
        ran.push(name);
        if (name !== "tuned" || controller.signal.aborted) return Promise.resolve(name);
        controller.abort();
        return Promise.resolve(undefined);
      },
      describe: (result: string) => result,
    };
    expect(await runStages(alone(out, controller), all, kind)).toBeUndefined();
    expect(ran).toEqual(["other", "network", "tuned"]);
    await expect(runStages(alone(out), all, kind)).rejects.toThrow(/holds a run already/);
    const resumed = await runStages(alone(out, new AbortController(), true), all, kind);
    expect([...resumed!.values()]).toEqual(["other", "network", "tuned", "test"]);
    expect(ran).toEqual(["other", "network", "tuned", "tuned", "test"]);
  });
});

describe("what a run leaves", () => {
  const experiment = defineExperiment<object, Config, number, { readonly factor: number }>({
    name: "counting",
    summary: "counts",
    scales: {
      smoke: { summary: "", seeds: 1 },
      laptop: { summary: "", seeds: 1 },
      paper: { summary: "", seeds: 1 },
    },
    choosesCells: true,
    plan: () => ({}),
    cellsOf: () => all,
    load: (_, { signal }) => (signal.aborted ? undefined : { factor: 2 }),
    nameOf,
    runCell: ({ name }, { factor }) => Promise.resolve(factor * name.length),
    describe: String,
    report: ({ results, provenance }) =>
      Promise.resolve({
        page: "<html></html>",
        numbers: { sum: [...results.values()].reduce((a, b) => a + b) },
        text: provenance.command,
      }),
  });

  it("is a table while cells are missing, and the report once they are done", async () => {
    const out = await temporaryFolder();
    const first = await experiment.run({ ...optionsFor(out).options, cells: "tuned" });
    expect(first).toEqual({
      interrupted: false,
      files: [],
      tables: [
        {
          title: "2 of 4 cells",
          columns: ["cell", "result"],
          rows: [
            ["network", "14"],
            ["tuned", "10"],
          ],
          notes: [expect.stringContaining("run again with --resume and without --cells")],
        },
      ],
    });
    const last = await experiment.run({ ...optionsFor(out).options, resume: true, models: "a,b" });
    expect(last.files.map(({ what }) => what)).toEqual(["report", "results"]);
    expect(last.text).toBe("striate run counting --scale smoke --seed 1 --seeds 2 --models a,b");
    expect(JSON.parse(await readFile(last.files[1]!.path, "utf8"))).toEqual({ sum: 42 });
  });

  it("is nothing if it was stopped while data were read", async () => {
    const controller = new AbortController();
    controller.abort();
    const result = await experiment.run(optionsFor(await temporaryFolder(), controller).options);
    expect(result).toEqual({ interrupted: true, tables: [], files: [] });
  });

  it("is a page and its numbers", async () => {
    const files = await writeReport(await temporaryFolder(), "<html></html>", { accuracy: 0.5 });
    expect(files.map(({ what }) => what)).toEqual(["report", "results"]);
    const [page, numbers] = await Promise.all(files.map(({ path }) => readFile(path, "utf8")));
    expect(page).toBe("<html></html>");
    expect(JSON.parse(numbers!)).toEqual({ accuracy: 0.5 });
  });
});
