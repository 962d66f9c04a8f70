import { tensorData } from "../graph/index.js";
import type { State } from "../nn/module.js";
import { check, StriateError } from "../util/errors.js";
import { decodeSafetensors } from "../util/safetensors.js";
import { hasDigests, sha256 } from "../util/checksums.js";
import { unknownName } from "../util/suggest.js";
import type { PretrainedCard } from "./card.js";
import { PRETRAINED_CARDS } from "./cards.js";
import type { PretrainedModel, PretrainedName } from "./models.js";
import { PRETRAINED_MODELS, PRETRAINED_NAMES } from "./models.js";

/** A trained network that comes with Striate. */
export interface Pretrained<N extends PretrainedName = PretrainedName> {
  /** Where the weights come from, and what was measured on the network. */
  readonly card: PretrainedCard;
  /**
   * The task to pass to `openStepper`, `Evaluator`, `train` or `exportOnnx`. Its property `model` is the
   * network itself.
   */
  readonly model: PretrainedModel<N>;
  /** Values of all parameters. */
  readonly values: State;
}

/**
 * Returns the card of a pretrained network.
 *
 * @throws StriateError for an unknown name; the message suggests a similar name
 */
export function pretrainedCard(name: string): PretrainedCard {
  const known = PRETRAINED_NAMES.find((one) => one === name);
  if (known === undefined) throw new StriateError(unknownName("pretrained network", name, PRETRAINED_NAMES));
  return PRETRAINED_CARDS[known];
}

/**
 * Builds the network with the given name and reads its weights from the bytes of a safetensors file. `source`
 * names the file in error messages.
 *
 * @throws StriateError if the bytes are not those of the file that the card describes
 */
export async function decodePretrained<N extends PretrainedName>(
  name: N,
  bytes: Uint8Array<ArrayBuffer>,
  source: string,
): Promise<Pretrained<N>> {
  const card = pretrainedCard(name);
  check(
    bytes.length === card.bytes,
    () => `${source}: expected the ${card.bytes} bytes of the weights of ${name}, got ${bytes.length} bytes`,
  );
  check(
    hasDigests(),
    () =>
      `${source}: the weights cannot be checked: browsers compute SHA-256 only on pages served over https or from localhost`,
  );
  const digest = await sha256(bytes);
  check(
    digest === card.sha256,
    () => `${source}: expected the weights of ${name} with the SHA-256 ${card.sha256}, got ${digest}`,
  );
  const stored: State = new Map(
    Array.from(decodeSafetensors(bytes, source).tensors, ([key, { data, shape }]) => [
      key,
      tensorData(data as Float32Array, shape),
    ]),
  );
  const model = (await PRETRAINED_MODELS[name](stored)) as PretrainedModel<N>;
  const values: State = new Map(Array.from(model.parameters.keys(), (key) => [key, stored.get(key)!]));
  return { card, model, values };
}
