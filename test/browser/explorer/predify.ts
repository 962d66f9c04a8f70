import { encode } from "fast-png";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { expectAccessible, pixelsOf, showView, stopAt } from "./site.js";

/** A file with a 7 in dark ink on white paper, wider than high, as PNG. */
function sevenOnPaper(): { name: string; mimeType: string; buffer: Buffer } {
  const [width, height] = [300, 200];
  const data = new Uint8Array(width * height * 3).fill(255);
  for (let y = 45; y < 160; y++)
    for (let x = 0; x < width; x++) {
      const isBar = y < 62 && x > 105 && x < 190;
      const isStem = Math.abs(x - (184 - 0.5 * (y - 50))) < 9;
      if (isBar || isStem) data.fill(20, 3 * (y * width + x), 3 * (y * width + x) + 3);
    }
  return {
    name: "seven.png",
    mimeType: "image/png",
    buffer: Buffer.from(encode({ width, height, data, channels: 3 })),
  };
}

/** Gives the page a file as a user does who drops it on the page or pastes it. */
const give = (
  page: Page,
  way: "drop" | "paste",
  { name, mimeType, buffer }: ReturnType<typeof sevenOnPaper>,
) =>
  page.evaluate(
    ([how, file, type, bytes]) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], file, { type }));
      document.body.dispatchEvent(
        how === "drop"
          ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
          : new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }),
      );
    },
    [way, name, mimeType, [...buffer]] as const,
  );

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
      await expect.poll(() => pixelsOf(page, "What the layers believe")).not.toBe(before);
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
      await expect.poll(() => pixelsOf(page, "What the layers believe")).not.toBe(before);
      await page.getByLabel("Gaussian noise").fill("0");
      await stopAt(page, 0);
      await page.locator('canvas[aria-label^="Answer: 3"]').waitFor();
      await expectAccessible(page, 390);
    });

    it("takes a picture of one's own, which stays in the tab, and keeps it if the next file is none", async () => {
      const page = await showView("predify");
      const sent: string[] = [];
      const listen = (request: { url(): string }): number => sent.push(request.url());
      page.on("request", listen);
      await page.locator('input[aria-label^="Your own picture"]').setInputFiles(sevenOnPaper());
      await page.locator('canvas[aria-label^="Probability of the last answer, 7"]').waitFor();
      await stopAt(page, 8);
      await page.locator('canvas[aria-label^="Answer: 7"]').waitFor();
      expect(await page.evaluate(() => location.hash)).toBe("#source=swapped&noise=0");
      const seen = await pixelsOf(page, "What the network sees");
      await page
        .locator('input[aria-label^="Your own picture"]')
        .setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") });
      await page.getByRole("alert").filter({ hasText: "notes.txt: this file is no picture" }).waitFor();
      expect(await pixelsOf(page, "What the network sees")).toBe(seen);
      await page.getByLabel(/^picture/).selectOption("own");
      await expect.poll(() => pixelsOf(page, "What the network sees")).not.toBe(seen);
      page.off("request", listen);
      expect(sent).toEqual([]);
      await expectAccessible(page, 390);
    });

    it.each(["drop", "paste"] as const)("takes a picture by %s", async (way) => {
      const page = await showView("predify");
      const before = await pixelsOf(page, "What the network sees");
      await give(page, way, sevenOnPaper());
      await expect.poll(() => page.evaluate(() => location.hash)).toBe("#source=swapped&noise=0");
      await expect.poll(() => pixelsOf(page, "What the network sees")).not.toBe(before);
      await page.locator('canvas[aria-label^="Probability of the last answer, 7"]').waitFor();
    });

    it("says that the picture of a link stayed elsewhere, and shows the digit", async () => {
      const page = await showView("predify");
      await page.reload();
      await page.locator('.figures[aria-busy="false"]').waitFor();
      const digit = await pixelsOf(page, "What the network sees");
      await showView("predify", "source=own");
      await page.getByRole("status").filter({ hasText: "never left their tab" }).waitFor();
      expect(await pixelsOf(page, "What the network sees")).toBe(digit);
      expect(await page.getByLabel(/^picture/).inputValue()).toBe("digit");
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
