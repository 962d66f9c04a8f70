import type { AttackRecord, CorruptionCondition, ImageRecord, RunRecord } from "./records.js";

/** One measure of a network: which images it gets right under one condition or several. */
export interface Outcome {
  /** Name that two runs share, such as "clean", "fog" or "pgd Linf 2/255". */
  readonly name: string;
  readonly kind: "clean" | "corrupted" | "corruption" | "severity" | "attack";
  /** For each image, by its position in the data set, the share of conditions under which it is right. */
  readonly right: ReadonlyMap<number, number>;
}

/**
 * What a run found for each image: on the clean image, as a mean over all corruptions, over the severities of each
 * corruption and over the corruptions of each severity, and under each attack at each radius.
 *
 * @param timestep the timestep to use, for a network that was measured at several
 * @param attackName names an attack, for example with its radius as a fraction
 */
export function outcomesOf(
  records: readonly RunRecord[],
  conditions: readonly CorruptionCondition[],
  timestep: number | undefined,
  attackName: (record: Pick<AttackRecord, "plan" | "epsilon">) => string,
): Outcome[] {
  const images = records.filter(
    (record): record is ImageRecord => record.kind === "image" && record.timestep === timestep,
  );
  const mean = (chosen: readonly number[]) =>
    new Map(
      images.map(({ image, answers }) => [
        image,
        chosen.reduce((sum, place) => sum + (answers[place]?.rank === 0 ? 1 : 0), 0) / chosen.length,
      ]),
    );
  const places = conditions.map((_, i) => i + 1);
  const group = <K>(keyOf: (condition: CorruptionCondition) => K): [K, number[]][] =>
    [...new Set(conditions.map(keyOf))].map((key) => [
      key,
      places.filter((_, i) => keyOf(conditions[i]!) === key),
    ]);
  const outcomes: Outcome[] = [];
  if (images.length > 0) outcomes.push({ name: "clean", kind: "clean", right: mean([0]) });
  if (images.length > 0 && places.length > 0) {
    outcomes.push({ name: "corrupted", kind: "corrupted", right: mean(places) });
    for (const [name, chosen] of group(({ name: key }) => key))
      outcomes.push({ name, kind: "corruption", right: mean(chosen) });
    for (const [severity, chosen] of group(({ severity: key }) => key))
      outcomes.push({ name: `severity ${severity}`, kind: "severity", right: mean(chosen) });
  }
  const attacks = new Map<string, Map<number, number>>();
  for (const record of records) {
    if (record.kind !== "attack" || record.timestep !== timestep) continue;
    const name = attackName(record);
    const right = attacks.get(name) ?? new Map<number, number>();
    attacks.set(name, right);
    record.images.forEach((image, i) => right.set(image, record.stages.at(-1)?.robust[i] ?? 0));
  }
  for (const [name, right] of attacks) outcomes.push({ name, kind: "attack", right });
  return outcomes;
}
