import type { Tensor, TensorData } from "../src/graph/index.js";
import { input, lower, mean, writeOnnx } from "../src/graph/index.js";
import { initialState, namedParameters } from "../src/nn/module.js";
import { sgd } from "../src/nn/optimizers.js";
import { asConstants } from "../src/nn/training-state.js";
import { nodeRuntime } from "../src/runtime/node.js";
import {
  VOneBlock,
  VOneNetTask,
  v1GaborBank,
  inPixels,
  sampleReceptiveFields,
  voneResNet18,
} from "../src/systems/vonenet/index.js";
import { Trainer } from "../src/train/trainer.js";
import { Random } from "../src/util/random.js";
import { noise } from "./convolution.js";
import type { BenchCase } from "./measure.js";

const BATCH = 32;
const GEOMETRY = { imageSize: 64, visualDegrees: 2 };

const block = (): VOneBlock => new VOneBlock({ fields: sampleReceptiveFields(), ...GEOMETRY });

/** A session that answers for one batch. */
async function inference(
  forward: (images: Tensor) => Tensor,
  values: ReadonlyMap<string, TensorData> = new Map(),
): ReturnType<BenchCase["open"]> {
  const y = forward(input("images", [BATCH, 3, 64, 64]));
  const constants = { values: asConstants(values) };
  const { bytes } = writeOnnx(lower({ y }, "cpu", constants), constants);
  const session = await nodeRuntime.createSession(bytes, { threads: 2 });
  const images = noise([BATCH, 3, 64, 64]);
  return { run: () => session.run({ images }), close: () => session.close() };
}

export function vonenetCases(): BenchCase[] {
  const peer = (part: string) => ({ name: "vonenet", options: { part, batch: BATCH } });
  return [
    {
      name: "V1: drawing receptive fields and building 512 filters, 31 x 31",
      amount: 512,
      unit: "filters/s",
      open: () =>
        Promise.resolve({
          run: () => Promise.resolve(v1GaborBank(inPixels(sampleReceptiveFields(), GEOMETRY), 31)),
          close: () => Promise.resolve(),
        }),
    },
    {
      // Only the mean comes back, because onnxruntime-node copies outputs into new memory, which is not V1's work.
      name: `VOneBlock 64 pixels, 256 + 256 cells, 31 x 31, stride 2, batch ${BATCH}`,
      amount: BATCH,
      unit: "images/s",
      bar: 10,
      peer: peer("block"),
      open: () => {
        const v1 = block();
        return inference((images) => mean(v1.forward(images)));
      },
    },
    {
      name: `VOneResNet-18, batch ${BATCH}, inference`,
      amount: BATCH,
      unit: "images/s",
      bar: 6,
      peer: peer("infer"),
      open: () => {
        const network = voneResNet18(block());
        const values = initialState(namedParameters(network), (name) => Random.derive(1, name));
        return inference((images) => network.forward(images), values);
      },
    },
    {
      name: `VOneResNet-18, batch ${BATCH}, training step, V1 fixed`,
      amount: BATCH,
      unit: "images/s",
      bar: 3,
      peer: peer("train"),
      open: async () => {
        const task = new VOneNetTask(voneResNet18(block()));
        const images = noise([BATCH, 3, 64, 64]).data as Float32Array;
        const data = {
          count: BATCH,
          fill: (_: ArrayLike<number>, fields: Readonly<Record<string, Float32Array>>) => {
            fields.images?.set(images);
            fields.labels?.forEach((_label, i, labels) => (labels[i] = (7 * i) % 200));
          },
        };
        const recipe = {
          batchSize: BATCH,
          seed: 1,
          learningRate: 0.1,
          optimizer: sgd({ momentum: 0.9, weightDecay: 5e-4 }),
        };
        const trainer = await Trainer.open(task, data, recipe, nodeRuntime, { threads: 2 });
        return { run: () => trainer.advance(), close: () => trainer.close() };
      },
    },
  ];
}
