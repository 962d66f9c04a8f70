import { mkdtemp, readFile, rm } from "node:fs/promises";
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

/** What axe-core finds, and whether the page fits, on a wide and on a narrow screen. */
async function expectAccessible(page: Page, narrow: number): Promise<void> {
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
    expect(alert).toMatch(/expected the weights of komplexnet-digits2, got status 404 from the server/);
  });

  it("can be used by everybody, as far as axe-core can tell, also on a small screen", async () => {
    const { page } = await openPage(await serveFolder(site));
    await networksReady(page);
    await expectAccessible(page, 360);
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

  it("is small, and does not load the code of the other views", async () => {
    const url = await serveFolder(site);
    const [first, akorn, v1] = [
      await filesLoadedBy(url),
      await filesLoadedBy(`${url}?view=akorn`),
      await filesLoadedBy(`${url}?view=v1`),
    ];
    expect([...first.keys()].filter((name) => /v1-lab|akorn|page-/.test(name))).toEqual([]);
    const isRuntime = (name: string) => name.startsWith("ort");
    const isCode = (name: string) => /\.(js|css)$/.test(name) && !isRuntime(name);
    const total = (files: ReadonlyMap<string, number>, counts: (name: string) => boolean) =>
      [...files].filter(([name]) => counts(name)).reduce((sum, [, bytes]) => sum + bytes, 0);
    const shared = total(first, (name) => isCode(name) && name.startsWith("index"));
    const code = total(first, isCode);
    const everything = total(first, () => true);
    const [akornAdds, v1Adds] = [total(akorn, isCode) - shared, total(v1, isCode) - shared];
    const kilobytes = (bytes: number) => Math.round(bytes / 1000);
    console.log(
      `explorer: page ${kilobytes(code)} kB gzip, first view ${(everything / 1e6).toFixed(2)} MB, of which ` +
        `${kilobytes(shared)} kB are for all views; V1 adds ${kilobytes(v1Adds)} kB, AKOrN ${kilobytes(akornAdds)} kB`,
    );
    expect(code).toBeLessThan(150_000);
    expect(shared).toBeLessThan(35_000);
    expect(v1Adds).toBeLessThan(75_000);
    expect(akornAdds).toBeLessThan(150_000);
    expect(everything).toBeLessThan(5_700_000);
  });
});

/** The files that a view loads until its networks are ready, with their sizes after gzip in bytes. */
async function filesLoadedBy(url: string): Promise<ReadonlyMap<string, number>> {
  const { page } = await openPage("about:blank");
  const loaded = new Set<string>();
  page.on("request", (request) => loaded.add(new URL(request.url()).pathname));
  await page.goto(url);
  await networksReady(page);
  // The service worker, which fetches every file, does so later and not for this page.
  const assets = [...loaded].filter((path) => path.startsWith("/assets/")).map((path) => path.slice(8));
  return new Map(
    await Promise.all(
      assets.map(
        async (name) => [name, gzipSync(await readFile(join(site, "assets", name))).length] as const,
      ),
    ),
  );
}

/** Opens the view of V1 with a state, and waits for its first responses. */
async function openV1(state = ""): Promise<Page> {
  const { page } = await openPage(`${await serveFolder(site)}?view=v1#${state}`);
  await networksReady(page);
  return page;
}

/** The response of the chosen cell to the stimulus that is shown, which must not drift. */
async function responseOf(page: Page): Promise<number> {
  // A change of the stimulus is seen with the next frame.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.locator('.columns[aria-busy="false"]').waitFor();
  return Number(await page.locator(".response output").textContent());
}

/** Chooses a cell and shows the grating that it prefers. */
async function showPreferred(page: Page, cell: number): Promise<void> {
  await page.getByRole("radio", { name: new RegExp(`^cell ${cell},`) }).click();
  await page.getByRole("button", { name: "Show what the chosen cell prefers" }).click();
}

/** The responses of the chosen cell to its preferred grating in eight phases. */
async function responsesToPhases(page: Page): Promise<readonly number[]> {
  const responses: number[] = [];
  for (const phase of [0, 45, 90, 135, 180, 225, 270, 315]) {
    await page.getByLabel("phase in degrees").fill(String(phase));
    responses.push(await responseOf(page));
  }
  return responses;
}

const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Cells whose receptive fields are large enough to be tuned, among those that the page draws first. */
const [SIMPLE, COMPLEX] = [
  [13, 27],
  [42, 61],
] as const;

