import { checkImage } from "../data/images/rgb-image.js";
import type { RgbImage } from "../data/images/rgb-image.js";
import { resizeImage } from "../data/images/resize.js";
import { check } from "../util/errors.js";
import { drawText, textSize } from "./pixel-font.js";

export interface ContactSheet {
  /** The line at the top: what the sheet shows, and how to reproduce it. */
  readonly title: string;
  readonly columns: readonly string[];
  /** A label and one image for each column. */
  readonly rows: readonly { readonly label: string; readonly images: readonly RgbImage[] }[];
  /** Side of an image on the sheet in pixels. Default: the images' own size. */
  readonly cell?: number;
}

const [MARGIN, GAP, SCALE] = [12, 4, 2] as const;
const [BACKGROUND, INK, FAINT] = [24, 235, 160] as const;

/**
 * Draws images in labelled rows and columns as one image. Throws `StriateError` if a row does not have one
 * image for each column.
 */
export function contactSheet({ title, columns, rows, cell }: ContactSheet): RgbImage {
  for (const { label, images } of rows) {
    check(
      images.length === columns.length,
      () => `contact sheet: expected ${columns.length} images in row "${label}", got ${images.length}`,
    );
    for (const image of images) checkImage(image, `contact sheet, row "${label}"`);
  }
  const first = rows[0]?.images[0];
  check(first, () => "contact sheet: expected at least one image");
  const width = cell ?? first.width;
  const height = cell ?? first.height;
  const labels = Math.max(...rows.map(({ label }) => textSize(label, SCALE).width));
  const left = MARGIN + labels + 2 * GAP;
  const line = textSize("", SCALE).height;
  const top = MARGIN + 2 * line + 4 * GAP;
  const sheet = blank(
    Math.max(left + columns.length * (width + GAP), MARGIN + textSize(title, SCALE).width) + MARGIN,
    top + rows.length * (height + GAP) + MARGIN,
  );
  drawText(sheet, title, MARGIN, MARGIN, SCALE, INK);
  const scale = columns.every((text) => textSize(text, SCALE).width <= width) ? SCALE : 1;
  columns.forEach((text, x) => {
    drawText(sheet, text, left + x * (width + GAP), MARGIN + line + 2 * GAP, scale, FAINT);
  });
  rows.forEach(({ label, images }, y) => {
    const rowTop = top + y * (height + GAP);
    drawText(sheet, label, MARGIN, rowTop + Math.floor((height - line) / 2), SCALE, INK);
    images.forEach((image, x) => {
      paste(sheet, resizeImage(image, width, height), left + x * (width + GAP), rowTop);
    });
  });
  return sheet;
}

function blank(width: number, height: number): RgbImage {
  return { width, height, data: new Uint8Array(width * height * 3).fill(BACKGROUND) };
}

function paste(sheet: RgbImage, image: RgbImage, left: number, top: number): void {
  for (let y = 0; y < image.height; y++) {
    const row = image.data.subarray(y * image.width * 3, (y + 1) * image.width * 3);
    sheet.data.set(row, ((top + y) * sheet.width + left) * 3);
  }
}
