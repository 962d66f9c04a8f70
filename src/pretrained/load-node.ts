import { fileURLToPath } from "node:url";
import { readFileChecked } from "../util/files-node.js";
import type { Pretrained } from "./decode.js";
import { decodePretrained, pretrainedCard } from "./decode.js";
import type { PretrainedName } from "./models.js";

const FOLDER = new URL("../../pretrained/", import.meta.url);

/**
 * Loads a trained network that comes with Striate. The weights are read from the files of the package.
 *
 * @throws StriateError for an unknown name, and for a file that is missing or does not match the card
 *
 * @example
 * ```ts
 * import { loadPretrained } from "striate/node";
 *
 * const { card, values } = await loadPretrained("komplexnet-digits2");
 * console.log(card.figures[0]!.value, values.size > 0); // 60.8 true
 * ```
 */
export async function loadPretrained<N extends PretrainedName>(name: N): Promise<Pretrained<N>> {
  const { file, bytes } = pretrainedCard(name);
  const path = fileURLToPath(new URL(file, FOLDER));
  const content = await readFileChecked(path, { what: `weights of ${name}`, maxBytes: 2 * bytes });
  return decodePretrained(name, new Uint8Array(content), path);
}
