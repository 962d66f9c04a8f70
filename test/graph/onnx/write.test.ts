import * as ort from "onnxruntime-node";
import * as ortWeb from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import type { TensorData } from "../../../src/graph/dtype.js";
import { tensorData } from "../../../src/graph/dtype.js";
import { writeOnnx } from "../../../src/graph/onnx/write/write.js";
import { add, mul, sub } from "../../../src/graph/operators/elementwise/elementwise.js";
import { GraphNode, Tensor, constant, input, parameter, scope } from "../../../src/graph/tensor.js";

const zeros = (shape: readonly number[]): Float32Array => new Float32Array(shape.reduce((a, b) => a * b, 1));
const weight = (name?: string) => parameter([3], zeros, name === undefined ? {} : { name });

async function run(bytes: Uint8Array, feeds: Record<string, ort.Tensor>): Promise<Record<string, number[]>> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 2 });
  const results = await session.run(feeds);
  return Object.fromEntries(
    Object.entries(results).map(([name, value]) => [name, Array.from(value.data as Float32Array)]),
  );
}

describe("writeOnnx", () => {
  it("writes x * w + b so that both runtimes take any batch size", async () => {
    const x = input("x", ["batch", 3]);
    const w = weight("w");
    const y = scope("line", () => add(mul(x, w), constant([10, 20, 30])));
    const values = (tensor: Tensor): TensorData | undefined =>
      tensor === w ? tensorData([1, 2, 3]) : undefined;
    const written = writeOnnx({ y }, { values, metadata: { seed: "7" }, description: "a line" });
    expect(written.inputs).toEqual([{ name: "x", dtype: "float32", shape: ["batch", 3] }]);
    expect(written.outputs).toEqual([{ name: "y", dtype: "float32", shape: ["batch", 3] }]);
    for (const batch of [1, 3]) {
      const feed = Float32Array.from({ length: batch * 3 }, (_, i) => i);
      const expected = Array.from(feed, (value, i) => value * ((i % 3) + 1) + 10 * ((i % 3) + 1));
      expect((await run(written.bytes, { x: new ort.Tensor(feed, [batch, 3]) })).y).toEqual(expected);
      const session = await ortWeb.InferenceSession.create(written.bytes);
      const web = await session.run({ x: new ortWeb.Tensor(feed, [batch, 3]) });
      expect(Array.from(web.y!.data as Float32Array)).toEqual(expected);
    }
  });

  it("takes parameters without values as inputs", async () => {
    const x = input("x", ["batch", 3]);
    const written = writeOnnx({ y: mul(x, weight("layer.w")) });
    expect(written.inputs.map(({ name }) => name)).toEqual(["x", "layer.w"]);
    const result = await run(written.bytes, {
      x: new ort.Tensor(Float32Array.of(1, 2, 3), [1, 3]),
      "layer.w": new ort.Tensor(Float32Array.of(4, 5, 6), [3]),
    });
    expect(result.y).toEqual([4, 10, 18]);
  });

  it("copies outputs that have two names or are leaves", async () => {
    const x = input("x", ["batch", 3]);
    const doubled = mul(x, 2);
    const written = writeOnnx({ a: doubled, b: doubled, c: x, d: constant([5]) });
    const result = await run(written.bytes, { x: new ort.Tensor(Float32Array.of(1, 2, 3), [1, 3]) });
    expect(result).toEqual({ a: [2, 4, 6], b: [2, 4, 6], c: [1, 2, 3], d: [5] });
  });

  it("writes the same bytes for the same graph, with scopes in the names and equal constants once", () => {
    const build = (): Uint8Array => {
      const x = input("x", ["batch", 3]);
      const y = scope("net", () => scope("first", () => mul(add(mul(x, 2), 2), 3)));
      return writeOnnx({ y }).bytes;
    };
    expect(build()).toEqual(build());
    const text = new TextDecoder("latin1").decode(build());
    expect(text).toContain("net/first/Mul_0");
    expect(text).toContain("net/first/Mul_1");
    expect(text).toContain("constant_1");
    expect(text).not.toContain("constant_2");
  });

  it("imports the domain of a node type that names one", () => {
    const x = input("x", [2]);
    const node = new GraphNode("com.microsoft::Gelu", [x], {});
    node.outputs.push(new Tensor(node, 0, "float32", [2]));
    const text = new TextDecoder("latin1").decode(writeOnnx({ y: node.outputs[0]! }).bytes);
    expect(text).toContain("com.microsoft");
    expect(text).not.toContain("::");
  });

  it("names what is wrong", () => {
    const x = input("x", ["batch", 3]);
    expect(() => writeOnnx({})).toThrow("there is no output");
    expect(() => writeOnnx({ y: mul(x, weight()) })).toThrow(/parameter of shape \[3\].*has no name.*/);
    expect(() => writeOnnx({ y: mul(mul(x, weight("w")), weight("w")) })).toThrow('are named "w"');
    expect(() => writeOnnx({ x: mul(x, 2) })).toThrow('output "x" has the name of an input');
    const w = weight("w");
    expect(() => writeOnnx({ y: mul(x, w) }, { values: () => tensorData([1, 2]) })).toThrow(
      'parameter "w": expected values float32[3], got float32[2]',
    );
    const own = new GraphNode("StopGradient", [x], {});
    own.outputs.push(new Tensor(own, 0, "float32", [3]));
    expect(() => writeOnnx({ y: own.outputs[0]! })).toThrow(/StopGradient .* is not an ONNX operator/);
    const odd = new GraphNode("Relu", [x], { alpha: 0.5 });
    odd.outputs.push(new Tensor(odd, 0, "float32", [3]));
    expect(() => writeOnnx({ y: odd.outputs[0]! })).toThrow(
      "attribute alpha must be a whole number, got 0.5",
    );
  });

  it("writes 15,000 nodes in a chain without recursion, in time that grows with their number", async () => {
    const chain = (nodes: number) => {
      let y = input("x", ["batch"]);
      for (let i = 0; i < nodes; i++) {
        y = scope(`step${i % 50}`, () => (i % 2 === 0 ? add(y, 1) : sub(y, 1)));
      }
      return y;
    };
    const [short, long] = [chain(1_000), chain(15_000)];
    const time = (y: typeof short) => {
      const start = performance.now();
      expect(writeOnnx({ y }).bytes.length).toBeGreaterThan(0);
      return performance.now() - start;
    };
    const { bytes } = writeOnnx({ y: long });
    // In turn and the fastest of several, for a machine with other work. Idle, the longer chain takes 20 to 30 times as long:
    // its names no longer fit the processor's caches. A quadratic writer would take 225 times as long.
    const times = Array.from({ length: 7 }, () => [time(short), time(long)] as const);
    const [few, many] = [0, 1].map((i) => Math.min(...times.map((pair) => pair[i]!)));
    expect(many! / few!).toBeLessThan(100);
    expect((await run(bytes, { x: new ort.Tensor(Float32Array.of(5), [1]) })).y).toEqual([5]);
  });
});
