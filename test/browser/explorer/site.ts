import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, beforeEach, expect, onTestFailed } from "vitest";
import type { View } from "../../../explorer/src/address.js";
import { needsChromium, openLastingPage, serveLasting } from "../chromium.js";

const config = fileURLToPath(new URL("../../../explorer/vite.config.ts", import.meta.url));
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Folder of the built site. */
export let site: string;
/** Address of the site. */
export let url: string;
let close: (() => void) | undefined;

/** Builds the site before all tests of a file, and serves it. */
export function useSite(): void {
  beforeEach(needsChromium);
  beforeAll(async () => {
    site = await mkdtemp(join(tmpdir(), "striate-explorer-"));
    await build({ configFile: config, logLevel: "error", build: { outDir: site, emptyOutDir: true } });
    ({ url, close } = await serveLasting(site));
  });
  afterAll(async () => {
    close?.();
    await rm(site, { recursive: true, force: true });
  });
}

/** Waits for the networks, and until all timesteps of the run are computed. */
export async function networksReady(page: Page): Promise<void> {
  await page.waitForFunction(() => (document.querySelector(".facts")?.textContent ?? "").includes(" ms "));
}

interface OpenedView {
  readonly page: Page;
  /** Names of the assets that the page had loaded when its networks were ready. */
  readonly loaded: readonly string[];
}

/** The page of each view that tests share: its networks take seconds to load. */
const views = new Map<View, Promise<OpenedView>>();

/** The shared page of a view, whatever it shows. */
export function sharedView(view: View): Promise<OpenedView> {
  let opened = views.get(view);
  if (opened === undefined) {
    opened = openShared(view);
    views.set(view, opened);
  }
  // What a failed test, or a failed start, left behind must not make others fail.
  onTestFailed(async () => {
    views.delete(view);
    await (await opened).page.context().close();
  });
  return opened;
}

async function openShared(view: View): Promise<OpenedView> {
  // V1 writes into its address that it does not drift if little motion is asked for, and tests compare addresses.
  const { page } = await openLastingPage("about:blank", { still: view !== "v1" });
  const loaded = new Set<string>();
  page.on("request", (request) => loaded.add(new URL(request.url()).pathname));
  await page.goto(`${url}${view === "komplexnet" ? "" : `?view=${view}`}${view === "v1" ? "#drift=0" : ""}`);
  await networksReady(page);
  const assets = [...loaded].filter((path) => path.startsWith("/assets/")).map((path) => path.slice(8));
  return { page, loaded: assets };
}

/** Shows a state, which is the part of an address after "#", on the shared page of a view, and waits for its results. */
export async function showView(view: View, state = ""): Promise<Page> {
  const { page } = await sharedView(view);
  await page.setViewportSize({ width: 1280, height: 720 });
  await page.evaluate(async (wanted) => {
    for (const open of document.querySelectorAll("details[open]")) open.removeAttribute("open");
    scrollTo(0, 0);
    if (location.hash.replace(/^#/, "") !== wanted) {
      const changed = new Promise((done) => {
        addEventListener("hashchange", done, { once: true });
      });
      location.hash = wanted;
      await changed;
    }
    // A change of the state is seen with the next frame.
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }, state);
  await page.waitForFunction(() => document.querySelector('[aria-busy="true"]') === null);
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
