import { encode } from "fast-png";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { LIMIT, openPage } from "../chromium.js";
import { expectAccessible, networksReady, pixelsOf, showView, stopAt, url } from "./site.js";

const showAkorn = (state = ""): Promise<Page> => showView("akorn", state);

/** FG-ARI in percent of the frame that is shown. */
const agreementOf = async (page: Page): Promise<number> =>
  parseInt((await page.locator(".response output").first().textContent()) ?? "", 10);

/** A yellow and a blue square on black, as PNG. */
function twoSquares(): { name: string; mimeType: string; buffer: Buffer } {
  const side = 96;
  const data = new Uint8Array(side * side * 3);
  const square = (left: number, top: number, colour: readonly number[]): void => {
    for (let y = top; y < top + 30; y++)
      for (let x = left; x < left + 30; x++) data.set(colour, 3 * (y * side + x));
  };
  square(12, 12, [255, 255, 0]);
  square(54, 54, [0, 0, 255]);
  const buffer = Buffer.from(encode({ width: side, height: side, data, channels: 3 }));
  return { name: "squares.png", mimeType: "image/png", buffer };
}

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
      await expect.poll(() => pixelsOf(page, "Oscillators")).not.toBe(before);
      await stopAt(page, 15);
      expect(await agreementOf(page)).toBeGreaterThan(85);
    });

    it("takes a picture of one's own, about whose objects it claims to know nothing", async () => {
      const page = await showAkorn();
      await stopAt(page, 12);
      const before = await pixelsOf(page, "Oscillators");
      const sent: string[] = [];
      const listen = (request: { url(): string }): number => sent.push(request.url());
      page.on("request", listen);
      await page.locator('input[aria-label^="Your own picture"]').setInputFiles(twoSquares());
      await expect.poll(() => page.evaluate(() => location.hash)).toBe("#source=own");
      await page.getByText("squares.png").waitFor();
      await expect
        .poll(() => page.locator("h2").allTextContents())
        .not.toContain("Agreement with the pieces");
      await stopAt(page, 12);
      await expect.poll(() => pixelsOf(page, "Oscillators")).not.toBe(before);
      // The colours of the segments at the middle of either square and at a corner of the ground.
      const colours = await page.locator('canvas[aria-label^="Objects found"]').evaluate((canvas) => {
        const { width } = canvas as HTMLCanvasElement;
        const context = (canvas as HTMLCanvasElement).getContext("2d")!;
        return [0.28, 0.72, 0.95].map((share) =>
          context.getImageData(share * width, share * width, 1, 1).data.join(),
        );
      });
      expect(new Set(colours).size).toBe(3);
      page.off("request", listen);
      expect(sent).toEqual([]);
      await expectAccessible(page, 390);
      await page.getByLabel(/^picture/).selectOption("pieces");
      await page.locator('canvas[aria-label^="Agreement with the pieces"]').waitFor();
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
