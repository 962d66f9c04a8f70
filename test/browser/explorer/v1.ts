import { encode } from "fast-png";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { LIMIT, openPage } from "../chromium.js";
import { expectAccessible, networksReady, showView, url } from "./site.js";

const showV1 = (state = ""): Promise<Page> => showView("v1", state);

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

export function testV1(): void {
  describe("the view of V1", () => {
    it("shows its cells, and the stripes drift by themselves", async () => {
      const { page, problems } = await openPage(`${url}?view=v1`);
      await networksReady(page);
      expect(await page.getByRole("link", { name: "V1" }).getAttribute("aria-current")).toBe("page");
      expect(await page.getByRole("radio").count()).toBe(64);
      const phase = page.getByLabel("phase in degrees");
      const before = await phase.inputValue();
      await expect.poll(() => phase.inputValue(), { timeout: LIMIT }).not.toBe(before);
      expect(problems).toEqual([]);
    });

    it("shows cells that prefer one orientation over the one at right angles", async () => {
      const page = await showV1("drift=0");
      for (const cell of [...SIMPLE, ...COMPLEX]) {
        await showPreferred(page, cell);
        const preferred = await responseOf(page);
        await page.getByRole("button", { name: "Turn by 90°" }).click();
        expect(await responseOf(page), `cell ${cell}`).toBeLessThan(0.3 * preferred);
      }
    });

    it("shows simple cells that follow the phase, and complex cells that do not", async () => {
      const page = await showV1("drift=0");
      const changeOf = async (cell: number): Promise<number> => {
        await showPreferred(page, cell);
        const responses = await responsesToPhases(page);
        return (Math.max(...responses) - Math.min(...responses)) / average(responses);
      };
      for (const cell of SIMPLE) expect(await changeOf(cell), `cell ${cell}`).toBeGreaterThan(2);
      for (const cell of COMPLEX) expect(await changeOf(cell), `cell ${cell}`).toBeLessThan(0.2);
    });

    it("keeps its state in the address, which survives a reload", async () => {
      const page = await showV1("drift=0&stimulus=bar");
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
      const page = await showV1("drift=0&stimulus=bar&x=60&y=60&orientation=58&width=0.2&cell=60");
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
      await page.goto(`${url}?view=v1`);
      expect(await page.getByRole("alert").textContent()).toMatch(/page-/);
    });

    it("adds noise, so that a still picture gives other responses each time", async () => {
      const page = await showV1("drift=0&cell=60");
      const quiet = await responseOf(page);
      expect(await responseOf(page)).toBe(quiet);
      await page.getByLabel("noise of the responses").check();
      const seen = new Set<number>();
      await expect
        .poll(async () => seen.add(await responseOf(page)).size, { timeout: LIMIT })
        .toBeGreaterThan(3);
    });

    it("shows a picture of one's own to the cells, and a grating if the picture of a link is not here", async () => {
      const page = await showV1("drift=0&cell=60&stimulus=own");
      await page.getByRole("status").filter({ hasText: "You see a grating instead" }).waitFor();
      const grating = await responseOf(page);
      const [side, data] = [64, new Uint8Array(64 * 64 * 3).fill(128)];
      const file = Buffer.from(encode({ width: side, height: side, data, channels: 3 }));
      await page
        .locator('input[aria-label^="Your own picture"]')
        .setInputFiles({ name: "grey.png", mimeType: "image/png", buffer: file });
      await page.getByRole("status").filter({ hasText: "You see a grating" }).waitFor({ state: "detached" });
      // The cell answers to the grating, and hardly to an even grey.
      expect(grating).toBeGreaterThan(0.5);
      await expect.poll(() => responseOf(page), { timeout: LIMIT }).toBeLessThan(0.2 * grating);
      expect(await page.evaluate(() => location.hash)).toContain("stimulus=own");
      await expectAccessible(page, 390);
    });

    it("can be used by everybody, as far as axe-core can tell, also on a small screen", async () => {
      const page = await showV1("drift=0");
      await expectAccessible(page, 390);
    });
  });
}
