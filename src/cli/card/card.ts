import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import pc from "picocolors";
import { openOnnx, sha256OfModel } from "../../graph/onnx/read/open-node.js";
import type { ResultCard } from "../../robustness/card.js";
import { readCard } from "../../robustness/read-card-node.js";
import { check } from "../../util/errors.js";
import { ensureFolder, writeFileAtomic } from "../../util/files-node.js";
import type { CardOptions } from "../commands/card.js";
import type { Streams } from "../terminal/streams.js";
import { croissantOf } from "./croissant.js";
import { hubCard, readRun } from "./hub.js";
import { leaderboardEntries } from "./robustbench.js";

/** A file to write. */
export interface CardOutput {
  readonly path: string;
  readonly text: string;
  readonly cautions: readonly string[];
}

/**
 * Writes a card in the format that the options name.
 *
 * @throws StriateError if the source lacks what the format demands, and for a file that exists, unless --force is given
 */
export async function writeCard(source: string, options: CardOptions, streams: Streams): Promise<void> {
  for (const { path, text, cautions } of await outputsOf(source, options)) {
    check(
      options.force || !existsSync(path),
      () => `"${path}" exists already: choose another --out, or replace it with --force`,
    );
    await ensureFolder(dirname(path));
    await writeFileAtomic(path, text);
    for (const caution of cautions) streams.err.write(`${pc.yellow("caution")} ${caution}\n`);
    streams.out.write(`written  ${path}\n`);
  }
}

async function outputsOf(source: string, options: CardOptions): Promise<CardOutput[]> {
  const { format, out } = options;
  if (format === "huggingface") {
    const run = await readRun(source);
    const measured = options.robustness === undefined ? undefined : await cardOf(source, options.robustness);
    return [{ path: out ?? join(source, "README.md"), ...hubCard(run, measured, options) }];
  }
  if (format === "croissant") {
    const { metadata, cautions } = await croissantOf(source, options);
    return [{ path: out ?? join(source, "croissant.json"), text: json(metadata), cautions }];
  }
  const { card } = await readCard(source);
  const entries = leaderboardEntries(card, options);
  check(
    out === undefined || entries.length === 1,
    () =>
      `--out: expected one entry, but the card has ${entries.length} (${entries.map(({ threat }) => threat).join(", ")}): leave --out away, and each gets a file of its own`,
  );
  return entries.map(({ dataset, threat, name, entry, cautions }) => ({
    path: out ?? join("model_info", dataset, threat, `${name}.json`),
    text: json(entry),
    cautions,
  }));
}

/** Reads the result card of a run's network. */
async function cardOf(run: string, path: string): Promise<ResultCard> {
  const { card } = await readCard(path);
  const model = join(run, "model.onnx");
  const { sha256, name } = card.protocol.model;
  check(
    (await sha256OfModel(model, await openOnnx(model, "model.onnx"))) === sha256,
    () =>
      `--robustness ${path}: expected the result card of "${model}", got that of another network (${name})`,
  );
  return card;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
