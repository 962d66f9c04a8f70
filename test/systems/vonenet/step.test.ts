import { describe, expect, it } from "vitest";
import {
  flatten,
  gemm,
  globalAveragePool,
  input,
  parameter,
  relu,
  writeOnnx,
} from "../../../src/graph/index.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { normal as normalStart } from "../../../src/nn/init.js";
import { asConstants } from "../../../src/nn/training-state.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import type { V1Noise } from "../../../src/systems/vonenet/index.js";
import {
  VOneBlock,
  VOneNetTask,
  resNetBackEnd,
  sampleReceptiveFields,
  v1Frames,
  VOneNet,
  withV1,
  writeV1Network,
} from "../../../src/systems/vonenet/index.js";
import { openStepper } from "../../../src/train/stepper.js";
import { numbers, runGraph } from "../../support/run.js";
import { drawnValues, expectClose, normal, uniform, withStepper } from "../../support/steps.js";

function block(noise?: V1Noise): VOneBlock {
  const fields = sampleReceptiveFields({ simple: 6, complex: 6 });
  return new VOneBlock({ fields, imageSize: 32, visualDegrees: 1, stride: 2, ...(noise && { noise }) });
}

const images = uniform("images", [2, 3, 32, 32]);
const drawn = normal("v1", [2, 12, 16, 16]);

describe("V1, frame by frame", () => {
  it.each<[string, V1Noise | undefined]>([
    ["without noise", undefined],
    ["with noise", { kind: "neuronal" }],
  ])("gives the numbers of the network %s", async (_name, noise) => {
    const network = new VOneNet(block(noise), resNetBackEnd(18, { classes: 5, width: 1 / 16 }));
    const task = new VOneNetTask(network, { responses: true });
    const values = drawnValues(task);
    const own = noise === undefined ? {} : { "v1:noise": drawn };
    const whole = await runGraph(
      task.inference(2).outputs,
      { images, ...own },
      { values: asConstants(values) },
    );
    await withStepper(task, values, async (stepper) => {
      expect(stepper.state).toEqual([]);
      const { logits, responses } = await stepper.step({ images, ...own });
      expectClose(numbers(logits), numbers(whole.logits), "logits");
      const v1 = await runGraph(v1Frames(network.block).step(2).readouts, { images, ...own });
      expect(responses!.shape).toEqual([2, 12, 16, 16]);
      expectClose(numbers(responses), numbers(v1.responses), "responses");
    });
  });

  it("draws fresh noise for every frame, the same again from the same seed", async () => {
    await withStepper(v1Frames(block({ kind: "neuronal" })), new Map(), async (stepper) => {
      const look = async () => numbers((await stepper.step({ images })).responses);
      const [first, second] = [await look(), await look()];
      expect(first).not.toEqual(second);
      await stepper.reset();
      expect([await look(), await look()]).toEqual([first, second]);
      await stepper.reset({ seed: 3 });
      expect(await look()).not.toEqual(first);
    });
  });

  it("runs as a file: V1 in front of any network", async () => {
    const x = input("x", ["batch", 4, 16, 16]);
    const weight = parameter([3, 4], normalStart(0, 1), { name: "weight" });
    const logits = gemm(flatten(globalAveragePool(relu(x))), weight, undefined, { transB: 1 });
    const values = new Map([["weight", normal("weight", [3, 4])]]);
    const model = readOnnx(writeOnnx({ logits }, { values: asConstants(values) }).bytes);
    const network = withV1(model, { block: block({ kind: "gaussian" }), replaces: "x", gain: 0.1 });
    const stepper = await openStepper(nodeRuntime, writeV1Network(network).bytes, { batch: 2 });
    expect(stepper.inputs.map(({ name, noise }) => [name, noise])).toContainEqual(["v1:noise", "normal"]);
    const whole = await runGraph(
      network.outputs,
      { x: images, "v1:noise": drawn },
      { values: asConstants(network.values) },
    );
    const given = await stepper.step({ x: images, "v1:noise": drawn });
    expectClose(numbers(given.logits), numbers(whole.logits), "logits");
    const [one, two] = [await stepper.step({ x: images }), await stepper.step({ x: images })];
    expect(numbers(one.logits)).not.toEqual(numbers(two.logits));
    await stepper.close();
  });
});
