import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { View } from "../../explorer/src/address.js";
import { LIMIT, openPage } from "./chromium.js";
import { testAkorn } from "./explorer/akorn.js";
import { testOwnNetwork } from "./explorer/own-network.js";
import { testPredify } from "./explorer/predify.js";
import {
  expectAccessible,
  networksReady,
  sharedView,
  showView,
  site,
  url,
  useSite,
} from "./explorer/site.js";
import { testSudoku } from "./explorer/sudoku.js";
import { testV1 } from "./explorer/v1.js";

useSite();

/** The pixels of the map of phases at a timestep, as text. */
async function phasesAt(page: Page, timestep: number): Promise<string> {
  // Timesteps that are not computed yet cannot be shown.
  await expect
    .poll(
      async () => {
        await page.locator(".time input").fill(String(timestep));
        return page.locator(`canvas[aria-label="Phases, timestep ${timestep}"]`).count();
      },
      { timeout: LIMIT },
    )
    .toBe(1);
  return page
    .locator('canvas[aria-label^="Phases"]')
    .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
}

describe("the explorer", () => {
  it("moves by itself, and each timestep shows other phases", async () => {
    const { page, problems } = await openPage(url, { serviceWorker: true });
    await networksReady(page);
    await page.waitForFunction(() =>
      /timestep ([3-9]|1\d) /.test(document.querySelector(".time span")?.textContent ?? ""),
    );
    const pictures = [await phasesAt(page, 1), await phasesAt(page, 3), await phasesAt(page, 1)];
    expect(pictures[0]).not.toBe(pictures[1]);
    expect(pictures[2]).toBe(pictures[0]);
    expect(problems).toEqual([]);
  });

  it("plays a recorded run before the networks are there, which then take over without a break", async () => {
    const { page } = await openPage("about:blank");
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route("**/*.safetensors", async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(url);
    const recorded = [await phasesAt(page, 2), await phasesAt(page, 9)];
    expect(recorded[0]).not.toBe(recorded[1]);
    release();
    await networksReady(page);
    expect(await page.locator('canvas[aria-label="Phases, timestep 9"]').count()).toBe(1);
  });

  it("answers with the digits that it is shown, and says so in words", async () => {
    const page = await showView("komplexnet");
    await phasesAt(page, 12);
    await page
      .locator('canvas[aria-label*="KomplexNet 7, 3"], canvas[aria-label*="KomplexNet 3, 7"]')
      .waitFor();
  });

  it("keeps its state in the address, which survives a reload", async () => {
    const page = await showView("komplexnet");
    await page.getByRole("button", { name: /^digit 3/ }).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("r");
    await page.getByLabel("repulsion (ε)").fill("0.5");
    await expect
      .poll(() => page.evaluate(() => location.hash))
      .toBe("#digits=32@16,25,15;71@35,25,0&repulsion=0.5");
    await page.reload();
    await networksReady(page);
    expect(await page.getByLabel("repulsion (ε)").inputValue()).toBe("0.5");
    expect(await page.getByRole("button", { name: "digit 3, 16, 25" }).count()).toBe(1);
  });

  it("says which parts of an address it does not know", async () => {
    const { page } = await openPage(`${url}#seed=2&size=9&rate=7`);
    await page.getByText("ignored: size, rate").waitFor();
    expect(await page.evaluate(() => location.hash)).toBe("#seed=2");
  });

  it("says what is wrong if the weights cannot be fetched", async () => {
    const { page } = await openPage("about:blank");
    await page.route("**/*.safetensors", (route) => route.fulfill({ status: 404 }));
    await page.goto(url);
    const alert = await page.getByRole("alert").textContent();
    expect(alert).toMatch(/expected the weights of komplexnet-digits2, got status 404 from the server/);
  });

  it("saves the figures as pictures, and the numbers of the run as a table", async () => {
    const page = await showView("komplexnet");
    await phasesAt(page, 12);
    const list = page.getByLabel("Save…");
    await list.focus();
    const saved = async (what: string): Promise<Buffer> => {
      const [file] = await Promise.all([page.waitForEvent("download"), list.selectOption(what)]);
      return readFile(await file.path());
    };
    const png = await saved("Phases (PNG)");
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(png.length).toBeGreaterThan(2000);
    const lines = (await saved("Numbers shown (CSV)")).toString().trim().split("\r\n");
    expect(lines[0]).toMatch(/^timestep,kuramoto_0,.*,random_9$/);
    expect(lines).toHaveLength(13);
    expect(lines[12]!.split(",").map(Number)).toHaveLength(31);
    expect(lines.slice(1).join()).not.toContain("NaN");
  });

  it("saves a chart as a drawing, and its lines as a table", async () => {
    const page = await showView("akorn");
    const list = page.getByLabel("Save…");
    await list.focus();
    const saved = async (what: string): Promise<string> => {
      const [file] = await Promise.all([page.waitForEvent("download"), list.selectOption(what)]);
      return readFile(await file.path(), "utf8");
    };
    const drawing = await saved("Agreement with the pieces (SVG)");
    const table = (await saved("Agreement with the pieces (CSV)")).trim().split("\r\n");
    expect(table[0]).toBe("index,Agreement with the pieces");
    expect(table).toHaveLength(14);
    // The browser can read the drawing, whose thick line has a point for each value.
    const path = await page.evaluate((text) => {
      const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
      return parsed.querySelector('path[stroke-width="2"]')?.getAttribute("d") ?? "";
    }, drawing);
    expect(path.match(/[MLhv]/g)).toHaveLength(13);
    await expect(list.selectOption("The picture (SVG)", { timeout: 500 })).rejects.toThrow();
  });

  it("gives a lesson, whose steps set the view", async () => {
    const page = await showView("komplexnet", "noise=0.3");
    await page.getByText(/^Lesson:/).click();
    await page.getByRole("button", { name: "Show step 2" }).click();
    await expect.poll(() => page.evaluate(() => location.hash)).toBe("#rate=0");
    await phasesAt(page, 12);
    await page.locator('canvas[aria-label^="Synchrony over time: 0.0"]').first().waitFor();
  });

  it("can be used by everybody, as far as axe-core can tell, also on a small screen", async () => {
    const page = await showView("komplexnet");
    await expectAccessible(page, 360);
  });

  it("works without a network after the first visit, the other views too", async () => {
    const { page } = await openPage(url, { serviceWorker: true });
    await networksReady(page);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await page.waitForFunction(async () => (await caches.keys()).length === 1);
    await page.context().setOffline(true);
    await page.getByRole("link", { name: "V1" }).click();
    await page.getByRole("radio").first().waitFor();
    await networksReady(page);
    await page.goto(url);
    await networksReady(page);
  });

  it("is small, and does not load the code of the other views", async () => {
    const first = await filesLoadedBy("komplexnet");
    expect([...first.keys()].filter((name) => /v1-lab|akorn|sudoku|predify|page-/.test(name))).toEqual([]);
    const isRuntime = (name: string) => name.startsWith("ort");
    const isCode = (name: string) => /\.(js|css)$/.test(name) && !isRuntime(name);
    const total = (files: ReadonlyMap<string, number>, counts: (name: string) => boolean) =>
      [...files].filter(([name]) => counts(name)).reduce((sum, [, bytes]) => sum + bytes, 0);
    const shared = total(first, (name) => isCode(name) && name.startsWith("index"));
    const code = total(first, isCode);
    const everything = total(first, () => true);
    const kilobytes = (bytes: number) => Math.round(bytes / 1000);
    console.log(
      `explorer: page ${kilobytes(code)} kB gzip, first view ${(everything / 1e6).toFixed(2)} MB, of which ` +
        `${kilobytes(shared)} kB are for all views`,
    );
    const most = { akorn: 120, sudoku: 115, predify: 190, v1: 90 };
    for (const view of ["akorn", "sudoku", "predify", "v1"] as const) {
      const adds = kilobytes(total(await filesLoadedBy(view), isCode) - shared);
      console.log(`explorer: ${view} adds ${adds} kB`);
      expect(adds, view).toBeLessThan(most[view]);
    }
    expect(code).toBeLessThan(120_000);
    expect(shared).toBeLessThan(35_000);
    expect(everything).toBeLessThan(5_700_000);
  });
});

/** The files that a view loads until its networks are ready, with their sizes after gzip in bytes. */
async function filesLoadedBy(view: View): Promise<ReadonlyMap<string, number>> {
  const { loaded } = await sharedView(view);
  return new Map(
    await Promise.all(
      loaded.map(
        async (name) => [name, gzipSync(await readFile(join(site, "assets", name))).length] as const,
      ),
    ),
  );
}

testAkorn();
testSudoku();
testPredify();
testOwnNetwork();
testV1();
