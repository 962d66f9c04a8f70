import { check } from "../util/errors.js";
import { entry, UNIFORM_CYCLE } from "./colour.js";
import type { Rgb } from "./colour.js";
import type { RgbaImage } from "./phase-map.js";
import { OBJECT_COLOURS } from "./theme.js";

const BACKGROUND: Rgb = [44, 49, 60];
/** Pixels that metrics leave out. */
const IGNORED: Rgb = [128, 128, 128];

/** Colour of label k: 0 the background, -1 ignored, objects from 1 in colours that stay apart. */
function colourOf(label: number): Rgb {
  if (label < 0) return IGNORED;
  if (label === 0) return BACKGROUND;
  const own = OBJECT_COLOURS[label - 1];
  // Beyond the named colours, steps of the golden section around the circle of hues.
  return own ?? entry(UNIFORM_CYCLE.table, Math.round(label * 256 * 0.381966) % 256);
}

/**
 * The number of a true segment for every found label: pairs are made from the largest intersection over union downwards,
 * background included; found segments without a partner get numbers after the true ones, the largest first.
 */
export function matchSegments(truth: ArrayLike<number>, found: ArrayLike<number>): Map<number, number> {
  check(
    truth.length === found.length,
    () => `segments: expected masks of one size, got ${truth.length} true and ${found.length} found pixels`,
  );
  const sizes = { true: new Map<number, number>(), found: new Map<number, number>() };
  const both = new Map<string, { readonly own: number; readonly other: number; count: number }>();
  const countUp = (counts: Map<number, number>, label: number) =>
    counts.set(label, (counts.get(label) ?? 0) + 1);
  for (let i = 0; i < truth.length; i++) {
    const [own, other] = [truth[i]!, found[i]!];
    countUp(sizes.found, other);
    if (own < 0) continue;
    countUp(sizes.true, own);
    const key = `${own},${other}`;
    const pair = both.get(key) ?? { own, other, count: 0 };
    pair.count += 1;
    both.set(key, pair);
  }
  const overlap = ({ own, other, count }: { own: number; other: number; count: number }) =>
    count / (sizes.true.get(own)! + sizes.found.get(other)! - count);
  const partners = new Map<number, number>();
  const taken = new Set<number>();
  for (const { own, other } of [...both.values()].sort((a, b) => overlap(b) - overlap(a))) {
    if (taken.has(own) || partners.has(other)) continue;
    partners.set(other, own);
    taken.add(own);
  }
  let next = Math.max(0, ...sizes.true.keys()) + 1;
  const alone = [...sizes.found].filter(([label]) => !partners.has(label)).sort((a, b) => b[1] - a[1]);
  for (const [label] of alone) partners.set(label, next++);
  return partners;
}

/** True segments `[height, width]` in colours. */
export function truthPicture(labels: ArrayLike<number>, width: number): RgbaImage {
  const data = new Uint8ClampedArray(4 * labels.length).fill(255);
  for (let i = 0; i < labels.length; i++) data.set(colourOf(labels[i]!), 4 * i);
  return { width, height: labels.length / width, data };
}

/** Found segments in the colours of the true ones that they match; see {@link matchSegments}. */
export function segmentPicture(found: ArrayLike<number>, truth: ArrayLike<number>, width: number): RgbaImage {
  const partners = matchSegments(truth, found);
  return truthPicture(
    Array.from(found, (label) => partners.get(label)!),
    width,
  );
}

/** An RGB picture, its bytes pixel by pixel, as it is. */
export function opaque({
  width,
  height,
  data,
}: {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}): RgbaImage {
  const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) rgba.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
  return { width, height, data: rgba };
}
