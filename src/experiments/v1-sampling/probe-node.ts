import type { PreparedImages } from "../../data/images/prepared-images.js";
import { IMAGES, imageBatch } from "../../data/images/prepared-images.js";
import type { Tensor, TensorData } from "../../graph/index.js";
import { add, input, lower, mul, reshape, sqrt, sub, sum, tensorData, writeOnnx } from "../../graph/index.js";
import type { State } from "../../nn/module.js";
import { namedParameters } from "../../nn/module.js";
import { baked } from "../../nn/training-state.js";
import type { Session, SessionOptions } from "../../runtime/runtime.js";
import { targetOf } from "../../runtime/runtime.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import type { VOneBlock, VOneNet } from "../../systems/vonenet/index.js";
import { V1_PREPROCESSING } from "../../systems/vonenet/index.js";

/** Places 0..count-1 in full batches; what is left over at the end is left out. */
export function* fullBatches(count: number, batch: number): Generator<number[], void, undefined> {
  for (let at = 0; at + batch <= count; at += batch) yield Array.from({ length: batch }, (_, i) => at + i);
}

async function open(
  outputs: Record<string, Tensor>,
  values: State,
  options: SessionOptions,
): Promise<Session> {
  const model = writeOnnx(lower(outputs, targetOf(workerRuntime, options)), { values: baked(values) });
  return workerRuntime.createSession(model, options);
}

/** V1 alone. */
export interface ResponseProbe {
  /** Responses [batch, cells, side, side] to some images. */
  responses(images: PreparedImages, indices: readonly number[]): Promise<TensorData>;
  close(): Promise<void>;
}

export async function openResponses(
  block: VOneBlock,
  batch: number,
  options: SessionOptions,
): Promise<ResponseProbe> {
  const images = input(IMAGES, [batch, 3, block.imageSize, block.imageSize]);
  const session = await open({ responses: block.forward(images) }, new Map(), options);
  return {
    responses: async (from, indices) => {
      const { responses } = await session.run({ [IMAGES]: imageBatch(from, V1_PREPROCESSING, indices) });
      return responses!;
    },
    close: () => session.close(),
  };
}

/** A trained network from V1's responses on, with some cells held at a value. */
export interface ReadOutProbe {
  /**
   * Logits [batch, classes] with the responses of `held` cells set to their entry in `values` (all positions), and for each
   * image |W (r - r')| / |W r|, how far that moves what the bottleneck W makes of the responses r.
   */
  readOut(
    responses: TensorData,
    held: readonly number[],
    values: ArrayLike<number>,
  ): Promise<{ readonly logits: Float32Array; readonly moved: Float32Array }>;
  close(): Promise<void>;
}

export async function openReadOut(
  network: VOneNet,
  values: State,
  batch: number,
  options: SessionOptions,
): Promise<ReadOutProbe> {
  namedParameters(network);
  const { cells, outputSize } = network.block;
  const responses = input("responses", [batch, cells, outputSize, outputSize]);
  const kept = input("kept", [1, cells, 1, 1]);
  const held = input("held", [1, cells, 1, 1]);
  const changed = add(mul(responses, kept), held);
  const [before, after] = [responses, changed].map((r) => network.bottleneck.forward(r)) as [Tensor, Tensor];
  const length = (x: Tensor) => sqrt(sum(reshape(mul(x, x), [batch, -1]), [1]));
  const outputs = {
    logits: network.model.forward(after),
    change: length(sub(before, after)),
    size: length(before),
  };
  const session = await open(outputs, values, options);
  return {
    readOut: async (given, cellsHeld, at) => {
      const [keep, hold] = [new Float32Array(cells).fill(1), new Float32Array(cells)];
      for (const cell of cellsHeld) {
        keep[cell] = 0;
        hold[cell] = at[cell]!;
      }
      const found = await session.run({
        responses: given,
        kept: tensorData(keep, [1, cells, 1, 1]),
        held: tensorData(hold, [1, cells, 1, 1]),
      });
      const [change, size] = [found.change!.data as Float32Array, found.size!.data as Float32Array];
      return {
        logits: found.logits!.data as Float32Array,
        moved: change.map((value, i) => (size[i] === 0 ? 0 : value / size[i]!)),
      };
    },
    close: () => session.close(),
  };
}
