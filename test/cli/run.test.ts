import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { chooseOutFolder } from "../../src/cli/out-folder.js";
import { runExperiment } from "../../src/cli/run.js";
import type { RunOptions } from "../../src/cli/commands/run.js";
import type { Experiment, ExperimentResult } from "../../src/experiments/experiment.js";
import type { ExperimentOptions } from "../../src/experiments/options.js";
import { findExperiment } from "../../src/experiments/registry.js";
import { StriateError } from "../../src/util/errors.js";
import { temporaryFolder } from "../support/folders.js";
import { captured } from "./streams.js";

const finished: ExperimentResult = {
  interrupted: false,
  text: "all in all",
  tables: [{ title: "Result", columns: ["model", "accuracy"], rows: [["net", "0.5"]], notes: ["a note"] }],
  files: [{ what: "report", path: "x/report.html" }],
};

function experiment(run: (options: ExperimentOptions) => Promise<ExperimentResult>): Experiment {
  const facts = { summary: "a test", seeds: 2 };
  const open = () => Promise.reject(new Error("not opened"));
  return { name: "toy", summary: "a toy", scales: { smoke: facts, laptop: facts, paper: facts }, run, open };
}

const options: RunOptions = { scale: "smoke", seed: 1, device: "cpu", resume: false, force: false };

describe("striate run", () => {
  it("hands everything to the experiment and prints what came out", async () => {
    const { streams, out, err } = captured();
    let seen: ExperimentOptions | undefined;
    const toy = experiment((given) => {
      seen = given;
      given.onProgress("training", { step: 1, steps: 2, loss: 0.25, imagesPerSecond: 10, secondsLeft: 3 });
      given.onNote("half of it done");
      given.onProgress("testing", { step: 1, steps: 1, imagesPerSecond: 10, secondsLeft: 0 });
      return Promise.resolve(finished);
    });
    const folder = join(await temporaryFolder(), "out");
    const chosen = { ...options, seed: 7, threads: 2, out: folder };
    expect(await runExperiment("toy", chosen, { streams, words: ["run", "toy"] }, [toy])).toBe(0);
    expect(seen).toMatchObject({ scale: "smoke", out: folder, seeds: [7, 8], device: "cpu", threads: 2 });
    expect(seen?.signal.aborted).toBe(false);
    expect(err()).toMatch(/training: +50 % · step 1\/2 · loss 0.2500/);
    expect(err()).toContain("half of it done");
    expect(err()).toMatch(/testing: +100 %/);
    expect(out()).toMatch(/│ net +│ +0.5 │/);
    expect(out()).toContain("all in all");
    expect(out()).toContain("a note");
    expect(out()).toContain("report  x/report.html");
    expect(out()).not.toContain("explore");
  });

  it("ends with the command that shows such a network live", async () => {
    const { streams, out } = captured();
    const toy = { ...experiment(() => Promise.resolve(finished)), explorerView: "akorn" } as const;
    const chosen = { ...options, out: join(await temporaryFolder(), "out") };
    await runExperiment("toy", chosen, { streams, words: ["run", "toy"] }, [toy]);
    expect(out()).toMatch(/live in a browser: .*--view akorn\n$/);
  });

  it("takes the number of seeds from the user before the scale", async () => {
    const seen: number[][] = [];
    const toy = experiment(({ seeds }) => {
      seen.push([...seeds]);
      return Promise.resolve(finished);
    });
    await runExperiment(
      "toy",
      { ...options, seeds: 3 },
      { streams: captured().streams, words: ["run", "toy"] },
      [toy],
    );
    await runExperiment("toy", options, { streams: captured().streams, words: ["run", "toy"] }, [toy]);
    expect(seen).toEqual([
      [1, 2, 3],
      [1, 2],
    ]);
  });

  it("hands special options on to experiments that take them, and refuses them for others", async () => {
    const { streams, err } = captured();
    let seen: ExperimentOptions | undefined;
    const toy = {
      ...experiment((given) => {
        seen = given;
        return Promise.resolve({ ...finished, interrupted: true });
      }),
      takes: ["dataSet", "upTiling"] as const,
    };
    const out = join(await temporaryFolder(), "out");
    const chosen = { ...options, out, dataSet: "shapes", upTiling: 2 };
    const words = "run toy --scale smoke --data-set shapes --up-tiling 2".split(" ");
    await runExperiment("toy", chosen, { streams, words }, [toy]);
    expect(seen).toMatchObject({ dataSet: "shapes", upTiling: 2 });
    expect(seen).not.toHaveProperty("models");
    expect(err()).toContain("striate run toy --scale smoke --data-set shapes --up-tiling 2 --resume");
    await expect(
      runExperiment("toy", { ...chosen, models: "all" }, { streams, words: ["run", "toy"] }, [toy]),
    ).rejects.toThrow("toy has no --models; its options are --data-set, --up-tiling");
    await expect(
      runExperiment("toy", chosen, { streams, words: ["run", "toy"] }, [{ ...toy, takes: [] }]),
    ).rejects.toThrow("toy has no --data-set");
  });

  it("tells how to go on after an interruption, and leaves no signal handler", async () => {
    const { streams, err } = captured();
    const before = process.listenerCount("SIGINT");
    const toy = experiment(() => Promise.resolve({ ...finished, interrupted: true, tables: [] }));
    expect(
      await runExperiment(
        "toy",
        { ...options, out: "somewhere" },
        { streams, words: ["run", "toy", "--scale", "smoke"] },
        [toy],
      ),
    ).toBe(130);
    expect(err()).toContain("striate run toy --scale smoke --resume --out somewhere");
    const failing = experiment(() => Promise.reject(new StriateError("no")));
    await expect(
      runExperiment("toy", options, { streams, words: ["run", "toy"] }, [failing]),
    ).rejects.toThrow("no");
    expect(process.listenerCount("SIGINT")).toBe(before);
  });

  it("suggests the experiment that was meant", () => {
    const toy = experiment(() => Promise.resolve(finished));
    expect(() => findExperiment("toi", [toy])).toThrow(
      'unknown experiment "toi": expected one of toy (did you mean toy?)',
    );
  });
});

