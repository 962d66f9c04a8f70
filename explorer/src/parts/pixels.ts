const scratch = new OffscreenCanvas(1, 1);

/** Draws pixels (red, green, blue, opacity) enlarged to a size, without blur. */
export function putPixels(
  context: CanvasRenderingContext2D,
  image: { readonly data: Uint8ClampedArray<ArrayBuffer>; readonly width: number; readonly height: number },
  width: number,
  height = width,
): void {
  [scratch.width, scratch.height] = [image.width, image.height];
  scratch.getContext("2d")!.putImageData(new ImageData(image.data, image.width, image.height), 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(scratch, 0, 0, width, height);
}

/** Pixels of a map of numbers, each drawn in a colour. */
export function mapPixels(
  values: ArrayLike<number>,
  width: number,
  colourOf: (value: number) => readonly [number, number, number],
): { readonly data: Uint8ClampedArray<ArrayBuffer>; readonly width: number; readonly height: number } {
  const data = new Uint8ClampedArray(4 * values.length);
  for (let i = 0; i < values.length; i++) data.set([...colourOf(values[i]!), 255], 4 * i);
  return { data, width, height: values.length / width };
}
