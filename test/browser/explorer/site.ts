import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { needsChromium, openPage, serveFolder } from "../chromium.js";

const config = fileURLToPath(new URL("../../../explorer/vite.config.ts", import.meta.url));
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Folder of the built site. */
export let site: string;

/** Builds the site before all tests of a file. */
export function useSite(): void {
  beforeEach(needsChromium);
  beforeAll(async () => {
    site = await mkdtemp(join(tmpdir(), "striate-explorer-"));
    await build({ configFile: config, logLevel: "error", build: { outDir: site, emptyOutDir: true } });
  });
  afterAll(() => rm(site, { recursive: true, force: true }));
}

/** Waits for the networks, and until all timesteps of the run are computed. */
export async function networksReady(page: Page): Promise<void> {
  await page.waitForFunction(() => (document.querySelector(".facts")?.textContent ?? "").includes(" ms "));
}

/** Opens a view with a state, and waits for its first results. */
export async function openView(view: string, state = ""): Promise<Page> {
  // V1 would stop its drift, which is a part of its state.
  const { page } = await openPage(`${await serveFolder(site)}?view=${view}#${state}`, {
    still: view !== "v1",
  });
  await networksReady(page);
  return page;
}

/** Opens all that is folded; what axe-core finds, and whether the page fits, on a wide and on a narrow screen. */
export async function expectAccessible(page: Page, narrow: number): Promise<void> {
  for (const summary of await page.locator("summary:visible").all()) await summary.click();
  for (const size of [
    { width: 1200, height: 900 },
    { width: narrow, height: 740 },
  ]) {
    await page.setViewportSize(size);
    await page.addScriptTag({ path: axe });
    const found = await page.evaluate(
      "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))",
    );
    expect(found).toEqual([]);
    await expect
      .poll(() => page.evaluate(() => document.documentElement.scrollWidth - innerWidth), { timeout: 30_000 })
      .toBeLessThanOrEqual(0);
  }
}

/** Stops the clock at a frame, and waits until the run that is wanted is shown. */
export async function stopAt(page: Page, frame: number): Promise<void> {
  await page.locator('.figures[aria-busy="false"]').waitFor();
  await page.locator(".time input").fill(String(frame));
}

export const pixelsOf = (page: Page, label: string): Promise<string> =>
  page
    .locator(`canvas[aria-label^="${label}"]`)
    .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
