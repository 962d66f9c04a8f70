import { CIFAR10_CLASSES } from "../../data/sets/cifar10.js";
import type { Tensor } from "../../graph/index.js";
import { add, constant, mul, relu, scope, sub, sum, tensorData } from "../../graph/index.js";
import { Linear } from "../../nn/layers/linear.js";
import type { State } from "../../nn/module.js";
import type { Network, TracedLogits } from "../../robustness/network.js";
import { tracedNetwork } from "../../robustness/network.js";
import {
  IterativeObjectNetwork,
  NOISE,
  RecognitionNetwork,
  RecognitionTask,
} from "../../systems/akorn/index.js";
import { ClassificationTask, ResNet } from "../../systems/baselines/index.js";
import type { Task } from "../../train/task.js";
import { Random } from "../../util/random.js";
import type { RecognitionNetworkCell, RecognitionNoise } from "./plan.js";

export const IMAGE_SHAPE = [3, 32, 32] as const;

const CLASSES = CIFAR10_CLASSES.length;

interface Model {
  readonly task: Task;
  /** Returns logits for images in [0, 1]. */
  readonly answer: (images: Tensor, noise: RecognitionNoise) => TracedLogits;
}

/** Returns the task of a network, and a function that adds the network to another graph. */
export function modelOf({ model, shapes }: Pick<RecognitionNetworkCell, "model" | "shapes">): Model {
  switch (model) {
    case "akorn": {
      const network = new RecognitionNetwork({ classes: CLASSES, ...shapes.akorn });
      return {
        task: new RecognitionTask(network),
        answer: (images, noise) => oscillatorAnswer(network, images, noise),
      };
    }
    case "resnet": {
      const network = new CentredResNet(shapes.resnet.width);
      return classifier(network);
    }
    case "vit":
      return classifier(new VisionTransformer({ ...shapes.vit, classes: CLASSES }));
  }
}

function classifier(network: ConstructorParameters<typeof ClassificationTask>[0]): Model {
  return {
    task: new ClassificationTask(network, IMAGE_SHAPE),
    answer: (images) => ({ logits: network.forward(images) }),
  };
}

/**
 * ResNet-18 for 32 x 32 pixels, with `width` times as many channels. It first maps pixels x to (x - 0.5) /
 * 0.5, as AKOrN does.
 */
class CentredResNet {
  readonly network: ResNet;

  constructor(width: number) {
    this.network = new ResNet({ depth: 18, classes: CLASSES, width, stem: "small" });
  }

  forward(...[images, pass]: Parameters<ResNet["forward"]>): Tensor {
    return this.network.forward(sub(mul(images, 2), 1), pass);
  }
}

function oscillatorAnswer(
  network: RecognitionNetwork,
  images: Tensor,
  noise: RecognitionNoise,
): TracedLogits {
  if (noise === "fresh") {
    const drawn = network.noiseInput(images.shape[0]!);
    return { logits: network.forward({ images, noise: drawn }).logits, noise: { [NOISE]: "normal" } };
  }
  const [, ...shape] = network.noiseInput(1).shape as readonly number[];
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  Random.derive(1, "robust-recognition", "fixed start").fillNormal(values);
  // Adding zero times the images gives the constant the batch axis of the images.
  const batch = mul(sum(images, [1, 2, 3], { keepAxes: true }), 0);
  const start = add(constant(tensorData(values, [1, ...shape])), batch);
  return { logits: network.forward({ images, noise: start }).logits };
}

/** A trained network in the form that attacks use. */
export function attackedNetwork(
  cell: RecognitionNetworkCell,
  noise: RecognitionNoise,
  name: string,
  state: State,
): Network {
  const { answer } = modelOf(cell);
  return tracedNetwork({
    name,
    imageShape: IMAGE_SHAPE,
    forward: (images) => answer(images, noise),
    state,
  });
}

export interface TestedText {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /** Index into the list of chart styles. */
  readonly style: number;
}

/** Networks in the order of the report. */
export const TESTED: readonly TestedText[] = [
  {
    id: "akorn",
    label: "AKOrN",
    description:
      "Three layers of locally coupled oscillators that start at random in every pass; attacks average gradients over draws of these initial values.",
    style: 0,
  },
  {
    id: "akorn-fixed",
    label: "AKOrN, noise fixed",
    description:
      "The same parameters, but the oscillators always start from one draw, which the attacker knows, so any robustness that comes from randomness alone disappears.",
    style: 5,
  },
  { id: "resnet", label: "ResNet-18", description: "Residual network of reduced width.", style: 1 },
  { id: "vit", label: "ViT", description: "Vision transformer with patches of 4 pixels.", style: 3 },
];

export interface VisionTransformerOptions {
  readonly channels: number;
  readonly layers: number;
  readonly heads: number;
  readonly patch: number;
  readonly classes: number;
}

/**
 * The vision transformer that AKOrN's authors compare with in object discovery (patches, position code, pre-norm
 * blocks, global maximum, a hidden layer), plus one linear layer that gives the logits.
 */
export class VisionTransformer {
  readonly body: IterativeObjectNetwork;
  readonly out: Linear;

  constructor({ channels, layers, heads, patch, classes }: VisionTransformerOptions) {
    this.body = new IterativeObjectNetwork({
      channels,
      layers,
      heads,
      patch,
      timesteps: 1,
      imageSize: 32,
      rescale: false,
    });
    this.out = new Linear(channels, classes);
  }

  /** Maps images [batch, 3, 32, 32] in [0, 1] to logits. */
  forward(images: Tensor): Tensor {
    const { projection } = this.body.forward({ images });
    return scope("out", () => this.out.forward(relu(projection)));
  }
}