describe("the view of V1", () => {
  it("opens by a link, and the stripes drift by themselves", async () => {
    const { page, problems } = await openPage(await serveFolder(site));
    await networksReady(page);
    await page.getByRole("link", { name: "V1" }).click();
    await networksReady(page);
    expect(await page.getByRole("link", { name: "V1" }).getAttribute("aria-current")).toBe("page");
    expect(await page.getByRole("radio").count()).toBe(64);
    const phase = page.getByLabel("phase in degrees");
    const before = await phase.inputValue();
    await expect.poll(() => phase.inputValue(), { timeout: LIMIT }).not.toBe(before);
    expect(problems).toEqual([]);
  });

  it("shows cells that prefer one orientation over the one at right angles", async () => {
    const page = await openV1("drift=0");
    for (const cell of [...SIMPLE, ...COMPLEX]) {
      await showPreferred(page, cell);
      const preferred = await responseOf(page);
      await page.getByRole("button", { name: "Turn by 90°" }).click();
      expect(await responseOf(page), `cell ${cell}`).toBeLessThan(0.3 * preferred);
    }
  });

  it("shows simple cells that follow the phase, and complex cells that do not", async () => {
    const page = await openV1("drift=0");
    const changeOf = async (cell: number): Promise<number> => {
      await showPreferred(page, cell);
      const responses = await responsesToPhases(page);
      return (Math.max(...responses) - Math.min(...responses)) / average(responses);
    };
    for (const cell of SIMPLE) expect(await changeOf(cell), `cell ${cell}`).toBeGreaterThan(2);
    for (const cell of COMPLEX) expect(await changeOf(cell), `cell ${cell}`).toBeLessThan(0.2);
  });

  it("keeps its state in the address, which survives a reload", async () => {
    const page = await openV1("drift=0&stimulus=bar");
    await page.getByRole("button", { name: /^Move the stimulus/ }).focus();
    await page.keyboard.press("ArrowRight");
    await page.getByRole("button", { name: /^Turn the stimulus/ }).focus();
    await page.keyboard.press("ArrowUp");
    await page.getByLabel("cells drawn from").selectOption("unif1");
    await page.getByRole("radio", { checked: true }).focus();
    await page.keyboard.press("ArrowLeft");
    const address = await page.evaluate(() => location.search + location.hash);
    expect(address).toMatch(/^\?view=v1#stimulus=bar&orientation=50&drift=0&x=33&variant=unif1&cell=\d+$/);
    const shown = await responseOf(page);
    await page.reload();
    await networksReady(page);
    expect(await page.evaluate(() => location.search + location.hash)).toBe(address);
    expect(await responseOf(page)).toBe(shown);
    await page.getByRole("button", { name: "Move the stimulus, 33, 32" }).waitFor();
  });

  it("moves the bar with the pointer, and the cell under it answers", async () => {
    const page = await openV1("drift=0&stimulus=bar&x=60&y=60&orientation=58&width=0.2&cell=60");
    const away = await responseOf(page);
    const bar = await page.getByRole("button", { name: /^Move the stimulus/ }).boundingBox();
    const picture = await page.getByRole("img", { name: "The picture" }).boundingBox();
    const from = { x: Math.min(bar!.x + 10, picture!.x + picture!.width - 10), y: bar!.y + 10 };
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    const pixel = picture!.width / 64;
    await page.mouse.move(from.x - 28 * pixel, from.y - 28 * pixel, { steps: 5 });
    await page.mouse.up();
    await page.getByRole("button", { name: "Move the stimulus, 32, 32" }).waitFor();
    expect(await responseOf(page)).toBeGreaterThan(away + 1);
  });

  it("says so if the code of the view cannot be fetched", async () => {
    const { page } = await openPage("about:blank");
    await page.route("**/assets/page-*.js", (route) => route.abort());
    await page.goto(`${await serveFolder(site)}?view=v1`);
    expect(await page.getByRole("alert").textContent()).toMatch(/page-/);
  });

  it("adds noise, so that a still picture gives other responses each time", async () => {
    const page = await openV1("drift=0&cell=60");
    const quiet = await responseOf(page);
    expect(await responseOf(page)).toBe(quiet);
    await page.getByLabel("noise of the responses").check();
    const seen = new Set<number>();
    await expect
      .poll(async () => seen.add(await responseOf(page)).size, { timeout: LIMIT })
      .toBeGreaterThan(3);
  });

  it("says which parts of an address it does not know", async () => {
    const { page } = await openPage(`${await serveFolder(site)}?view=v2#seed=2&cell=64`);
    await page.getByText("ignored: view, cell").waitFor();
  });

  it("can be used by everybody, as far as axe-core can tell, also on a small screen", async () => {
    const page = await openV1("drift=0");
    for (const summary of await page.locator("summary").all()) await summary.click();
    await expectAccessible(page, 390);
  });

  it("works without a network after a visit of the other view", async () => {
    const url = await serveFolder(site);
    const { page } = await openPage(url);
    await networksReady(page);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await page.waitForFunction(async () => (await caches.keys()).length === 1);
    await page.context().setOffline(true);
    await page.getByRole("link", { name: "V1" }).click();
    await networksReady(page);
  });
});

/** Opens the view of AKOrN with a state, and waits for its first run. */
async function openAkorn(state = ""): Promise<Page> {
  const { page } = await openPage(`${await serveFolder(site)}?view=akorn#${state}`);
  await networksReady(page);
  return page;
}

/** Stops the clock at a frame, and waits until the run that is wanted is shown. */
async function stopAt(page: Page, frame: number): Promise<void> {
  await page.locator('.figures[aria-busy="false"]').waitFor();
  await page.locator(".time input").fill(String(frame));
}

/** FG-ARI in percent of the frame that is shown. */
const agreementOf = async (page: Page): Promise<number> =>
  parseInt((await page.locator(".response output").first().textContent()) ?? "", 10);

const pixelsOf = (page: Page, label: string): Promise<string> =>
  page
    .locator(`canvas[aria-label^="${label}"]`)
    .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());