describe("chooseOutFolder", () => {
  const date = new Date(2026, 10, 22, 1, 2, 3);

  it("makes a new name from the time", async () => {
    const folder = await chooseOutFolder("toy-smoke", { resume: false, force: false, runs: "runs", date });
    expect(folder).toBe(join("runs", "toy-smoke-20261122-010203"));
  });

  it("resumes the newest run of that experiment and scale", async () => {
    const runs = await temporaryFolder();
    const names = [
      "toy-smoke-20260101-000000",
      "toy-smoke-20261122-010203",
      "toy-smoke-x",
      "toy-paper-20270101-000000",
    ];
    for (const name of names) await mkdir(join(runs, name));
    const folder = await chooseOutFolder("toy-smoke", { resume: true, force: false, runs });
    expect(folder).toBe(join(runs, "toy-smoke-20261122-010203"));
    await expect(chooseOutFolder("toy-laptop", { resume: true, force: false, runs })).rejects.toThrow(
      /nothing to resume: there is no folder ".*toy-laptop-\.\.\."/,
    );
  });

  it("refuses to resume an empty folder, and to do two things at once", async () => {
    const out = await temporaryFolder();
    await expect(chooseOutFolder("toy", { out, resume: true, force: false })).rejects.toThrow(StriateError);
    await expect(chooseOutFolder("toy", { out, resume: true, force: true })).rejects.toThrow(
      "exclude each other",
    );
  });

  it("sets the old run aside with force, and deletes nothing", async () => {
    const runs = await temporaryFolder();
    const out = join(runs, "mine");
    await mkdir(out);
    await writeFile(join(out, "config.json"), "{}");
    expect(await chooseOutFolder("toy", { out: `${out}/`, resume: false, force: true, date })).toBe(
      `${out}/`,
    );
    expect(await readdir(runs)).toEqual(["mine.before-20261122-010203"]);
    expect(await readdir(join(runs, "mine.before-20261122-010203"))).toEqual(["config.json"]);
  });

  it("names the place that is no folder", async () => {
    const out = join(await temporaryFolder(), "file");
    await writeFile(out, "");
    await expect(chooseOutFolder("toy", { out, resume: true, force: false })).rejects.toThrow(
      /Could not read the folder ".*file"/,
    );
  });
});
