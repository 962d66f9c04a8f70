import { checkAtLeast, checkLength, checkWhole } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { NumpyRandom } from "../../../util/numpy-random.js";

/** How the input channel of each V1 cell is drawn (Piper et al. 2025, EVNet). */
export interface ColourDraw {
  /** Number of channels that V1 sees. */
  readonly channels: number;
  /**
   * Probability of each channel. The numbers of cells are then fixed: `listLength` x probability, rounded,
   * in random order. Default: every cell draws its channel uniformly.
   */
  readonly probabilities?: readonly number[];
  /**
   * Length of the list of channels that is shuffled; the cells take its first entries. The default, 512, is
   * that of the authors' code for any number of cells: with fewer cells, the counts follow from the number of
   * cells, and the third channel gets what is missing to 512. So 256 cells with equal probabilities of four
   * channels draw from 64, 64, 320 and 64. Pass the number of cells to give every channel its probability.
   */
  readonly listLength?: number;
}

/** Length of the authors' list of colours, whatever the number of cells. */
const AUTHORS_LENGTH = 512;

/** The channel of which the authors' code increases the count if the counts do not add up. */
const REMAINDER = 2;

/**
 * Draws the channels of `cells` cells. The list may be longer than the number of cells, and is as in the
 * authors' code; the cells take its first entries.
 *
 * @throws StriateError if there is not one probability for each channel, or if counts cannot be made that add
 * up to the length of the list.
 */
export function drawColours(random: NumpyRandom, cells: number, draw: ColourDraw): Int32Array {
  const { channels, probabilities, listLength = AUTHORS_LENGTH } = draw;
  checkWhole("receptive fields: colours: channels", channels);
  if (probabilities === undefined || channels === 1) {
    return Int32Array.from(random.bytes(channels, cells));
  }
  const counts = colourCounts(cells, probabilities, channels, listLength);
  const list = Int32Array.from(counts.flatMap((count, channel) => Array<number>(count).fill(channel)));
  random.shuffle(list);
  return list;
}

function colourCounts(
  cells: number,
  probabilities: readonly number[],
  channels: number,
  length: number,
): number[] {
  checkLength("receptive fields: colours: probabilities", probabilities, channels);
  for (const probability of probabilities)
    checkAtLeast("receptive fields: colours: probability", probability, 0);
  checkWhole("receptive fields: colours: list length", length, { from: cells });
  const counts = probabilities.map((probability) => halfToEven(probability * cells));
  const missing = length - counts.reduce((a, b) => a + b, 0);
  if (missing !== 0 && channels > REMAINDER) counts[REMAINDER]! += missing;
  check(
    counts.every((count) => count >= 0) && (missing === 0 || channels > REMAINDER),
    () =>
      `receptive fields: colours: expected counts of channels that add up to ${length}, got ${counts.join(" + ")} ` +
      `for ${cells} cells and the probabilities ${probabilities.join(", ")}: change these or the list length`,
  );
  return counts;
}

/** Rounds to the nearest whole number; halves go to the even one. */
function halfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
