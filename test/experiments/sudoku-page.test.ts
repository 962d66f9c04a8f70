import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { describe, expect, it } from "vitest";
import { sudokuFindings, sudokuPage } from "../../src/experiments/sudoku/page.js";
import { stripSteps, sudokuPlayer } from "../../src/experiments/sudoku/player.js";
import { judgeGain } from "../../src/experiments/sudoku/results.js";
import { meanAndSpread } from "../../src/report/over-seeds.js";
import { sudokuSample } from "./sudoku-sample.js";

describe("what the boards say", () => {
  it("is said only if the 95 % interval over seeds and boards leaves out 0", () => {
    const gains = (means: readonly number[], standardError: number) =>
      means.map((mean) => ({ mean, standardError }));
    expect(judgeGain(gains([0.1, 0.11, 0.12], 0.04)).status).toBe("holds");
    expect(judgeGain(gains([0.1, 0.11, 0.12], 0.06)).status).toBe("undecided");
    expect(judgeGain(gains([-0.1, -0.11, -0.12], 0.01)).status).toBe("reversed");
    expect(judgeGain(gains([0, 0, 0], 0)).status).toBe("undecided");
    // One seed cannot show how much seeds differ.
    expect(judgeGain(gains([0.1], 0.01)).status).toBe("undecided");
    // Two seeds: standard error 0.1, one degree of freedom.
    expect(judgeGain(gains([0.29, 0.09], 0))).toMatchObject({
      status: "undecided",
      margin: expect.closeTo(1.27062, 4) as number,
    });
    expect(meanAndSpread([1, 3])).toEqual({ mean: 2, spread: Math.SQRT2 });
    expect(meanAndSpread([4])).toEqual({ mean: 4, spread: undefined });
  });

  it("is listed for every set, at the T of the paper", () => {
    const list = sudokuFindings(sudokuSample());
    expect(list.map(({ question, status }) => [question, status])).toEqual([
      ["AKOrN, ID: 128 timesteps instead of 16", "holds"],
      ["AKOrN, ID: the vote of 100 draws after 128 timesteps instead of one draw", "undecided"],
      ["AKOrN, OOD: 128 timesteps instead of 16", "holds"],
      ["AKOrN, OOD: the vote of 100 draws after 128 timesteps instead of one draw", "holds"],
    ]);
    expect(list[2]!.sentence).toBe("+31.0 ± 5.9 points of boards solved.");
    expect(list[3]!.sentence).toContain("lower sum of energies in 87.0 % of the pairs");
    expect(list[1]!.sentence).toContain("No board got both");
  });
});

describe("the player", () => {
  it("shows steps that double, and the last", () => {
    expect(stripSteps(1)).toEqual([1]);
    expect(stripSteps(8)).toEqual([1, 2, 4, 8]);
    expect(stripSteps(24)).toEqual([1, 2, 4, 8, 16, 24]);
  });

  it("refuses what is no board", () => {
    const [solution] = sudokuSample().solutions;
    expect(() => sudokuPlayer({ ...solution!, steps: [] })).toThrow(/at least one step, got none/);
    expect(() => sudokuPlayer({ ...solution!, puzzle: [1, 2] })).toThrow(/boards of 81 cells, got 2/);
  });

  it("draws given digits bold and wrong ones struck through, and tells how many are right", () => {
    const [solved, unsolved] = sudokuSample().solutions.map((one) => sudokuPlayer(one).text);
    expect(solved!.match(/font-weight="700"/g)).toHaveLength(31);
    expect(solved).not.toContain('class="strike"');
    expect(solved).toContain("50 of 50 blank cells right: solved");
    expect(unsolved).toContain('class="strike"');
  });
});

describe("the page", () => {
  it("has every section, the paper's numbers beside ours, and no request to the network", async () => {
    const page = await sudokuPage(sudokuSample());
    for (const id of ["summary", "solutions", "steps", "voting", "paper", "learning", "provenance"])
      expect(page).toContain(`<section id="${id}"`);
    expect(page).toContain("81.6 ± 1.5");
    expect(page).toContain(
      "More timesteps than in training help. Votes by energy help in 1 of 2 comparisons.",
    );
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
    expect(page.length).toBeLessThan(2e6);
  });

  it("refuses results of networks that it does not list", async () => {
    const sample = sudokuSample();
    await expect(sudokuPage({ ...sample, models: sample.models.slice(0, 1) })).rejects.toThrow(
      /expected one of akorn, got "transformer"/,
    );
  });
});

const executablePath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium"].find(
  (path) => path !== undefined && existsSync(path),
);
if (!executablePath) console.log("skipped: no Chromium found (set CHROMIUM_PATH) to play boards in");

describe.skipIf(!executablePath)("a board in a browser", () => {
  it("plays from step to step", async () => {
    const folder = mkdtempSync(join(tmpdir(), "striate-sudoku-"));
    const file = join(folder, "report.html");
    writeFileSync(file, await sudokuPage(sudokuSample()));
    const browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox"] });
    try {
      const complaints: string[] = [];
      const context = await browser.newContext({ reducedMotion: "reduce" });
      const tab = await context.newPage();
      tab.on("pageerror", (error) => complaints.push(error.message));
      await tab.goto(pathToFileURL(file).href);
      const player = tab.locator("[data-sudoku]").first();
      await player.locator("input").fill("1");
      expect(await player.locator(".readout").textContent()).toMatch(/^Step 1: \d+ of 50 blank cells right/);
      const digits = () => player.locator("[class^=cell-]").allTextContents();
      const first = await digits();
      await player.locator("input").fill("24");
      const last = await digits();
      const { puzzle, solution } = sudokuSample().solutions[0]!;
      expect(last.map(Number)).toEqual(solution.filter((_, cell) => puzzle[cell] === 0));
      expect(first).not.toEqual(last);
      await player.locator("button").click();
      await tab.waitForFunction(
        () => document.querySelector("[data-sudoku] input")!.getAttribute("value") !== "",
      );
      await tab.waitForTimeout(500);
      expect(await player.locator("output").textContent()).toMatch(/^step \d of 24/);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      rmSync(folder, { recursive: true });
    }
  });
});
