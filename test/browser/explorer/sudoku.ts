import { describe, expect, it } from "vitest";
import { openPage, serveFolder } from "../chromium.js";
import { expectAccessibleView, openView, pixelsOf, site, stopAt } from "./site.js";

export function testSudoku(): void {
  describe("the view of Sudoku", () => {
    it("solves its board, and moves on the way", async () => {
      const page = await openView("sudoku");
      const conflicts = page.locator(".response output").first();
      await stopAt(page, 2);
      expect(Number(await conflicts.textContent())).toBeGreaterThan(20);
      const [board, oscillators] = [await pixelsOf(page, "The board"), await pixelsOf(page, "Oscillators")];
      await stopAt(page, 63);
      await expect.poll(() => conflicts.textContent()).toBe("solved");
      expect(await pixelsOf(page, "The board")).not.toBe(board);
      expect(await pixelsOf(page, "Oscillators")).not.toBe(oscillators);
      // Two of the eight starts end with conflicts.
      expect(await page.getByRole("button", { name: /^start \d: solved/ }).count()).toBe(6);
      await page
        .getByRole("button", { name: /^start \d: \d+ cells in conflict/ })
        .first()
        .click();
      await expect.poll(async () => Number(await conflicts.textContent())).toBeGreaterThan(0);
    });

    it("is edited by pointer and keyboard, and keeps its state in the address", async () => {
      const page = await openView("sudoku", "timesteps=8");
      await page.getByRole("button", { name: /^cell row/ }).click({ position: { x: 5, y: 5 } });
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowDown");
      await page.getByRole("button", { name: "cell row 2, column 2: 8" }).waitFor();
      await page.keyboard.press("Delete");
      await page.getByRole("button", { name: "cell row 2, column 2: blank" }).waitFor();
      await page.keyboard.press("9");
      await page.getByText("The board breaks the rules", { exact: false }).waitFor();
      const state = await page.evaluate(() => location.hash);
      expect(state).toBe(
        "#board=....9.....9...73.63.6.85.4.7....916.56..2...9...561..44.2.5.6.16.8..2.....3.1...2&timesteps=8&cell=10",
      );
      await page.reload();
      await page.getByRole("button", { name: "cell row 2, column 2: 9" }).waitFor();
      expect(await page.evaluate(() => location.hash)).toBe(state);
    });

    it("draws new boards with one solution, and says so of boards without", async () => {
      const page = await openView("sudoku", "timesteps=8");
      await page.getByRole("button", { name: "New board, 26 given digits" }).click();
      const board = await page.evaluate(() => /board=([^&]+)/.exec(location.hash)?.[1] ?? "");
      expect(board.replaceAll(".", "")).toHaveLength(26);
      expect(await page.getByRole("status").count()).toBe(0);
      await page.getByRole("button", { name: "Empty board" }).click();
      await page.getByText("no solution, or several", { exact: false }).waitFor();
    });

    it("says which parts of an address it does not know", async () => {
      const { page } = await openPage(`${await serveFolder(site)}?view=sudoku#board=12&cell=81&seed=2`);
      await page.getByText("ignored: board, cell").waitFor();
    });

    it("can be used by everybody, as far as axe-core can tell, also on a small screen", () =>
      expectAccessibleView("sudoku"));
  });
}
