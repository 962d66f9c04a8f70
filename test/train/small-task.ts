import { add, conv, flatten, input, matmul, mul, relu } from "../../src/graph/index.js";
import type { Dim, Tensor } from "../../src/graph/index.js";
import { parameter } from "../../src/graph/index.js";
import { torchDefault, zeros } from "../../src/nn/init.js";
import { binaryCrossEntropyWithLogits } from "../../src/nn/losses.js";
import { namedParameters } from "../../src/nn/module.js";
import type { Task, TrainingData } from "../../src/train/task.js";
import { Random } from "../../src/util/random.js";

/** A network of two layers with input noise: small enough for thousands of steps in seconds. */
export function smallTask(): Task {
  const model = {
    filters: parameter([4, 1, 3, 3], torchDefault()),
    weight: parameter([4 * 8 * 8, 2], torchDefault()),
    bias: parameter([2], zeros),
  };
  const logits = (images: Tensor) =>
    add(
      matmul(flatten(relu(conv(images, model.filters, undefined, { padding: 1 }))), model.weight),
      model.bias,
    );
  return {
    parameters: namedParameters(model),
    loss: (batch) => {
      const images = input("images", [batch, 1, 8, 8]);
      const noise = input("noise", [batch, 1, 8, 8]);
      const targets = input("targets", [batch, 2]);
      const noisy = add(images, mul(noise, 0.1));
      return {
        inputs: [images, noise, targets],
        noise: { noise: "normal" },
        loss: binaryCrossEntropyWithLogits(logits(noisy), targets),
      };
    },
    inference: (batch: Dim) => {
      const images = input("images", [batch, 1, 8, 8]);
      return { inputs: [images], outputs: { logits: logits(images) } };
    },
  };
}

/** Bright upper or lower halves: class 0 or 1. `broken` samples are NaN. */
export function smallData(count: number, broken: readonly number[] = []): TrainingData {
  return {
    count,
    fill: (indices, { images, targets }) => {
      for (const [n, index] of Array.from(indices).entries()) {
        const random = Random.derive("small data", index);
        const upper = random.uniform() < 0.5;
        targets?.set(upper ? [1, 0] : [0, 1], n * 2);
        for (let i = 0; i < 64; i++) {
          const bright = upper ? i < 32 : i >= 32;
          if (images)
            images[n * 64 + i] = broken.includes(index) ? NaN : random.uniform() * 0.5 + (bright ? 0.5 : 0);
        }
      }
    },
  };
}
