import { describe, expect, it } from "vitest";
import { expectAccessible, pixelsOf, showView, stopAt } from "./site.js";

export function testPredify(): void {
  describe("the view of Predify", () => {
    it("corrects the answer of the classifier, and moves on the way", async () => {
      const page = await showView("predify");
      const probability = page.locator(".response output").first();
      await stopAt(page, 0);
      expect(parseInt((await probability.textContent()) ?? "", 10)).toBeLessThan(20);
      await page.locator('canvas[aria-label^="Answer: 8"]').waitFor();
      const before = await pixelsOf(page, "What the layers believe");
      await stopAt(page, 8);
      await page.locator('canvas[aria-label^="Answer: 3"]').waitFor();
      expect(parseInt((await probability.textContent()) ?? "", 10)).toBeGreaterThan(80);
      expect(await pixelsOf(page, "What the layers believe")).not.toBe(before);
    });

    it("is the classifier alone without feedback and correction", async () => {
      const page = await showView("predify");
      await page.getByRole("button", { name: "No feedback, no correction" }).click();
      await stopAt(page, 0);
      const before = await pixelsOf(page, "What the layers believe");
      await stopAt(page, 8);
      await page.locator('canvas[aria-label^="Answer: 8"]').waitFor();
      expect(await pixelsOf(page, "What the layers believe")).toBe(before);
    });

    it("follows its sliders, whose weights never add up to more than 1, and can be used by everybody", async () => {
      const page = await showView("predify");
      await stopAt(page, 8);
      const before = await pixelsOf(page, "What the layers believe");
      await page.getByLabel("feedback (λ)").fill("0.7");
      await stopAt(page, 8);
      expect(await page.getByLabel("feed-forward (β)").inputValue()).toBe("0.3");
      expect(await page.getByLabel(/^β, λ and α/).inputValue()).toBe("sliders");
      expect(await pixelsOf(page, "What the layers believe")).not.toBe(before);
      await page.getByLabel("Gaussian noise").fill("0");
      await stopAt(page, 0);
      await page.locator('canvas[aria-label^="Answer: 3"]').waitFor();
      await expectAccessible(page, 390);
    });

    it("moves and turns the digit, and keeps its state in the address", async () => {
      const page = await showView("predify", "noise=0.2");
      await page.getByRole("button", { name: /^digit 3/ }).focus();
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("r");
      const address = "#x=17&angle=15&noise=0.2";
      await expect.poll(() => page.evaluate(() => location.hash)).toBe(address);
      await stopAt(page, 8);
      const shown = await pixelsOf(page, "What the layers believe");
      await page.reload();
      await page.locator('.figures[aria-busy="false"]').waitFor();
      await stopAt(page, 8);
      expect(await page.evaluate(() => location.hash)).toBe(address);
      expect(await pixelsOf(page, "What the layers believe")).toBe(shown);
    });
  });
}
