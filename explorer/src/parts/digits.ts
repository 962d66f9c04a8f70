/** Side in pixels of one digit in the sheet of samples; rows are classes 0 to 9 with ten samples each. */
export const SAMPLE = 28;

/** The 100 digits that come with the page, on a sheet of 280 x 280 pixels: white on black. */
export async function loadSamples(): Promise<ImageBitmap> {
  const response = await fetch(new URL("digits.png", document.baseURI));
  if (!response.ok)
    throw new Error(`the digits could not be downloaded: the server answered ${response.status}`);
  return createImageBitmap(await response.blob());
}

/** The class of a sample. */
export const labelOf = (sample: number): number => Math.floor(sample / 10);

/** Where a sample lies in the sheet: left, top, width, height. */
export const sampleBox = (sample: number) =>
  [(sample % 10) * SAMPLE, labelOf(sample) * SAMPLE, SAMPLE, SAMPLE] as const;
