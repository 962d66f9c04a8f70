import type { Tensor } from "../../src/graph/index.js";
import { add, flatten, input, matmul, mul, tanh } from "../../src/graph/index.js";
import { Conv2d, Linear, initialState, namedParameters } from "../../src/nn/index.js";
import type { ImageBatch } from "../../src/robustness/index.js";
import { Classifier, tracedNetwork } from "../../src/robustness/index.js";
import type { Network } from "../../src/robustness/index.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { Random } from "../../src/util/random.js";
import { onTestFinished } from "vitest";

class Small {
  readonly conv = new Conv2d(3, 6, 3, { stride: 2, padding: 1 });
  readonly fc = new Linear(6 * 16, 5);

  forward(x: Tensor): Tensor {
    return this.fc.forward(flatten(tanh(mul(this.conv.forward(x), 4))));
  }
}

/** A random network on 8 x 8 images with 5 classes. */
export function smallNetwork(options: { readonly noisy?: boolean; readonly seed?: number } = {}): Network {
  const model = new Small();
  const state = initialState(namedParameters(model), (name) => Random.derive(options.seed ?? 1, name));
  return tracedNetwork({
    name: "small network",
    imageShape: [3, 8, 8],
    state,
    forward: (x) => {
      if (options.noisy !== true) return model.forward(x);
      const noise = input("noise", x.shape);
      return { logits: model.forward(add(x, mul(noise, 0.2))), noise: { noise: "normal" } };
    },
  });
}

export function open(network: Network): Classifier {
  const classifier = new Classifier(network, nodeRuntime, { threads: 1 });
  onTestFinished(() => classifier.close());
  return classifier;
}

export function randomImages(count: number, seed = 1, size = 3 * 8 * 8): ImageBatch {
  return { count, data: new Random(seed).fillUniform(new Float32Array(count * size)) };
}

/** The network's own answers as labels: every image is right. */
export function ownLabels(classifier: Classifier, images: ImageBatch): Promise<Int32Array> {
  return classifier.predict(images);
}

/** Scores by one matrix, for networks whose answers are known. */
export function linearScores(x: Tensor, weights: Tensor): Tensor {
  return matmul(flatten(x), weights);
}
