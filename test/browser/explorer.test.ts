import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LIMIT, needsChromium, openPage, serveFolder } from "./chromium.js";

const config = fileURLToPath(new URL("../../explorer/vite.config.ts", import.meta.url));
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let site: string;

beforeEach(needsChromium);

beforeAll(async () => {
  site = await mkdtemp(join(tmpdir(), "striate-explorer-"));
  await build({ configFile: config, logLevel: "error", build: { outDir: site, emptyOutDir: true } });
});

afterAll(() => rm(site, { recursive: true, force: true }));

/** Waits for the networks, and until all timesteps of the run are computed. */
async function networksReady(page: Page): Promise<void> {
  await page.waitForFunction(() => (document.querySelector(".facts")?.textContent ?? "").includes(" ms "));
}

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
    const { page, problems } = await openPage(await serveFolder(site));
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
    await page.goto(await serveFolder(site));
    const recorded = [await phasesAt(page, 2), await phasesAt(page, 9)];
    expect(recorded[0]).not.toBe(recorded[1]);
    release();
    await networksReady(page);
    expect(await page.locator('canvas[aria-label="Phases, timestep 9"]').count()).toBe(1);
  });

  it("keeps its state in the address, which survives a reload", async () => {
    const { page } = await openPage(await serveFolder(site));
    await networksReady(page);
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

  it("answers with the digits that it is shown, and says so in words", async () => {
    const { page } = await openPage(await serveFolder(site));
    await networksReady(page);
    await phasesAt(page, 12);
    await page
      .locator('canvas[aria-label*="KomplexNet 7, 3"], canvas[aria-label*="KomplexNet 3, 7"]')
      .waitFor();
  });

  it("says which parts of an address it does not know", async () => {
    const { page } = await openPage(`${await serveFolder(site)}#seed=2&size=9&rate=7`);
    await page.getByText("ignored: size, rate").waitFor();
    expect(await page.evaluate(() => location.hash)).toBe("#seed=2");
  });

  it("says what is wrong if the weights cannot be fetched", async () => {
    const { page } = await openPage("about:blank");
    await page.route("**/*.safetensors", (route) => route.fulfill({ status: 404 }));
    await page.goto(await serveFolder(site));
    const alert = await page.getByRole("alert").textContent();
    expect(alert).toMatch(/expected the weights of komplexnet-digits2, the server answered 404/);
  });

  it("can be used by everybody, as far as axe-core can tell, also on a small screen", async () => {
    const { page } = await openPage(await serveFolder(site));
    await networksReady(page);
    for (const size of [
      { width: 1200, height: 900 },
      { width: 360, height: 740 },
    ]) {
      await page.setViewportSize(size);
      await page.addScriptTag({ path: axe });
      const found = await page.evaluate(
        "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))",
      );
      expect(found).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    }
  });

  it("works without a network after the first visit", async () => {
    const url = await serveFolder(site);
    const { page } = await openPage(url);
    await networksReady(page);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await page.waitForFunction(async () => (await caches.keys()).length === 1);
    await page.context().setOffline(true);
    await page.reload();
    await networksReady(page);
  });

  it("is small", async () => {
    const sizes = new Map(
      await Promise.all(
        (await readdir(join(site, "assets"))).map(
          async (name) => [name, gzipSync(await readFile(join(site, "assets", name))).length] as const,
        ),
      ),
    );
    const total = (pattern: RegExp) =>
      [...sizes].filter(([name]) => pattern.test(name)).reduce((sum, [, bytes]) => sum + bytes, 0);
    const page = total(/^(index|lab).*\.(js|css)$/);
    const first = page + total(/safetensors$|^ort-wasm-simd-threaded-[^.]*\.wasm$|^ort\.wasm.*\.js$/);
    console.log(
      `explorer: page ${Math.round(page / 1000)} kB gzip, first view ${(first / 1e6).toFixed(2)} MB`,
    );
    expect(page).toBeLessThan(150_000);
    expect(first).toBeLessThan(5_700_000);
  });
});
