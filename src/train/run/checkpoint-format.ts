import { checkWhole } from "../../util/check.js";
import { check } from "../../util/errors.js";
import { isJsonObject, parseStrictJson, shorten, toJson } from "../../util/json.js";
import type { Json } from "../../util/json.js";
import { decodeSafetensors, decodeSafetensorsMetadata, encodeSafetensors } from "../../util/safetensors.js";
import type { SafetensorsDtype, StoredTensor } from "../../util/safetensors.js";

const format = "striate-checkpoint";
const version = 1;

/** The groups of a checkpoint's tensors: the part of their names before the first dot. */
export const checkpointGroups = ["param", "buffer", "optimizer", "ema"] as const;
export type CheckpointGroup = (typeof checkpointGroups)[number];

/** Sums of metrics over some steps, by name. */
export interface MetricSums {
  readonly count: number;
  readonly sums: Readonly<Record<string, number>>;
}

/** Everything that a run needs to continue as if it had never stopped. */
export interface Checkpoint {
  /** Training steps done. */
  readonly step: number;
  /** Number of the current epoch, which may be incomplete. */
  readonly epoch: number;
  /** The random seed of the run. */
  readonly seed: number;
  readonly config: Json;
  /** The score of the evaluation at this step, if there was one; the best score selects the final parameters. */
  readonly score?: number;
  /** The metrics of the steps since the last line of the log. */
  readonly unlogged?: MetricSums;
  /** Version, device, threads and processor that the run used: the last bits of the weights depend on them. */
  readonly place?: string;
  /** By full name: `param.conv1.weight`, `buffer.norm.mean`, `optimizer.m.conv1.weight`, `ema.conv1.weight`. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** A tensor that a model and its optimizer need from a checkpoint. */
export interface ExpectedTensor {
  /** Full name with its group: `param.conv1.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Element type. Default F32. */
  readonly dtype?: SafetensorsDtype;
}

/**
 * A checkpoint as the bytes of a safetensors file; equal checkpoints give equal bytes.
 * Throws `StriateError` for a tensor of no known group or an array that does not fit its shape.
 */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array<ArrayBuffer> {
  for (const name of checkpoint.tensors.keys()) checkGroup(name, "the checkpoint");
  for (const key of ["step", "epoch", "seed"] as const)
    checkWhole(`checkpoint: ${key}`, checkpoint[key], { from: 0, to: Number.MAX_SAFE_INTEGER });
  const { score, unlogged, place } = checkpoint;
  if (score !== undefined) checkNotNaN(score, `The score of the checkpoint at step ${checkpoint.step}`);
  return encodeSafetensors(checkpoint.tensors, {
    format,
    version: String(version),
    step: String(checkpoint.step),
    epoch: String(checkpoint.epoch),
    seed: String(checkpoint.seed),
    config: JSON.stringify(toJson(checkpoint.config, "The checkpoint's config")),
    ...(score !== undefined && { score: String(score) }),
    ...(unlogged && { unlogged: JSON.stringify(unlogged) }),
    ...(place !== undefined && { place }),
  });
}

/** Reads what {@link encodeCheckpoint} wrote. `what` names the file in messages. Throws `StriateError`. */
export function decodeCheckpoint(bytes: Uint8Array, what = "the checkpoint"): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, what);
  check(
    metadata.format === format,
    () => `${what} is no Striate checkpoint: its metadata lacks format "${format}".`,
  );
  check(
    metadata.version === String(version),
    () =>
      `${what} has checkpoint version ${shorten(metadata.version ?? "(none)")}; this release reads ${version}.`,
  );
  for (const name of tensors.keys()) checkGroup(name, what);
  const config = metadata.config;
  check(config !== undefined, () => `${what}: the metadata lacks "config".`);
  return {
    step: readCount(metadata, "step", what),
    epoch: readCount(metadata, "epoch", what),
    seed: readCount(metadata, "seed", what),
    config: toJson(parseStrictJson(config, `The config in ${what}`), `The config in ${what}`),
    ...optionalFacts(metadata, what),
    tensors,
  };
}

