import { StriateError } from "../util/errors.js";
import type { Pretrained } from "./decode.js";
import { decodePretrained, pretrainedCard } from "./decode.js";
import type { PretrainedName } from "./models.js";

/** Options for loading the weights of a trained network in a page. */
export interface LoadPretrainedOptions {
  /**
   * The folder from which to download the weights, for pages whose bundler does not copy them. Default: the
   * folder to which the bundler copied them.
   */
  readonly folder?: string | URL;
  readonly signal?: AbortSignal;
}

/*
 * Addresses of the weights. Each is written out because Vite and webpack copy a file only if its path is a
 * literal in `new URL`.
 */
const ADDRESSES: Readonly<Record<PretrainedName, () => URL>> = {
  "komplexnet-digits2": () => new URL("../../pretrained/komplexnet-digits2.safetensors", import.meta.url),
  "random-phases-digits2": () =>
    new URL("../../pretrained/random-phases-digits2.safetensors", import.meta.url),
  "real-valued-digits2": () => new URL("../../pretrained/real-valued-digits2.safetensors", import.meta.url),
  "akorn-sudoku": () => new URL("../../pretrained/akorn-sudoku.safetensors", import.meta.url),
  "predify-digits": () => new URL("../../pretrained/predify-digits.safetensors", import.meta.url),
  "akorn-tetrominoes": () => new URL("../../pretrained/akorn-tetrominoes.safetensors", import.meta.url),
};

/**
 * Loads a trained network that comes with Striate. This function is for pages; in Node, use the function of
 * the same name in `striate/node`. `PRETRAINED_CARDS` lists the networks.
 *
 * @throws StriateError for an unknown name, a file that cannot be downloaded, and a file that does not match the card
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
    throw new StriateError(`${url.href}: the weights of ${name} could not be downloaded`, { cause: error });
  }
  if (!response.ok)
    throw new StriateError(
      `${url.href}: expected the weights of ${name}, got status ${response.status} from the server; copy ${file} from ` +
        `the package's folder pretrained/ to the server, and pass the address of its folder in the option "folder"`,
    );
  return decodePretrained(name, new Uint8Array(await response.arrayBuffer()), url.href);
}
