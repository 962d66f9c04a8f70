import { StriateError } from "../../util/errors.js";
import type { Random } from "../../util/random.js";
import type { DigitImages } from "./digit-images.js";

/** Side in pixels of the canvas on which digits are placed: floor(28 * 1.8). */
export const CANVAS = 50;
/** Side in pixels of the digit images. */
export const DIGIT = 28;

const MISSES_BEFORE_ANOTHER_DIGIT = 100;
const DIGITS_BEFORE_A_NEW_SCENE = 20;
const SCENES_BEFORE_GIVING_UP = 1000;

/**
 * A digit cropped to its ink, and its box on the canvas. The edges of the box are in canvas pixels; `bottom`
 * and `right` are exclusive.
 */
export interface PlacedDigit {
  /** Index of the image in the digit set. */
  readonly digit: number;
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** The bounding boxes of the ink in a set of digits. */
export interface DigitBoxes {
  /** Four numbers per image: first row, first column, height, width. */
  readonly boxes: Uint8Array;
  /** Indices of the images that have ink. */
  readonly usable: Uint32Array;
}

/**
 * The rule that measures the overlap of two boxes. Below, o_rows and o_columns are the lengths in rows and in
 * columns by which the boxes overlap; each is negative if the boxes are apart along that axis.
 *
 * - `"reference"`: o_rows * o_columns / (2 * area of the earlier box), as in the authors' generator. This
 *   is also positive for boxes that are apart along *both* axes, so diagonal layouts count as overlapping. If
 *   the allowed overlap is 0, two digits are therefore always side by side or one above the other.
 * - `"intersection"`: the area of the intersection divided by the mean area of the two boxes; 0 if they are
 *   apart.
 */
export type OverlapRule = "reference" | "intersection";

/** Finds the bounding box of the non-zero pixels of every digit. */
export function findBoxes(digits: DigitImages): DigitBoxes {
  const boxes = new Uint8Array(digits.count * 4);
  const usable = new Uint32Array(digits.count);
  let found = 0;
  for (let n = 0; n < digits.count; n++) {
    const from = n * DIGIT * DIGIT;
    let top = -1;
    let bottom = -1;
    let left = DIGIT;
    let right = -1;
    for (let y = 0; y < DIGIT; y++) {
      const row = from + y * DIGIT;
      let x = 0;
      while (x < DIGIT && digits.images[row + x] === 0) x++;
      if (x === DIGIT) continue;
      let last = DIGIT - 1;
      while (digits.images[row + last] === 0) last--;
      if (top < 0) top = y;
      bottom = y;
      if (x < left) left = x;
      if (last > right) right = last;
    }
    if (top < 0) continue;
    boxes.set([top, left, bottom - top + 1, right - left + 1], n * 4);
    usable[found++] = n;
  }
  return { boxes, usable: usable.slice(0, found) };
}

/** Measures the overlap of two boxes by a rule; see {@link OverlapRule}. */
export function overlapRatio(earlier: PlacedDigit, later: PlacedDigit, rule: OverlapRule): number {
  const rows = Math.max(earlier.top, later.top) - Math.min(earlier.bottom, later.bottom);
  const columns = Math.max(earlier.left, later.left) - Math.min(earlier.right, later.right);
  if (rule === "reference") return (rows * columns) / (2 * area(earlier));
  return rows < 0 && columns < 0 ? (2 * rows * columns) / (area(earlier) + area(later)) : 0;
}

/**
 * Chooses digits and their positions for one scene. The upper left corner of the first digit is uniform in
 * 0..21 along both axes. Every further digit has a label that is not yet in the scene. Its corner is uniform
 * in 0..29 and is drawn again until its box lies on the canvas and its overlap with each earlier digit is at
 * most `maxOverlap`. After 100 failures of either kind, another digit is tried. If 20 digits in a row do not
 * fit (which can happen only from the third digit on), the whole scene starts again.
 */
export function placeDigits(
  digits: DigitImages,
  { boxes, usable }: DigitBoxes,
  digitCount: number,
  maxOverlap: number,
  rule: OverlapRule,
  random: Random,
): PlacedDigit[] {
  const place = (digit: number, range: number): PlacedDigit => {
    const top = random.integer(0, range);
    const left = random.integer(0, range);
    return { digit, top, left, bottom: top + boxes[4 * digit + 2]!, right: left + boxes[4 * digit + 3]! };
  };

  const placeNext = (placed: readonly PlacedDigit[]): PlacedDigit | undefined => {
    for (let tries = 0; tries < DIGITS_BEFORE_A_NEW_SCENE; tries++) {
      let digit: number;
      do digit = usable[random.integer(0, usable.length)]!;
      while (placed.some((other) => digits.labels[other.digit] === digits.labels[digit]));
      let outside = 0;
      let overlapping = 0;
      while (outside < MISSES_BEFORE_ANOTHER_DIGIT && overlapping < MISSES_BEFORE_ANOTHER_DIGIT) {
        const candidate = place(digit, CANVAS - 20);
        if (candidate.bottom > CANVAS || candidate.right > CANVAS) {
          outside++;
        } else if (placed.some((other) => overlapRatio(other, candidate, rule) > maxOverlap)) {
          overlapping++;
          outside = 0;
        } else {
          return candidate;
        }
      }
    }
    return undefined;
  };

  for (let scenes = 0; scenes < SCENES_BEFORE_GIVING_UP; scenes++) {
    const placed = [place(usable[random.integer(0, usable.length)]!, CANVAS - DIGIT)];
    while (placed.length < digitCount) {
      const next = placeNext(placed);
      if (next === undefined) break;
      placed.push(next);
    }
    if (placed.length === digitCount) return placed;
  }
  throw new StriateError(
    `Multi-MNIST: found no layout of ${digitCount} digits with an overlap of at most ${maxOverlap} ("${rule}") ` +
      `in ${SCENES_BEFORE_GIVING_UP} scenes`,
  );
}

function area(box: PlacedDigit): number {
  return (box.bottom - box.top) * (box.right - box.left);
}
