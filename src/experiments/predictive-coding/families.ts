import { average } from "../../metrics/statistics.js";
import type { CorruptionGroup } from "../../robustness/corruptions/kind.js";
import type { CorruptionName } from "../../robustness/corruptions/kinds.js";
import { corruptionGroup } from "../../robustness/corruptions/kinds.js";
import { checkLength } from "../../util/check.js";
import { largestLogits } from "../../systems/predify/index.js";
import type { TensorData } from "../../graph/index.js";

/** The order of families in tables. */
const ORDER: readonly CorruptionGroup[] = ["noise", "blur", "weather", "digital", "extra"];

/** How answers changed between timestep 0 and the last under one family of corruptions, in one setting. */
export interface FamilyScores {
  readonly setting: string;
  readonly family: CorruptionGroup;
  /** Number of different images. Every one of them was seen under each corruption and severity of the family. */
  readonly images: number;
  /** Number of answers: images times corruptions times severities. */
  readonly answers: number;
  /** Number of answers that are right at the last timestep but wrong at timestep 0. */
  readonly gained: number;
  /** Number of answers that are wrong at the last timestep but right at timestep 0. */
  readonly lost: number;
  /** Sum over images of the square of (gained - lost) of that image. */
  readonly squares: number;
}

/** Counts changed answers in one setting, image by image, for each family of corruptions. */
export class FamilyTally {
  readonly #families = new Map<
    CorruptionGroup,
    { answers: number; gained: number; lost: number; net: Map<number, number> }
  >();

  /**
   * Adds one run.
   *
   * @param logits [timesteps, batch, classes]
   * @param indices which image each element of the batch shows; the same number under every corruption
   */
  add(
    corruption: CorruptionName,
    logits: TensorData,
    labels: ArrayLike<number>,
    indices: readonly number[],
  ): void {
    const [timesteps, count] = logits.shape as [number, number];
    checkLength("families of corruptions: labels", labels, count);
    checkLength("families of corruptions: images", indices, count);
    const family = corruptionGroup(corruption);
    const sums = this.#families.get(family) ?? {
      answers: 0,
      gained: 0,
      lost: 0,
      net: new Map<number, number>(),
    };
    this.#families.set(family, sums);
    const [first, last] = [largestLogits(logits, 0), largestLogits(logits, timesteps - 1)];
    indices.forEach((image, i) => {
      const change = Number(last[i] === labels[i]) - Number(first[i] === labels[i]);
      sums.answers++;
      if (change > 0) sums.gained++;
      if (change < 0) sums.lost++;
      sums.net.set(image, (sums.net.get(image) ?? 0) + change);
    });
  }

  /** The scores of all families that were seen, in the usual order. */
  scores(setting: string): FamilyScores[] {
    return ORDER.flatMap((family) => {
      const sums = this.#families.get(family);
      if (!sums) return [];
      const { net, ...counts } = sums;
      const squares = [...net.values()].reduce((sum, change) => sum + change ** 2, 0);
      return [{ setting, family, images: net.size, ...counts, squares }];
    });
  }
}

/** A family's scores over all seeds. */
export interface FamilyChange {
  readonly setting: string;
  readonly family: CorruptionGroup;
  /** Change of accuracy from timestep 0 to the last, as a fraction, mean over seeds. */
  readonly change: number;
  /** Number of gained answers, all seeds together. */
  readonly gained: number;
  /** Number of lost answers, all seeds together. */
  readonly lost: number;
  /**
   * Standard score of the change. An image has one answer for each corruption and severity, and these go together, so
   * the unit is the image: z = sum of d / sqrt(sum of d^2), where d is an image's gained minus lost answers. With one
   * answer for each image this is McNemar's (gained - lost) / sqrt(gained + lost). Seeds share their test images, so
   * numerator and squares are means over seeds. 0 if no answer changed.
   */
  readonly z: number;
}

/** Joins the scores of seeds into one row for each setting and family, in the order in which they first occur. */
export function familyChanges(scores: readonly FamilyScores[]): FamilyChange[] {
  const firsts = scores.filter((row, i) => scores.findIndex((other) => isSame(row, other)) === i);
  return firsts.map((first) => {
    const { setting, family } = first;
    const rows = scores.filter((row) => isSame(row, first));
    const total = (value: (row: FamilyScores) => number) => rows.reduce((sum, row) => sum + value(row), 0);
    const [gained, lost] = [total((row) => row.gained), total((row) => row.lost)];
    const error = Math.sqrt(average(rows.map(({ squares }) => squares)));
    const net = (gained - lost) / rows.length;
    return {
      setting,
      family,
      change: (gained - lost) / total((row) => row.answers),
      gained,
      lost,
      z: error === 0 ? 0 : net / error,
    };
  });
}

function isSame(one: FamilyScores, other: FamilyScores): boolean {
  return one.setting === other.setting && one.family === other.family;
}
