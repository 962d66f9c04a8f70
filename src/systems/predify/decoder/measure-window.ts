import type { TensorData } from "../../../graph/index.js";
import { input, lower, writeOnnx } from "../../../graph/index.js";
import type { State } from "../../../nn/module.js";
import { asConstants } from "../../../nn/training-state.js";
import type { Runtime, SessionOptions } from "../../../runtime/runtime.js";
import { targetOf } from "../../../runtime/runtime.js";
import { check } from "../../../util/errors.js";
import type { Random } from "../../../util/random.js";
import type { Decoder, DecoderUnits } from "./decoder.js";

/**
 * How often the central element is changed. The values drawn for it are whole numbers from -REACH to
 * REACH - 1.
 */
export const WINDOW_REPEATS = 10;
const REACH = 10_000;

/** Makes random draws for {@link countWindow}, as [repeats][batch]. */
export function windowDraws(random: Random, batch: number): number[][] {
  return Array.from({ length: WINDOW_REPEATS }, () =>
    Array.from({ length: batch }, () => random.integer(-REACH, REACH)),
  );
}

/** Computes the predictions from a batch of representations. */
export type DecoderRun = (representation: TensorData) => Promise<TensorData>;

/** Loads a decoder with its weights for one batch size. */
export async function openDecoder(
  { decoder, units }: { readonly decoder: Decoder; readonly units: DecoderUnits | undefined },
  values: State,
  batch: number,
  runtime: Runtime,
  options: SessionOptions = {},
): Promise<{ readonly run: DecoderRun; close(): Promise<void> }> {
  const prediction = decoder.forward(input("representation", [batch, ...decoder.source]), units);
  const constants = { values: asConstants(values) };
  const model = writeOnnx(lower({ prediction }, targetOf(runtime, options), constants), constants);
  const session = await runtime.createSession(model, options);
  return {
    run: async (representation) => (await session.run({ representation })).prediction!,
    close: () => session.close(),
  };
}

/**
 * Measures C of a PCoderN as the authors' code does. For every image, the central element of the
 * representation is set to a drawn number, and the elements of the prediction that change are counted. C is
 * the mean of these counts over images and draws. If the decoder has activations, C depends on the images and
 * the draws, and is at most the number that follows from the decoder's structure.
 *
 * @param representation [batch, channels, ...space]
 * @param draws [repeats][batch]
 */
export async function countWindow(
  run: DecoderRun,
  representation: TensorData,
  draws: readonly (readonly number[])[],
): Promise<number> {
  const [batch, channels, ...space] = representation.shape as [number, number, ...number[]];
  check(
    draws.length > 0 && draws.every((draw) => draw.length === batch),
    () =>
      `measuring the window: expected draws for ${batch} images, got draws for ${String(draws[0]?.length ?? 0)}`,
  );
  const perImage = representation.data.length / batch;
  const centre = [channels, ...space].reduce((at, length) => at * length + Math.floor(length / 2), 0);
  const original = await run(representation);
  let differing = 0;
  for (const draw of draws) {
    const changed = Float32Array.from(representation.data as Float32Array);
    draw.forEach((value, image) => (changed[image * perImage + centre] = value));
    const { data } = await run({ ...representation, data: changed });
    for (let i = 0; i < data.length; i++) if (data[i] !== original.data[i]) differing++;
  }
  return differing / batch / draws.length;
}