describe("the view of AKOrN", () => {
  it("opens by a link, moves by itself, and finds the pieces", async () => {
    const { page, problems } = await openPage(await serveFolder(site));
    await networksReady(page);
    await page.getByRole("link", { name: "AKOrN" }).click();
    await networksReady(page);
    const before = await pixelsOf(page, "Oscillators");
    await expect.poll(() => pixelsOf(page, "Oscillators"), { timeout: LIMIT }).not.toBe(before);
    await stopAt(page, 0);
    expect(await agreementOf(page)).toBeLessThan(30);
    await stopAt(page, 12);
    expect(await agreementOf(page)).toBeGreaterThan(85);
    expect(problems).toEqual([]);
  });

  it("takes pieces of one colour for one object", async () => {
    const page = await openAkorn("speed=10");
    await page.getByRole("button", { name: "All pieces in one colour" }).click();
    await stopAt(page, 12);
    expect(await agreementOf(page)).toBeLessThan(30);
  });

  it("scrambles a place, which heals within a few timesteps", async () => {
    const page = await openAkorn("timesteps=14&scramble=7");
    await stopAt(page, 7);
    const before = await pixelsOf(page, "Oscillators");
    await stopAt(page, 8);
    await page.getByText("timestep 7, just scrambled").waitFor();
    expect(await pixelsOf(page, "Oscillators")).not.toBe(before);
    await stopAt(page, 15);
    expect(await agreementOf(page)).toBeGreaterThan(85);
  });

  it("moves a piece by pointer and keyboard, and keeps its state in the address", async () => {
    const page = await openAkorn();
    await stopAt(page, 12);
    const before = await pixelsOf(page, "Oscillators");
    await page.getByRole("button", { name: /^piece 3/ }).focus();
    await page.keyboard.press("ArrowRight");
    await page.getByRole("button", { name: /^chosen place/ }).focus();
    await page.keyboard.press("ArrowUp");
    const piece = await page.getByRole("button", { name: /^piece 1/ }).boundingBox();
    await page.mouse.move(piece!.x + 5, piece!.y + 5);
    await page.mouse.down();
    await page.mouse.move(piece!.x + 5 + piece!.width / 3, piece!.y + 5, { steps: 4 });
    await page.mouse.up();
    const address = "#pieces=3,0,2,0;9,2,4,2;2,3,2,4&row=10";
    await expect.poll(() => page.evaluate(() => location.hash)).toBe(address);
    await stopAt(page, 12);
    const after = await pixelsOf(page, "Oscillators");
    expect(after).not.toBe(before);
    await page.reload();
    await networksReady(page);
    await stopAt(page, 12);
    expect(await page.evaluate(() => location.hash)).toBe(address);
    expect(await pixelsOf(page, "Oscillators")).toBe(after);
  });

  it("says which parts of an address it does not know", async () => {
    const { page } = await openPage(`${await serveFolder(site)}?view=akorn#pieces=99,0,0,0&rate=9&seed=2`);
    await page.getByText("ignored: pieces, rate").waitFor();
  });

  it("can be used by everybody, as far as axe-core can tell, also on a small screen", async () => {
    const page = await openAkorn();
    for (const summary of await page.locator("summary").all()) await summary.click();
    await expectAccessible(page, 390);
  });
});
