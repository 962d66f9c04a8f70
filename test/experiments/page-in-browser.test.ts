import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { meanPhases, phaseColour, TWO_HUE_CYCLE, UNIFORM_CYCLE } from "../../src/draw/index.js";
import type { CyclicMap } from "../../src/draw/index.js";
import { overlappingDigitsPage } from "../../src/experiments/overlapping-digits/page.js";
import { sampleReport } from "./digits-sample.js";

const executablePath = [
  process.env.CHROMIUM_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== undefined && existsSync(path));
if (!executablePath) console.log("skipped: no Chromium found (set CHROMIUM_PATH) to open report pages in");

describe.skipIf(!executablePath)("report page in a browser", () => {
  const report = sampleReport();
  const folder = mkdtempSync(join(tmpdir(), "striate-report-"));
  const file = join(folder, "report.html");
  const complaints: string[] = [];
  let browser: Browser;

  beforeAll(async () => {
    writeFileSync(file, await overlappingDigitsPage(report));
    const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
    browser = await chromium.launch({ executablePath: executablePath!, args });
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  async function open(
    options: { width?: number; motion?: "reduce" | "no-preference"; scripts?: boolean } = {},
  ): Promise<Page> {
    const context = await browser.newContext({
      viewport: { width: options.width ?? 1200, height: 900 },
      reducedMotion: options.motion ?? "reduce",
      javaScriptEnabled: options.scripts ?? true,
    });
    const page = await context.newPage();
    page.on("console", (message) => {
      // This advice is about the reading back that only the test does.
      if (!message.text().includes("willReadFrequently")) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!/^(file|data):/.test(request.url())) complaints.push(request.url());
    });
    await page.goto(pathToFileURL(file).href);
    return page;
  }

  const player = (page: Page) => page.locator("[data-player]").first();

  /** Colour and opacity that the first map of the first player must show at `t` (from 0). */
  function expected(t: number, pixel: number, map: CyclicMap): number[] {
    const picture = report.phasePictures[0]!;
    const { channels, timesteps, amplitudes } = picture.phases[0]!;
    const planes = timesteps.map((phases) => meanPhases({ ...picture, channels, phases, amplitudes }));
    const maximum = Math.max(...planes[0]!.amplitude);
    return [
      ...phaseColour(map, planes[t]!.phase[pixel]!),
      Math.round((255 * planes[t]!.amplitude[pixel]!) / maximum),
    ];
  }

  function drawn(page: Page, pixel: number): Promise<number[]> {
    return player(page)
      .locator("canvas")
      .first()
      .evaluate((canvas, p) => {
        const { data } = (canvas as HTMLCanvasElement)
          .getContext("2d")!
          .getImageData(p % 32, Math.floor(p / 32), 1, 1);
        return Array.from(data);
      }, pixel);
  }

  it.each([360, 1200])("fits a screen of %i pixels without sideways scrolling", async (width) => {
    const page = await open({ width });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    const shown = await page.locator(".chart .narrow:visible").count();
    expect(shown > 0).toBe(width === 360);
    await page.context().close();
  });

  it("draws the phases of the chosen timestep, in the chosen palette", async () => {
    const page = await open();
    const amplitudes = meanPhases({
      ...report.phasePictures[0]!,
      ...report.phasePictures[0]!.phases[0]!,
      phases: report.phasePictures[0]!.phases[0]!.timesteps[0]!,
    }).amplitude;
    const pixel = amplitudes.indexOf(Math.max(...amplitudes));
    expect(await drawn(page, pixel)).toEqual(expected(11, pixel, UNIFORM_CYCLE));
    await player(page).locator("input[type=range]").fill("3");
    expect(await drawn(page, pixel)).toEqual(expected(2, pixel, UNIFORM_CYCLE));
    expect(await player(page).locator("output").textContent()).toBe("timestep 3 of 12");
    expect(await player(page).locator("td.now").count()).toBe(3);
    const strip = player(page).locator(".strip img").first();
    const before = await strip.getAttribute("src");
    await page.getByLabel("colour-blind safe").check();
    expect(await drawn(page, pixel)).toEqual(expected(2, pixel, TWO_HUE_CYCLE));
    expect(await strip.getAttribute("src")).not.toBe(before);
    expect(await page.locator(".wheel-uniform").isVisible()).toBe(false);
    expect(await page.locator(".wheel-two-hue").isVisible()).toBe(true);
    await page.context().close();
  });

  it("is worked by keyboard", async () => {
    const page = await open();
    const slider = player(page).locator("input[type=range]");
    await slider.focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    expect(await slider.getAttribute("aria-valuetext")).toBe("timestep 2 of 12");
    await player(page).getByRole("button").focus();
    await page.keyboard.press("Enter");
    expect(await player(page).getByRole("button").textContent()).toBe("Pause");
    await page.waitForFunction(
      () => document.querySelector("[data-player] output")?.textContent === "timestep 4 of 12",
    );
    await page.keyboard.press("Enter");
    expect(await player(page).getByRole("button").textContent()).toBe("Play");
    await page.context().close();
  });

  it("tells phase and amplitude under the pointer", async () => {
    const page = await open();
    const canvas = player(page).locator("canvas").first();
    await canvas.scrollIntoViewIfNeeded();
    const box = (await canvas.boundingBox())!;
    const pixel = report.phasePictures[0]!.masks[0]!;
    const inside = Array.from(pixel).findIndex((value) => value >= 1);
    await canvas.hover({
      position: {
        x: ((inside % 32) + 0.5) * (box.width / 32),
        y: (Math.floor(inside / 32) + 0.5) * (box.height / 32),
      },
    });
    expect(await player(page).locator(".readout").textContent()).toMatch(
      new RegExp(
        `^KomplexNet, column ${inside % 32}, row ${Math.floor(inside / 32)}: phase [+−][01]\\.\\d\\d π, amplitude \\d\\.\\d\\d$`,
      ),
    );
    await page.context().close();
  });

  it("plays by itself when seen, but not against the reader's wish", async () => {
    const still = await open({ motion: "reduce" });
    await player(still).scrollIntoViewIfNeeded();
    await still.waitForTimeout(900);
    expect(await player(still).locator("output").textContent()).toBe("timestep 12 of 12");
    await still.context().close();
    const moving = await open({ motion: "no-preference" });
    await player(moving).locator(".panels").scrollIntoViewIfNeeded();
    await moving.waitForFunction(
      () => document.querySelector("[data-player] output")?.textContent === "timestep 2 of 12",
    );
    await moving.context().close();
  });

  it("shows the images without scripts too", async () => {
    const page = await open({ scripts: false });
    expect(await page.locator(".controls:visible").count()).toBe(0);
    expect(await page.locator(".panel img:visible").count()).toBe(3 * 5);
    expect(await page.locator(".panel .polar svg:visible").count()).toBe(3 * 3);
    await page.context().close();
  });

  it("never complains and never calls out", () => {
    expect(complaints).toEqual([]);
  });
});
