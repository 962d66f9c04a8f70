import type { PreparedImages } from "../../data/images/prepared-images.js";
import { imageBatch, IMAGES } from "../../data/images/prepared-images.js";
import type { Tensor, TensorData } from "../../graph/index.js";
import { add, input, lower, mul, reshape, sqrt, sub, sum, tensorData, writeOnnx } from "../../graph/index.js";
import type { State } from "../../nn/module.js";
import { namedParameters } from "../../nn/module.js";
import { asConstants } from "../../nn/training-state.js";
import type { Session, SessionOptions } from "../../runtime/runtime.js";
import { targetOf } from "../../runtime/runtime.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import { ClassificationTask } from "../../systems/baselines/index.js";
import { ResNet } from "../../systems/baselines/resnet.js";
import type { VOneBlockOptions, VOneNet } from "../../systems/vonenet/index.js";
import {
  PlainNet,
  plainResNet18,
  sampleReceptiveFields,
  V1_PREPROCESSING,
  VOneBlock,
  VOneNetTask,
  voneResNet18,
} from "../../systems/vonenet/index.js";
import type { Task } from "../../train/task.js";
import type { Architecture, V1NetworkCell, NetworkName, SampledName } from "./plan.js";
import { IMAGE_SIZE, isSampled, VISUAL_DEGREES } from "./plan.js";

/** The V1 of one variant and seed, by default without noise. */
export function v1Of(
  variant: SampledName,
  seed: number,
  architecture: Architecture,
  options: Pick<VOneBlockOptions, "noise"> = {},
): VOneBlock {
  const { simple, complex, kernelSize, stride, gain } = architecture;
  return new VOneBlock({
    fields: sampleReceptiveFields({ variant, seed, simple, complex }),
    imageSize: IMAGE_SIZE,
    visualDegrees: VISUAL_DEGREES,
    kernelSize,
    stride,
    gain,
    ...options,
  });
}

/** The network of a cell with V1. */
export function sampledNetwork(
  { seed, architecture }: Pick<V1NetworkCell, "seed" | "architecture">,
  network: SampledName,
  classes: number,
): VOneNet<ResNet> {
  return voneResNet18(v1Of(network, seed, architecture), { classes, width: architecture.width });
}

/**
 * The task of a cell. Without V1, the stride of the first stage is chosen so that the other stages get as many
 * positions as with V1.
 */
export function taskOf(
  cell: Pick<V1NetworkCell, "seed" | "architecture"> & { readonly network: NetworkName },
  classes: number,
): Task {
  const { network, architecture } = cell;
  if (isSampled(network)) return new VOneNetTask(sampledNetwork(cell, network, classes));
  const { width, stride } = architecture;
  if (network === "biol-noise") {
    const block = v1Of("biol", cell.seed, architecture, { noise: { kind: "neuronal" } });
    return new VOneNetTask(voneResNet18(block, { classes, width }));
  }
  const plain =
    stride === 2
      ? plainResNet18({ classes, width })
      : new PlainNet(new ResNet({ depth: 18, classes, width, stem: "imagenet" }));
  return new ClassificationTask(plain, [3, IMAGE_SIZE, IMAGE_SIZE]);
}

async function open(
  outputs: Record<string, Tensor>,
  values: State,
  options: SessionOptions,
): Promise<Session> {
  const model = writeOnnx(lower(outputs, targetOf(workerRuntime, options)), { values: asConstants(values) });
  return workerRuntime.createSession(model, options);
}

/** A session of V1 alone. */
export interface ResponseProbe {
  /** Returns the responses [batch, cells, side, side] to some images. */
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

/** The part of a trained network after V1, which can hold some of V1's cells at a value. */
export interface ReadOutProbe {
  /**
   * Sets the responses of the `held` cells to their entries in `values` at all positions. Returns logits [batch, classes], and for each image the relative change |W (r - r')| / |W r| of the output of the bottleneck W, with r the responses before and r' those after the change.
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
