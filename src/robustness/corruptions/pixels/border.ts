/**
 * How a line of pixels continues beyond its ends. "edge" repeats the border pixel; "mirror" mirrors the line,
 * border pixel included (..1 0 | 0 1..).
 */
export type Border = "edge" | "mirror";

/** The index of the pixel at position `i` of a line that continues beyond its ends. */
export function indexAt(i: number, length: number, border: Border): number {
  if (i >= 0 && i < length) return i;
  if (border === "edge") return i < 0 ? 0 : length - 1;
  const period = 2 * length;
  const k = ((i % period) + period) % period;
  return k < length ? k : period - 1 - k;
}
