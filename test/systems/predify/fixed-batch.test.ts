import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  constant,
  conv,
  flatten,
  gemm,
  input,
  relu,
  reshape,
  resizeNearest,
  tensorData,
  writeOnnx,
} from "../../../src/graph/index.js";
import { ModelProtoSchema } from "../../../src/graph/onnx/generated/onnx_pb.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import { FeedbackTask, freshValues, openPredictive, predify } from "../../../src/systems/predify/index.js";
import type { WindowRule } from "../../../src/systems/predify/index.js";
import { Random } from "../../../src/util/random.js";

function weights(shape: readonly number[], seed: number) {
  const values = new Random(seed).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)), 0, 0.3);
  return constant(Array.from(values), shape);
}

/** A convolutional network on 8 x 8 images; with a number, an exporter wrote that batch into a Reshape. */
function network(baked?: number): Uint8Array {
  const x = input("x", [baked ?? "N", 3, 8, 8]);
  const first = relu(conv(x, weights([4, 3, 3, 3], 1), undefined, { padding: 1, stride: 2 }));
  const flat = baked === undefined ? flatten(first) : reshape(first, [baked, 64]);
  return withNamedBatch(writeOnnx({ y: gemm(flat, weights([64, 5], 2)) }).bytes);
}

/** A file that claims to take any number of images. */
function withNamedBatch(bytes: Uint8Array): Uint8Array {
  const model = fromBinary(ModelProtoSchema, bytes);
  const [batch] = model.graph!.input[0]!.type!.tensorType!.shape!.dim;
  batch!.value = { case: "dimParam", value: "N" };
  return toBinary(ModelProtoSchema, model);
}

const images = tensorData(new Random(3).fillUniform(new Float32Array(5 * 192)), [5, 3, 8, 8]);

async function answers(bytes: Uint8Array) {
  const made = predify(readOnnx(bytes), { pcoders: 1, feedforward: 0.4, error: 0.1 });
  const runner = await openPredictive(made, freshValues(made, 1), nodeRuntime, {
    timesteps: 2,
    representations: true,
    errors: true,
  });
  const results = await runner.run(images);
  await runner.close();
  return results;
}

describe("a network whose file fixes the batch", () => {
  it.each([1, 2])(
    "of %i is run as often as needed, with the answers of one that takes any",
    async (batch) => {
      const [fixed, free] = [await answers(network(batch)), await answers(network())];
      for (const name of ["logits", "representation.pcoder1.t2"]) {
        expect(fixed[name]!.shape).toEqual(free[name]!.shape);
        fixed[name]!.data.forEach((value, i) => {
          expect(Number(value)).toBeCloseTo(Number(free[name]!.data[i]), 5);
        });
      }
      if (batch === 1) {
        expect(Number(fixed["error.pcoder1"]!.data[2])).toBeCloseTo(
          Number(free["error.pcoder1"]!.data[2]),
          5,
        );
      }
    },
  );

  it("is not traced for another one", () => {
    const made = predify(readOnnx(network(1)), { pcoders: 1 });
    expect(made.backbone.batch).toBe(1);
    expect(() => new FeedbackTask(made).loss(4)).toThrow(
      "batch: expected 1, which the network's file fixes, got 4",
    );
  });
});

describe("a representation that is larger than what it predicts", () => {
  /** The upper representation is about four times as high and wide as the lower one; every fourth cell of it is read. */
  function growing(size: number, window: WindowRule) {
    const x = input("x", ["N", 3, 8, 8]);
    const low = relu(conv(x, weights([4, 3, 3, 3], 1), undefined, { padding: 1 }));
    const high = relu(
      conv(resizeNearest(low, [size, size]), weights([4, 4, 3, 3], 2), undefined, { padding: 1 }),
    );
    const y = gemm(flatten(high), weights([4 * size * size, 5], 3));
    const bytes = writeOnnx({ low, high, y }).bytes;
    const decoder =
      "Sequential(Upsample(scale_factor=0.25, mode='nearest'), ConvTranspose2d(4, 4, 3, padding=1))";
    return predify(readOnnx(bytes), {
      pcoders: [{ after: "low" }, { after: "high", decoder, window }],
      output: "y",
    });
  }

  it("is counted from the cell next to the centre that reaches anything", () => {
    const { decoder } = growing(32, "window").pcoders[1]!;
    expect([decoder.centralWindow(), decoder.window()]).toEqual([36, 36]);
    const skipped = growing(34, "window").pcoders[1]!.decoder;
    expect([skipped.centralWindow(), skipped.window()]).toEqual([0, 36]);
  });

  it("is refused if the window is to be measured at an element that the decoder skips", () => {
    expect(() => growing(34, "measured")).toThrow(
      /PCoder 2 \("high"\): its decoder, which maps \[4, 34, 34\] to \[4, 8, 8\], skips the central element/,
    );
  });
});
