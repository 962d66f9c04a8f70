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
  /** Origin of the weights, and figures of the network. */
  readonly card: PretrainedCard;
  /** The model for `openStepper`, `Evaluator`, `train` and `exportOnnx`. Its `model` is the network itself. */
  readonly model: PretrainedModel<N>;
  /** Values of all parameters. */
  readonly values: State;
}

/** @throws StriateError for an unknown name, with a suggestion */
export function pretrainedCard(name: string): PretrainedCard {
  const known = PRETRAINED_NAMES.find((one) => one === name);
  if (known === undefined) throw new StriateError(unknownName("pretrained network", name, PRETRAINED_NAMES));
  return PRETRAINED_CARDS[known];
}

/**
 * Builds the network with the given name and reads its weights from bytes.
 *
 * @throws StriateError for bytes that are not the file that the card describes
 */
export async function decodePretrained<N extends PretrainedName>(
  name: N,
  bytes: Uint8Array<ArrayBuffer>,
  source: string,
): Promise<Pretrained<N>> {
  const card = pretrainedCard(name);
  check(
    bytes.length === card.bytes,
    () => `${source}: expected the weights of ${name}, ${card.bytes} bytes, got ${bytes.length} bytes`,
  );
  check(
    hasDigests(),
    () =>
      `${source}: weights are checked by SHA-256, for which a page must be served over https or from localhost`,
  );
  const digest = await sha256(bytes);
  check(
    digest === card.sha256,
    () => `${source}: expected the weights of ${name} with the SHA-256 ${card.sha256}, got ${digest}`,
  );
  const { tensors } = decodeSafetensors(bytes, source);
  const model = PRETRAINED_MODELS[name]() as PretrainedModel<N>;
  const values: State = new Map(
    Array.from(model.parameters, ([key, { shape }]) => {
      const stored = tensors.get(key);
      check(
        stored?.dtype === "F32",
        () => `${source}: expected a float32 tensor "${key}", which is missing or of another type`,
      );
      return [key, tensorData(stored.data as Float32Array, shape as readonly number[])];
    }),
  );
  return { card, model, values };
}
