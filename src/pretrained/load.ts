import { StriateError } from "../util/errors.js";
import type { Pretrained } from "./decode.js";
import { decodePretrained, pretrainedCard } from "./decode.js";
import type { PretrainedName } from "./models.js";

/** Where the weights come from. */
export interface LoadPretrainedOptions {
  /** The folder that holds the weights, for pages whose bundler does not copy them. Default: where the bundler put them. */
  readonly folder?: string | URL;
  readonly signal?: AbortSignal;
}

/* Written out one by one: Vite and webpack find `new URL` with a literal path, and copy the file. */
const ADDRESSES: Readonly<Record<PretrainedName, () => URL>> = {
  "komplexnet-digits2": () => new URL("../../pretrained/komplexnet-digits2.safetensors", import.meta.url),
  "random-phases-digits2": () =>
    new URL("../../pretrained/random-phases-digits2.safetensors", import.meta.url),
  "real-valued-digits2": () => new URL("../../pretrained/real-valued-digits2.safetensors", import.meta.url),
};

/**
 * Loads a trained network that comes with Striate, in a page. `PRETRAINED_CARDS` says which there are; in Node use the
 * function of the same name of `striate/node`.
 *
 * @throws StriateError for an unknown name, a file that cannot be fetched, and one that is not the card's
 *
 * @example
 * ```ts
 * import { createWebRuntime, openStepper } from "striate";
 * import { loadPretrained } from "striate/pretrained";
 *
 * const runtime = await createWebRuntime({ device: "wasm" });
 * const { card, model, values } = await loadPretrained("komplexnet-digits2");
 * const stepper = await openStepper(runtime, { model, values });
 * ```
 */
export async function loadPretrained<N extends PretrainedName>(
  name: N,
  { folder, signal }: LoadPretrainedOptions = {},
): Promise<Pretrained<N>> {
  const { file } = pretrainedCard(name);
  const url = folder === undefined ? ADDRESSES[name]() : new URL(file, new URL(folder, location.href));
  let response: Response;
  try {
    response = await fetch(url, { ...(signal && { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    throw new StriateError(`${url.href}: the weights of ${name} could not be fetched`, { cause: error });
  }
  if (!response.ok)
    throw new StriateError(
      `${url.href}: expected the weights of ${name}, the server answered ${response.status}; copy ${file} from the ` +
        `package's folder pretrained/, and say where it lies with the option "folder"`,
    );
  return decodePretrained(name, new Uint8Array(await response.arrayBuffer()), url.href);
}
