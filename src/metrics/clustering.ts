import { checkEveryFinite, checkEveryWhole, checkWhole } from "../util/check.js";
import { check } from "../util/errors.js";

/**
 * Computes the adjusted Rand index of two labellings of the same elements (Hubert & Arabie 1985). It is 1 for
 * equal partitions, about 0 for unrelated ones, and below 0 if they agree less than by chance. Permuting the
 * labels does not change it. Labels are whole numbers from 0 to 65535.
 *
 * Throws `StriateError` if the lists are empty or differ in length, or if a label is not such a number.
 */
export function adjustedRandIndex(one: ArrayLike<number>, other: ArrayLike<number>): number {
  check(
    one.length === other.length && one.length > 0,
    () => `adjusted Rand index: expected two lists of one length, got ${one.length} and ${other.length}`,
  );
  const rows = clusters(one);
  const columns = clusters(other);
  const table = new Float64Array(rows * columns);
  const rowSums = new Float64Array(rows);
  const columnSums = new Float64Array(columns);
  for (let i = 0; i < one.length; i++) {
    const at = one[i]! * columns + other[i]!;
    table[at] = table[at]! + 1;
    rowSums[one[i]!] = rowSums[one[i]!]! + 1;
    columnSums[other[i]!] = columnSums[other[i]!]! + 1;
  }
  const together = pairs(table);
  const [inRows, inColumns] = [pairs(rowSums), pairs(columnSums)];
  const all = (one.length * (one.length - 1)) / 2;
  const expected = all === 0 ? 0 : (inRows * inColumns) / all;
  const most = (inRows + inColumns) / 2;
  return most === expected ? 1 : (together - expected) / (most - expected);
}

function clusters(labels: ArrayLike<number>): number {
  checkEveryWhole("adjusted Rand index: labels", labels, { from: 0, to: 65_535 });
  let most = 0;
  for (const label of Array.from(labels)) most = Math.max(most, label);
  return most + 1;
}

function pairs(counts: Float64Array): number {
  let sum = 0;
  for (const count of counts) sum += (count * (count - 1)) / 2;
  return sum;
}

const BINS = 128;
const TURN = 2 * Math.PI;
const STARTS = 8;
const ROUNDS = 30;

/**
 * Clusters angles into at most k groups on the circle. The method is k-means with the distance 1 -
 * cos(difference of two angles), which is spherical k-means in two dimensions (Dhillon & Modha 2001). It runs
 * 8 times, each time from differently rotated, evenly spread centres, and the best result is returned. Angles
 * (in radians, wrapped or not) are first collected into 128 bins, so the borders between groups are exact to
 * 2.8 degrees. The result involves no randomness.
 *
 * Returns the group of each angle, from 0 to k - 1. Throws `StriateError` for angles that are not finite.
 */
export function circularClusters(angles: ArrayLike<number>, k: number): Uint8Array {
  checkWhole("circular clusters: k", k, { to: 255 });
  checkEveryFinite("circular clusters: phases", angles);
  const x = new Float64Array(BINS);
  const y = new Float64Array(BINS);
  const bins = new Uint8Array(angles.length);
  for (let i = 0; i < angles.length; i++) {
    const angle = angles[i]!;
    const turns = angle / TURN;
    const bin = Math.floor((turns - Math.floor(turns)) * BINS) % BINS;
    bins[i] = bin;
    x[bin] = x[bin]! + Math.cos(angle);
    y[bin] = y[bin]! + Math.sin(angle);
  }
  let best: { readonly score: number; readonly group: Uint8Array } | undefined;
  for (let start = 0; start < STARTS; start++) {
    const centres = Float64Array.from({ length: k }, (_, c) => (TURN * (c + start / STARTS)) / k);
    const found = lloyd(x, y, centres);
    if (best === undefined || found.score > best.score + 1e-9) best = found;
  }
  return bins.map((bin) => best!.group[bin]!);
}

/**
 * Moves the centres until no bin changes its group, or for at most 30 rounds (Lloyd's algorithm). The score
 * is the sum over all angles of the cosine of the difference between the angle and its nearest centre.
 */
function lloyd(
  x: Float64Array,
  y: Float64Array,
  centres: Float64Array,
): { readonly score: number; readonly group: Uint8Array } {
  const group = new Uint8Array(BINS).fill(255);
  const k = centres.length;
  let score = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const sumX = new Float64Array(k);
    const sumY = new Float64Array(k);
    let changed = false;
    score = 0;
    for (let bin = 0; bin < BINS; bin++) {
      let nearest = 0;
      let most = -Infinity;
      for (let c = 0; c < k; c++) {
        const agreement = x[bin]! * Math.cos(centres[c]!) + y[bin]! * Math.sin(centres[c]!);
        if (agreement > most) [nearest, most] = [c, agreement];
      }
      changed ||= group[bin] !== nearest;
      group[bin] = nearest;
      score += most;
      sumX[nearest] = sumX[nearest]! + x[bin]!;
      sumY[nearest] = sumY[nearest]! + y[bin]!;
    }
    if (!changed) break;
    // A centre without angles does not move.
    for (let c = 0; c < k; c++)
      if (sumX[c] !== 0 || sumY[c] !== 0) centres[c] = Math.atan2(sumY[c]!, sumX[c]!);
  }
  return { score, group };
}
