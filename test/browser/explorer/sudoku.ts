import { describe, expect, it } from "vitest";
import { expectAccessible, pixelsOf, showView, stopAt } from "./site.js";

export function testSudoku(): void {
  describe("the view of Sudoku", () => {
    it("solves its board, and moves on the way", async () => {
      const page = await showView("sudoku");
      const conflicts = page.locator(".response output").first();
      await stopAt(page, 2);
      expect(Number(await conflicts.textContent())).toBeGreaterThan(20);
      const [board, oscillators] = [await pixelsOf(page, "The board"), await pixelsOf(page, "Oscillators")];
      await stopAt(page, 63);
      await expect.poll(() => conflicts.textContent()).toBe("solved");
      await expect.poll(() => pixelsOf(page, "The board")).not.toBe(board);
      await expect.poll(() => pixelsOf(page, "Oscillators")).not.toBe(oscillators);
      // Two of the eight starts end with conflicts.
      expect(await page.getByRole("button", { name: /^start \d: solved/ }).count()).toBe(6);
      await page
        .getByRole("button", { name: /^start \d: \d+ cells in conflict/ })
        .first()
        .click();
      await expect.poll(async () => Number(await conflicts.textContent())).toBeGreaterThan(0);
    });

    it("is edited by pointer and keyboard, and keeps its state in the address", async () => {
      const page = await showView("sudoku", "timesteps=8");
      await page.getByRole("button", { name: /^cell row/ }).click({ position: { x: 5, y: 5 } });
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowDown");
      await page.getByRole("button", { name: "cell row 2, column 2: 8" }).waitFor();
      await page.keyboard.press("Delete");
      await page.getByRole("button", { name: "cell row 2, column 2: blank" }).waitFor();
      await page.keyboard.press("3");
      await page.getByText("The board breaks the rules", { exact: false }).waitFor();
      const state =
        "#board=....9.....3...73.63.6.85.4.7....916.56..2...9...561..44.2.5.6.16.8..2.....3.1...2&timesteps=8&cell=10";
      const address = (): Promise<string> => page.evaluate(() => location.hash);
      await expect.poll(address).toBe(state);
      await page.reload();
      await page.getByRole("button", { name: "cell row 2, column 2: 3" }).waitFor();
      expect(await address()).toBe(state);
    });

    it("draws new boards with one solution, says so of boards without, and can be used by everybody", async () => {
      const page = await showView("sudoku", "timesteps=8");
      await page.getByRole("button", { name: "New board, 26 given digits" }).click();
      const givens = (): Promise<number> =>
        page.evaluate(() => (/board=([^&]+)/.exec(location.hash)?.[1] ?? "").replaceAll(".", "").length);
      await expect.poll(givens).toBe(26);
      expect(await page.locator(".notice").count()).toBe(0);
      await page.getByRole("button", { name: "Empty board" }).click();
      await page.getByText("no solution, or several", { exact: false }).waitFor();
      await expectAccessible(page, 390);
    });
  });
}
