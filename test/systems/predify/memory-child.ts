import { input, lower, tensorData, writeOnnx } from "../../../src/graph/index.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { initialState, namedParameters } from "../../../src/nn/module.js";
import { asConstants } from "../../../src/nn/training-state.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import { Vgg } from "../../../src/systems/baselines/index.js";
import { freshValues, openPredictive, predify } from "../../../src/systems/predify/index.js";
import { Random } from "../../../src/util/random.js";

/** Prints the largest resident memory, in MiB, of a process that runs PCoders for so many timesteps. */
async function main(timesteps: number): Promise<void> {
  const model = new Vgg({ depth: 11, batchNorm: true, width: 0.5, hidden: 64, grid: 1, classes: 10 });
  const values = initialState(namedParameters(model), (name) => Random.derive(1, name));
  const logits = model.forward(input("input", ["batch", 3, 32, 32]));
  const file = readOnnx(writeOnnx(lower({ logits }, "portable"), { values: asConstants(values) }).bytes);
  const network = predify(file, { pcoders: 4 });
  const runner = await openPredictive(network, freshValues(network, 1), nodeRuntime, {
    timesteps,
    batch: 32,
    threads: 1,
  });
  const images = tensorData(new Float32Array(32 * 3072).fill(0.5), [32, 3, 32, 32]);
  for (let run = 0; run < 2; run++) await runner.run(images);
  await runner.close();
  console.log(process.resourceUsage().maxRSS / 2 ** 10);
}

await main(Number(process.argv[2]));
