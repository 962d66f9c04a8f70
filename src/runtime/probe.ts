import { conv } from "../graph/convolution/conv.js";
import { relu } from "../graph/operators/elementwise/elementwise.js";
import { lower } from "../graph/lower.js";
import { writeOnnx } from "../graph/onnx/write/write.js";
import { constant, input } from "../graph/tensor.js";
import type { Runtime } from "./runtime.js";
import { targetOf } from "./runtime.js";

const SIZE = [4, 16, 32, 32] as const;
const LAYERS = 8;
const RUNS = 5;

/**
 * Measures the median time, in seconds, of a run of eight 3 x 3 convolutions of 16 channels on four images of
 * 32 x 32 pixels. This is about the work of one training step of a small network.
 */
export async function secondsOfConvolutions(runtime: Runtime): Promise<number> {
  const [, channels] = SIZE;
  const count = SIZE.reduce<number>((a, b) => a * b, 1);
  let x = input("x", SIZE);
  const kernel = Float32Array.from({ length: channels * channels * 9 }, (_, i) => ((i * 7) % 11) / 55 - 0.09);
  for (let i = 0; i < LAYERS; i++) {
    x = relu(
      conv(x, constant({ dtype: "float32", shape: [channels, channels, 3, 3], data: kernel }), undefined, {
        padding: 1,
      }),
    );
  }
  const session = await runtime.createSession(writeOnnx(lower({ y: x }, targetOf(runtime))).bytes);
  try {
    const feeds = { x: { dtype: "float32" as const, shape: SIZE, data: new Float32Array(count).fill(0.5) } };
    // The first run is not measured, because it includes compilation.
    await session.run(feeds);
    const seconds: number[] = [];
    for (let i = 0; i < RUNS; i++) {
      const start = performance.now();
      await session.run(feeds);
      seconds.push((performance.now() - start) / 1000);
    }
    return seconds.sort((a, b) => a - b)[RUNS >> 1]!;
  } finally {
    await session.close();
  }
}
