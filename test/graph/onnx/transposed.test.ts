import { describe, expect, it } from "vitest";
import type { Tensor } from "../../../src/graph/index.js";
import { gradients, lower, mul, constant, sum, writeOnnx } from "../../../src/graph/index.js";
import type { Attributes } from "../../../src/graph/tensor.js";
import { StriateError } from "../../../src/util/errors.js";
import { difference, floats, isTaken, modelBytes, node, rewritten, run, wave } from "./models.js";

/* Which part of a transposed convolution's whole result a file wants, ONNX Runtime being the judge. */

interface Case {
  readonly length: number;
  readonly kernel: number;
  readonly attributes: Attributes;
}

function* cases(): Generator<Case> {
  for (const length of [1, 3, 4])
    for (const kernel of [1, 2, 3, 4])
      for (const stride of [1, 2, 3])
        for (const dilation of [1, 2])
          for (const extra of [undefined, 1])
            for (const auto of [undefined, "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"])
              for (const more of [undefined, -3, -2, -1, 0, 1, 2]) {
                const whole = (length - 1) * stride + (kernel - 1) * dilation + 1 + (extra ?? 0);
                const stated = more === undefined ? undefined : whole + more;
                if (stated !== undefined && stated < 1) continue;
                const attributes = {
                  strides: [stride],
                  dilations: [dilation],
                  ...(extra !== undefined && { output_padding: [extra] }),
                  ...(auto !== undefined && { auto_pad: auto }),
                  ...(stated !== undefined && { output_shape: [stated] }),
                };
                yield { length, kernel, attributes };
              }
}

function model({ length, kernel, attributes }: Case): Uint8Array {
  return modelBytes({
    nodes: [node("ConvTranspose", ["x", "w", "b"], ["y"], attributes)],
    inputs: [{ name: "x", shape: [1, 2, length] }],
    outputs: ["y"],
    initializers: { w: wave([2, 3, kernel], 0.3), b: floats([0.5, -1, 2]) },
  });
}

const SOME = 11;

describe("the length and place of a transposed convolution's result", () => {
  it("are those of ONNX Runtime for every way to state them", async () => {
    const [found, counts] = [[] as string[], { accepted: 0, refused: 0 }];
    for (const [i, item] of [...cases()].entries()) {
      if (i % SOME !== 0) continue;
      const bytes = model(item);
      const x = wave([1, 2, item.length], 1);
      const label = JSON.stringify(item);
      const wanted = (await isTaken(bytes, { x })) ? await run(bytes, { x }) : undefined;
      if (wanted === undefined) {
        counts.refused++;
        continue;
      }
      counts.accepted++;
      const { model: read, bytes: again } = rewritten(bytes);
      if (read.outputs.y!.shape.join() !== wanted.y!.shape.join())
        found.push(`${label}: inferred [${read.outputs.y!.shape}], is [${wanted.y!.shape}]`);
      const gap = difference(wanted, await run(again, { x }));
      if (!(gap < 1e-5)) found.push(`${label}: off by ${gap}`);
      const slope = await slopeGap(item, read.inputs.x!, read.outputs.y!, bytes);
      if (!(slope < 1e-3)) found.push(`${label}: gradient off by ${slope}`);
    }
    expect(found).toEqual([]);
    expect(counts.accepted).toBeGreaterThan(100);
  });

  it("are refused if no window reaches that far, or a named length would have to be known", () => {
    const attributes = { strides: [2], output_shape: [20] };
    expect(() => rewritten(model({ length: 3, kernel: 3, attributes }))).toThrow(
      /no window reaches the output_shape of 20 along axis 2/,
    );
    const named = modelBytes({
      nodes: [node("ConvTranspose", ["x", "w"], ["y"], { ...attributes, output_shape: [7] })],
      inputs: [{ name: "x", shape: [1, 2, "length"] }],
      outputs: ["y"],
      initializers: { w: wave([2, 3, 3]) },
    });
    expect(() => rewritten(named)).toThrow(StriateError);
    expect(() => rewritten(named)).toThrow(/output_shape needs a known length of axis 2/);
  });

  it("keep names: SAME is one stride for each element", () => {
    const bytes = modelBytes({
      nodes: [node("ConvTranspose", ["x", "w"], ["y"], { strides: [2], auto_pad: "SAME_UPPER" })],
      inputs: [{ name: "x", shape: [1, 2, "length"] }],
      outputs: ["y"],
      initializers: { w: wave([2, 3, 3]) },
    });
    expect(rewritten(bytes).model.outputs.y!.shape).toEqual([1, 3, "2*length"]);
  });
});

/** The gradient of a weighed sum along one direction against the change of that sum: both are linear. */
async function slopeGap(item: Case, x: Tensor, y: Tensor, original: Uint8Array): Promise<number> {
  const shape = y.shape as number[];
  const weights = wave(shape, 2);
  const [dx] = gradients(sum(mul(y, constant(weights))), [x]);
  const values = rewritten(original).model.parameters;
  const { bytes } = writeOnnx(lower({ dx: dx! }, "cpu"), {
    values: ({ node: { leaf } }) => (leaf && "name" in leaf ? values.get(leaf.name ?? "")?.data : undefined),
  });
  const [at, direction] = [wave([1, 2, item.length], 1), wave([1, 2, item.length], 4)];
  const moved = floats(
    Array.from(at.data as Float32Array, (value, i) => value + Number(direction.data[i])),
    at.shape,
  );
  const total = async (input: typeof at) => {
    const { y: result } = await run(original, { x: input });
    return (result!.data as Float32Array).reduce((a, value, i) => a + value * Number(weights.data[i]), 0);
  };
  const { dx: slope } = await run(bytes, { x: at });
  const predicted = (slope!.data as Float32Array).reduce(
    (a, value, i) => a + value * Number(direction.data[i]),
    0,
  );
  return Math.abs(predicted - ((await total(moved)) - (await total(at))));
}
