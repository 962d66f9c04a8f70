import type { PairedDifference } from "../metrics/paired.js";
import { pairedDifference } from "../metrics/paired.js";
import { average } from "../metrics/statistics.js";
import { check } from "../util/errors.js";
import type { ResultCard } from "./card.js";
import { showEpsilon } from "./epsilon.js";
import type { Outcome } from "./outcomes.js";
import { outcomesOf } from "./outcomes.js";
import type { ImageRecord, RunRecord } from "./records.js";

/** A network that was measured, with a name that no other one of the comparison has. */
export interface ComparedRun {
  readonly name: string;
  readonly card: ResultCard;
  /** Without records, only the scores of the card are compared. */
  readonly records: readonly RunRecord[] | undefined;
}

/** A measure of all networks, each compared with the first. */
export interface ComparedMeasure {
  readonly name: string;
  readonly kind: Outcome["kind"];
  /** For each network, the mean over its images; undefined if the network was not measured so. */
  readonly values: readonly (number | undefined)[];
  /** For each network, the difference to the first on the images of both; undefined for the first, and without records. */
  readonly differences: readonly (PairedDifference | undefined)[];
}

/** An image that two networks classify differently. */
export interface ChangedImage {
  readonly image: number;
  readonly label: number;
  /** The class that each network predicts for the clean image. */
  readonly predicted: readonly (number | undefined)[];
}

/** The accuracy of all networks on the clean images of one class. */
export interface ClassChange {
  readonly label: number;
  readonly count: number;
  readonly accuracy: readonly (number | undefined)[];
}

export interface Comparison {
  readonly runs: readonly ComparedRun[];
  readonly measures: readonly ComparedMeasure[];
  readonly classes: readonly ClassChange[];
  readonly changed: readonly ChangedImage[];
  /** Why numbers may not be comparable. */
  readonly cautions: readonly string[];
}

/**
 * Compares networks that were measured on the same images: each with the first, image by image.
 *
 * @throws StriateError unless there are at least two runs
 */
export function compareRuns(runs: readonly ComparedRun[]): Comparison {
  const [first] = runs;
  check(
    first !== undefined && runs.length > 1,
    () => `comparison: expected at least two result cards, got ${runs.length}`,
  );
  const cautions = runs.slice(1).flatMap((run) => differing(first, run));
  const outcomes = runs.map(outcomesIn);
  const names = new Map(outcomes.flatMap((list) => list.map(({ name, kind }) => [name, kind] as const)));
  const paired = runs.map((run) => isSameData(first, run));
  const measures = [...names].map(([name, kind]): ComparedMeasure => {
    const own = outcomes.map((list) => list.find((one) => one.name === name)?.right);
    const [base] = own;
    return {
      name,
      kind,
      values: own.map((right) => right && average([...right.values()])),
      differences: own.map((right, i) =>
        i === 0 || base === undefined || right === undefined || paired[i] !== true
          ? undefined
          : differenceOf(base, right),
      ),
    };
  });
  const images = runs.map((run, i) => (paired[i] === true ? cleanIn(run) : new Map<number, ImageRecord>()));
  return { runs, measures, classes: classesOf(images), changed: changedOf(images), cautions };
}

function outcomesIn({ card, records }: ComparedRun): Outcome[] {
  if (records === undefined) return [];
  const { corruptions, severities, model } = card.protocol;
  const conditions = corruptions.flatMap((name) =>
    (severities as readonly (1 | 2 | 3 | 4 | 5)[]).map((severity) => ({ name, severity })),
  );
  return outcomesOf(
    records,
    conditions,
    model.timesteps?.at(-1),
    ({ plan, epsilon }) => `${plan}, ε ${showEpsilon(epsilon)}`,
  );
}

/** The difference on the images that both runs have. */
function differenceOf(
  base: ReadonlyMap<number, number>,
  own: ReadonlyMap<number, number>,
): PairedDifference | undefined {
  const shared = [...own.keys()].filter((image) => base.has(image));
  if (shared.length === 0) return undefined;
  return pairedDifference(
    shared.map((image) => base.get(image)!),
    shared.map((image) => own.get(image)!),
  );
}

