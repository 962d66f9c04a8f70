/** What lies beyond the border: the border pixel again, or a mirror that repeats it (..1 0 | 0 1..). */
export type Border = "edge" | "mirror";

/** The pixel that stands at position `i` of a line that goes on beyond its ends. */
export function indexAt(i: number, length: number, border: Border): number {
  if (i >= 0 && i < length) return i;
  if (border === "edge") return i < 0 ? 0 : length - 1;
  const period = 2 * length;
  const k = ((i % period) + period) % period;
  return k < length ? k : period - 1 - k;
}
