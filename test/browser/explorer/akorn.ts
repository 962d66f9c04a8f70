import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { LIMIT, openPage } from "../chromium.js";
import { expectAccessible, networksReady, pixelsOf, showView, stopAt, url } from "./site.js";

const showAkorn = (state = ""): Promise<Page> => showView("akorn", state);

/** FG-ARI in percent of the frame that is shown. */
const agreementOf = async (page: Page): Promise<number> =>
  parseInt((await page.locator(".response output").first().textContent()) ?? "", 10);

export function testAkorn(): void {
  describe("the view of AKOrN", () => {
    it("opens by a link, moves by itself, and finds the pieces", async () => {
      const { page, problems } = await openPage(url);
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

    it("takes pieces of one colour for one object, and can be used by everybody", async () => {
      const page = await showAkorn("speed=10");
      await page.getByRole("button", { name: "Give all pieces one colour" }).click();
      await stopAt(page, 12);
      expect(await agreementOf(page)).toBeLessThan(30);
      await expectAccessible(page, 390);
    });

    it("scrambles a place, which heals within a few timesteps", async () => {
      const page = await showAkorn("timesteps=14&scramble=7");
      await stopAt(page, 7);
      const before = await pixelsOf(page, "Oscillators");
      await stopAt(page, 8);
      await page.getByText("timestep 7, just scrambled").waitFor();
      expect(await pixelsOf(page, "Oscillators")).not.toBe(before);
      await stopAt(page, 15);
      expect(await agreementOf(page)).toBeGreaterThan(85);
    });

    it("moves a piece by pointer and keyboard, and keeps its state in the address", async () => {
      const page = await showAkorn();
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
  });
}
