/** Numbers of a run: a row for each timestep or cell. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (number | string)[])[];
}

/** A table in the CSV format (RFC 4180), which spreadsheets, pandas and R read. */
export function csvOf({ columns, rows }: Table): string {
  const cell = (value: number | string): string => {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => row.map(cell).join(",") + "\r\n").join("");
}

/** The pictures of a figure side by side as PNG, on the figure's background. */
export async function pngOf(figure: Element): Promise<Blob> {
  const pictures = [...figure.querySelectorAll("canvas")].filter(({ width, height }) => width * height > 0);
  const width = pictures.reduce((sum, picture) => sum + picture.width, 0);
  const sheet = new OffscreenCanvas(width, Math.max(...pictures.map(({ height }) => height)));
  const context = sheet.getContext("2d")!;
  context.fillStyle = getComputedStyle(figure).backgroundColor;
  context.fillRect(0, 0, sheet.width, sheet.height);
  let left = 0;
  for (const picture of pictures) {
    context.drawImage(picture, left, 0);
    left += picture.width;
  }
  return sheet.convertToBlob({ type: "image/png" });
}

/** Hands a file to the visitor as a download. */
export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  [link.href, link.download] = [url, name];
  link.click();
  URL.revokeObjectURL(url);
}
