import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";
import type { PretrainedCard } from "../src/pretrained/card.js";
import { PRETRAINED_NAMES } from "../src/pretrained/models.js";
import { sha256 } from "../src/util/checksums.js";
import { writeFileAtomic } from "../src/util/files-node.js";
import type { StoredTensor } from "../src/util/safetensors.js";
import { encodeSafetensors } from "../src/util/safetensors.js";

const root = new URL("../", import.meta.url);

/**
 * Publishes a trained network: writes pretrained/NAME.safetensors, pretrained/NAME.json and the card in
 * src/pretrained/cards.ts.
 */
export async function publish(
  facts: Omit<PretrainedCard, "file" | "bytes" | "sha256">,
  tensors: ReadonlyMap<string, StoredTensor>,
): Promise<void> {
  const { name } = facts;
  const bytes = encodeSafetensors(new Map(tensors), { name });
  const file = `${name}.safetensors`;
  const card: PretrainedCard = { ...facts, file, bytes: bytes.length, sha256: await sha256(bytes) };
  await writeFileAtomic(new URL(`pretrained/${file}`, root).pathname, bytes);
  await writeFileAtomic(
    new URL(`pretrained/${name}.json`, root).pathname,
    await format(JSON.stringify(card), { parser: "json" }),
  );
  const cards = await Promise.all(
    PRETRAINED_NAMES.filter((one) => existsSync(new URL(`pretrained/${one}.json`, root))).map(async (one) => [
      one,
      await readFile(new URL(`pretrained/${one}.json`, root), "utf8"),
    ]),
  );
  const code = `// Written by scripts/publish-pretrained.ts, from the runs that trained the networks.
import type { PretrainedCard } from "./card.js";
import type { PretrainedName } from "./models.js";

/** The networks that come with Striate, by name. */
export const PRETRAINED_CARDS: Readonly<Record<PretrainedName, PretrainedCard>> = {
${cards.map(([one, text]) => `${JSON.stringify(one)}: ${text!.trim()},`).join("\n")}
};
`;
  const target = new URL("src/pretrained/cards.ts", root).pathname;
  await writeFileAtomic(
    target,
    await format(code, { ...(await resolveConfig(target)), parser: "typescript" }),
  );
  console.log(name, bytes.length, "bytes;", ...card.figures.map(({ value, unit }) => `${value} ${unit}`));
}
