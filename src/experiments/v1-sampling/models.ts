import type { State } from "../../nn/module.js";
import { ClassificationTask } from "../../systems/baselines/index.js";
import { ResNet } from "../../systems/baselines/resnet.js";
import type { VOneNet } from "../../systems/vonenet/index.js";
import {
  PlainNet,
  VOneBlock,
  VOneNetTask,
  plainResNet18,
  sampleReceptiveFields,
  voneResNet18,
} from "../../systems/vonenet/index.js";
import type { Task } from "../../train/task.js";
import type { Architecture, NetworkCell, NetworkName, SampledName } from "./config.js";
import { IMAGE_SIZE, VISUAL_DEGREES, isSampled } from "./config.js";

/** V1 of one variant and seed, without noise. */
export function v1Of(variant: SampledName, seed: number, architecture: Architecture): VOneBlock {
  const { simple, complex, kernelSize, stride, gain } = architecture;
  return new VOneBlock({
    fields: sampleReceptiveFields({ variant, seed, simple, complex }),
    imageSize: IMAGE_SIZE,
    visualDegrees: VISUAL_DEGREES,
    kernelSize,
    stride,
    gain,
  });
}

/** The network of a cell with V1. */
export function sampledNetwork(
  { seed, architecture }: Pick<NetworkCell, "seed" | "architecture">,
  network: SampledName,
  classes: number,
): VOneNet<ResNet> {
  return voneResNet18(v1Of(network, seed, architecture), { classes, width: architecture.width });
}

/** The task of a cell. Without V1 the first stage has the stride at which the other stages see as many positions. */
export function taskOf(
  cell: Pick<NetworkCell, "seed" | "architecture"> & { readonly network: NetworkName },
  classes: number,
): Task {
  const { network, architecture } = cell;
  if (isSampled(network)) return new VOneNetTask(sampledNetwork(cell, network, classes));
  const { width, stride } = architecture;
  const plain =
    stride === 2
      ? plainResNet18({ classes, width })
      : new PlainNet(new ResNet({ depth: 18, classes, width, stem: "imagenet" }));
  return new ClassificationTask(plain, [3, IMAGE_SIZE, IMAGE_SIZE]);
}

/** Numbers that training changes. */
export function parameterCount(values: State): number {
  let count = 0;
  for (const [name, { data }] of values) if (!/running(Mean|Var)$/.test(name)) count += data.length;
  return count;
}
