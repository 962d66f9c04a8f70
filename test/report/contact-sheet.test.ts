import { describe, expect, it } from "vitest";
import type { RgbImage } from "../../src/data/images/rgb-image.js";
import { crop } from "../../src/data/images/rgb-image.js";
import { contactSheet } from "../../src/report/contact-sheet.js";
import { drawText, textSize } from "../../src/report/pixel-font.js";

function plain(side: number, value: number): RgbImage {
  return { width: side, height: side, data: new Uint8Array(side * side * 3).fill(value) };
}

describe("contact sheet", () => {
  it("holds every image unchanged, in rows and columns", () => {
    const rows = [1, 2, 3].map((y) => ({
      label: `row ${y}`,
      images: [1, 2].map((x) => plain(20, 10 * y + x)),
    }));
    const sheet = contactSheet({ title: "some images", columns: ["a", "b"], rows });
    const left = 12 + textSize("row 1", 2).width + 8;
    const top = sheet.height - 12 - 3 * 24;
    rows.forEach(({ images }, y) => {
      images.forEach((image, x) => {
        expect(crop(sheet, left + 24 * x, top + 24 * y, 20, 20)).toEqual(image);
      });
    });
    const scaled = contactSheet({ title: "", columns: ["a", "b"], rows, cell: 9 });
    expect(scaled.height).toBe(sheet.height - 3 * 11);
  });

  it("refuses rows that miss images", () => {
    const rows = [{ label: "fog", images: [plain(4, 0)] }];
    expect(() => contactSheet({ title: "", columns: ["a", "b"], rows })).toThrow(
      'contact sheet: expected 2 images in row "fog", got 1',
    );
    expect(() => contactSheet({ title: "", columns: [], rows: [] })).toThrow("expected at least one image");
  });
});

describe("pixel font", () => {
  it("draws letters and cuts off what lies outside", () => {
    const image = plain(16, 0);
    drawText(image, "T", 1, 2, 1, 255);
    const rows = Array.from({ length: 16 }, (_, y) =>
      Array.from({ length: 16 }, (_unused, x) => (image.data[(y * 16 + x) * 3] === 255 ? "#" : ".")).join(""),
    );
    expect(rows.slice(2, 5)).toEqual([".#####..........", "...#............", "...#............"]);
    expect(rows[9]).toBe("................");
    drawText(image, "WIDE TEXT ü", 10, 12, 3, 200);
    expect(image.data).toHaveLength(16 * 16 * 3);
  });
});