/** The score in the header of a checkpoint; undefined if it has none. The bytes may end after the header. */
export function scoreInHeader(bytes: Uint8Array, what: string): number | undefined {
  return optionalFacts(decodeSafetensorsMetadata(bytes, what), what).score;
}

function optionalFacts(
  { score, unlogged, place }: Readonly<Record<string, string>>,
  what: string,
): Pick<Checkpoint, "score" | "unlogged" | "place"> {
  return {
    ...(score !== undefined && { score: readScore(score, what) }),
    ...(unlogged !== undefined && { unlogged: readSums(unlogged, what) }),
    ...(place !== undefined && { place }),
  };
}

function readScore(text: string, what: string): number {
  const score = text.trim() === "" ? NaN : Number(text);
  checkNotNaN(score, `${what}: "score"`);
  return score;
}

function checkNotNaN(score: number, what: string): void {
  check(!Number.isNaN(score), () => `${what}: expected a number, got NaN`);
}

function readSums(text: string, what: string): MetricSums {
  const value = parseStrictJson(text, `"unlogged" in ${what}`);
  const fits =
    isJsonObject(value) &&
    typeof value.count === "number" &&
    isCount(value.count) &&
    isJsonObject(value.sums) &&
    Object.values(value.sums).every((sum) => typeof sum === "number");
  check(fits, () => `${what}: expected a count and sums as "unlogged", got ${shorten(text)}`);
  return value as unknown as MetricSums;
}

function checkGroup(name: string, what: string): void {
  const known = checkpointGroups.some(
    (group) => name.startsWith(`${group}.`) && name.length > group.length + 1,
  );
  check(
    known,
    () =>
      `${what}: tensor "${shorten(name)}" belongs to no group; names begin with ${checkpointGroups.join(". ")}.`,
  );
}

function readCount(metadata: Readonly<Record<string, string>>, key: string, what: string): number {
  const text = metadata[key];
  check(text !== undefined, () => `${what}: the metadata lacks "${key}".`);
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  check(isCount(value), () => `${what}: expected a whole number as "${key}", found "${shorten(text)}".`);
  return value;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/**
 * Throws one `StriateError` naming what is missing, left over, or of another shape or type than `expected`.
 * Give the list for all groups that are to be restored; tensors of other groups do not count as left over.
 */
export function checkCheckpointTensors(
  checkpoint: Pick<Checkpoint, "tensors">,
  expected: readonly ExpectedTensor[],
  what = "the checkpoint",
): void {
  const wanted = new Map(expected.map((tensor) => [tensor.name, tensor]));
  const groups = new Set(expected.map((tensor) => groupOf(tensor.name)));
  const problems: string[] = [];
  for (const { name, shape, dtype = "F32" } of expected) {
    const found = checkpoint.tensors.get(name);
    if (found === undefined) problems.push(`"${name}" [${shape.join(",")}] is missing`);
    else if (found.shape.join() !== shape.join() || found.dtype !== dtype) {
      const is = `${found.dtype} [${found.shape.join(",")}]`;
      problems.push(`"${name}": expected ${dtype} [${shape.join(",")}], found ${is}`);
    }
  }
  for (const name of checkpoint.tensors.keys()) {
    if (!wanted.has(name) && groups.has(groupOf(name)))
      problems.push(`"${shorten(name)}" is not in the model`);
  }
  const more = problems.length > 4 ? `; and ${problems.length - 4} more` : "";
  check(
    problems.length === 0,
    () => `${what} does not fit the model: ${problems.slice(0, 4).join("; ")}${more}.`,
  );
}

function groupOf(name: string): string {
  return name.slice(0, Math.max(0, name.indexOf(".")));
}

/** The tensors of one group, by their name without the group: `conv1.weight`. */
export function checkpointTensors(
  checkpoint: Pick<Checkpoint, "tensors">,
  group: CheckpointGroup,
): Map<string, StoredTensor> {
  const prefix = `${group}.`;
  const entries = [...checkpoint.tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(entries.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}
