import { existsSync } from "node:fs";
import { StriateError, check } from "../util/errors.js";
import { readFileChecked } from "../util/files-node.js";
import { isJsonObject, parseStrictJson } from "../util/json.js";
import type { ResultCard } from "./card.js";
import type { RunRecord } from "./records.js";
import { readResults } from "./results-file-node.js";

const LARGEST = 2 ** 28;

/** A result card with the records from which it was made. */
export interface CardFile {
  readonly path: string;
  readonly card: ResultCard;
  /** Undefined if the records are no longer beside the card. */
  readonly records: readonly RunRecord[] | undefined;
}

/**
 * Reads a result card that `striate robustness` wrote (`NAME.json`), and the records beside it
 * (`NAME.results.jsonl`).
 *
 * @throws StriateError for a file that is no result card, and for records that do not belong to it
 */
export async function readCard(path: string): Promise<CardFile> {
  check(path.endsWith(".json"), () => `expected a result card (.json), got "${path}"`);
  const bytes = await readFileChecked(path, { what: "result card", maxBytes: LARGEST });
  const what = `"${path}"`;
  const value = parseStrictJson(new TextDecoder().decode(bytes), what);
  if (!isCard(value))
    throw new StriateError(`${what}: expected a result card of striate robustness, got another JSON file`);
  const records = path.replace(/\.json$/, ".results.jsonl");
  if (!existsSync(records)) return { path, card: value, records: undefined };
  const run = await readResults(records);
  const model =
    isJsonObject(run.settings) && isJsonObject(run.settings.model) ? run.settings.model.sha256 : undefined;
  check(
    model === value.protocol.model.sha256,
    () => `"${records}": expected the records of the network of ${what}, got those of another network`,
  );
  return { path, card: value, records: run.records };
}

function isCard(value: unknown): value is ResultCard {
  return (
    isJsonObject(value) &&
    value.kind === "striate robustness" &&
    isJsonObject(value.protocol) &&
    isJsonObject(value.protocol.model) &&
    isJsonObject(value.protocol.data) &&
    Array.isArray(value.corruptions) &&
    Array.isArray(value.attacks)
  );
}