function cleanIn({ card, records = [] }: ComparedRun): Map<number, ImageRecord> {
  const timestep = card.protocol.model.timesteps?.at(-1);
  return new Map(
    records.flatMap((record) =>
      record.kind === "image" && record.timestep === timestep ? [[record.image, record] as const] : [],
    ),
  );
}

/** The images that are in all runs. */
function sharedImages(images: readonly ReadonlyMap<number, ImageRecord>[]): ImageRecord[] {
  const [base, ...others] = images.filter((one) => one.size > 0);
  if (base === undefined) return [];
  return [...base.values()].filter(({ image }) => others.every((own) => own.has(image)));
}

function classesOf(images: readonly ReadonlyMap<number, ImageRecord>[]): ClassChange[] {
  const shared = sharedImages(images);
  const labels = [...new Set(shared.map(({ label }) => label))].sort((a, b) => a - b);
  return labels.map((label) => {
    const own = shared.filter((record) => record.label === label);
    return {
      label,
      count: own.length,
      accuracy: images.map((run) =>
        run.size === 0
          ? undefined
          : own.filter(({ image }) => run.get(image)!.answers[0]!.rank === 0).length / own.length,
      ),
    };
  });
}

function changedOf(images: readonly ReadonlyMap<number, ImageRecord>[]): ChangedImage[] {
  return sharedImages(images).flatMap(({ image, label }) => {
    const answers = images.map((run) => run.get(image)?.answers[0]);
    const rights = new Set(answers.filter((one) => one !== undefined).map(({ rank }) => rank === 0));
    if (rights.size < 2) return [];
    return [{ image, label, predicted: answers.map((one) => one?.predicted) }];
  });
}

/** Whether two runs measured the same images. */
function isSameData(a: ComparedRun, b: ComparedRun): boolean {
  const [one, other] = [a.card.protocol.data, b.card.protocol.data];
  return one.sha256 !== undefined && one.sha256 === other.sha256;
}

/** Settings in which a run differs from the first, so that numbers may not be comparable. */
function differing(first: ComparedRun, run: ComparedRun): string[] {
  const [a, b] = [first.card.protocol, run.card.protocol];
  const cautions: string[] = [];
  if (!isSameData(first, run))
    cautions.push(
      `${run.name} was measured on other images than ${first.name} (${b.data.images} of ${b.data.name}, ${a.data.images} of ${a.data.name}): only means can be compared, not images`,
    );
  const settings: readonly (readonly [string, unknown, unknown])[] = [
    ["the random seed", a.seed, b.seed],
    ["the constants of the corruptions", a.constants, b.constants],
    ["the JPEG quality after corruptions", a.reencode, b.reencode],
    ["the number of forward passes", a.passes, b.passes],
    ["the version of Striate", a.version, b.version],
  ];
  for (const [what, one, other] of settings)
    if (one !== other)
      cautions.push(
        `${run.name} differs from ${first.name} in ${what}: ${String(other)}, not ${String(one)}`,
      );
  if (run.records === undefined || first.records === undefined)
    cautions.push(
      `the records of ${(run.records === undefined ? run : first).name} are not beside its card: differences need them`,
    );
  for (const { name, card } of [first, run])
    if (!card.complete) cautions.push(`the run of ${name} was stopped before its end`);
  return [...new Set(cautions)];
}

/**
 * Names for the runs of a comparison: those of their networks, or if two are equal those of the cards, with the folder.
 * Names that are still equal are numbered.
 */
export function runNames(cards: readonly { readonly path: string; readonly card: ResultCard }[]): string[] {
  const names = cards.map(({ card }) => card.protocol.model.name);
  const distinct = new Set(names).size === names.length;
  const chosen = distinct
    ? names
    : cards.map(({ path }) =>
        path
          .replace(/\.json$/, "")
          .split(/[/\\]/)
          .slice(-2)
          .join("/"),
      );
  return chosen.map((name, i) => {
    const before = chosen.slice(0, i).filter((one) => one === name).length;
    return before === 0 ? name : `${name} (${before + 1})`;
  });
}
