import { initialState, namedParameters } from "../src/nn/module.js";
import { pgd } from "../src/robustness/attacks/simple.js";
import { Classifier } from "../src/robustness/classifier.js";
import { tracedNetwork } from "../src/robustness/network.js";
import { nodeRuntime } from "../src/runtime/node.js";
import { ResNet } from "../src/systems/baselines/resnet.js";
import { Random } from "../src/util/random.js";
import type { BenchCase } from "./measure.js";

const [BATCH, SIDE, STEPS] = [8, 224, 20];

/** PGD-20 on ResNet-18: forward, backward to the image, step and projection, twenty times. */
export function robustnessCases(): BenchCase[] {
  return [
    {
      name: `PGD-${STEPS}, ResNet-18, ${SIDE} pixels, batch ${BATCH}`,
      amount: BATCH,
      unit: "images/s",
      bar: 0.9,
      peer: { name: "pgd", options: { batch: BATCH, side: SIDE, steps: STEPS } },
      open: () => {
        const model = new ResNet({ depth: 18 });
        const state = initialState(namedParameters(model), (name) => Random.derive(1, name));
        const network = tracedNetwork({
          name: "ResNet-18",
          imageShape: [3, SIDE, SIDE],
          preprocessing: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
          forward: (images) => model.forward(images),
          state,
        });
        const classifier = new Classifier(network, nodeRuntime, { threads: 2 });
        const data = new Random(1).fillUniform(new Float32Array(BATCH * 3 * SIDE * SIDE));
        const labels = Int32Array.from({ length: BATCH }, (_, i) => 100 * i);
        const epsilon = 4 / 255;
        const options = { steps: STEPS, stepSize: epsilon / 4 };
        return Promise.resolve({
          run: () => pgd(classifier, { count: BATCH, data }, labels, epsilon, options),
          close: () => classifier.close(),
        });
      },
    },
  ];
}
