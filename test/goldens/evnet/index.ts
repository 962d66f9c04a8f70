import type { TensorData } from "../../../src/graph/index.js";
import type { Comparison, Tolerance } from "../compare.js";
import { compare } from "../compare.js";
import type { GoldenCase } from "../golden-case.js";
import type { GoldenKind, GoldenSystem, Results } from "../harness.js";
import { retinaKinds } from "./block.js";
import { frontEndKinds } from "./front-end.js";
import { parameterKinds } from "./parameters.js";

/** The part of a case's tolerance, which is in words, that is about a tensor. */
function rule({ tolerance }: GoldenCase, name: string): string | undefined {
  const parts = String(tolerance).split("; ");
  if (parts.length === 1) return parts[0];
  const topics = name.startsWith("grad.param.")
    ? ["grad.param", "grads"]
    : name.startsWith("grad.")
      ? ["grad.input", "grads"]
      : name.startsWith("param.") && name.includes("simple_conv")
        ? ["bank"]
        : name.endsWith(".radii")
          ? ["radii"]
          : name.endsWith(".kernels")
            ? ["kernel sizes"]
            : name.endsWith(".color")
              ? ["color"]
              : ["outputs", "rel", "kernels"];
  for (const topic of topics) {
    const found = parts.find((part) => part.startsWith(topic));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The number after a word: "abs 1e-4". */
const after = (text: string, word: string): number | undefined => {
  const found = new RegExp(`${word} (\\d[\\d.e-]*)`).exec(text);
  return found ? Number(found[1]) : undefined;
};

function tolerance(golden: GoldenCase, name: string): Tolerance | undefined {
  if (golden.tensors.get(name)?.dtype === "int64") return { absolute: 0 };
  // What a case is made from is compared as strictly as where it is the result.
  if (name.startsWith("input.gabor.")) return { absolute: 0, relative: 1e-12 };
  if (name.startsWith("param.") && !name.includes("simple_conv")) return { absolute: 1e-7 };
  const text = rule(golden, name);
  if (text === undefined) return undefined;
  if (text.includes("exact")) return { absolute: 0 };
  const light = name === "output.light_adapt" ? after(text, "light_adapt") : undefined;
  const relative = after(text, "rel");
  return { absolute: light ?? after(text, "abs") ?? 0, ...(relative !== undefined && { relative }) };
}

const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

function judgeGradient(
  golden: GoldenCase,
  name: string,
  expected: TensorData,
  results: Results,
): Comparison | undefined {
  const actual = results.get(name);
  const text = rule(golden, name);
  if (!name.startsWith("grad.") || text === undefined || actual?.data.length !== expected.data.length)
    return undefined;
  const [a, e] = [actual.data, expected.data].map((data) => Float64Array.from(data as Float32Array)) as [
    Float64Array,
    Float64Array,
  ];
  const allowed = after(text, "relative L2 error(?: per tensor)?");
  if (allowed !== undefined) {
    const difference = norm(e.map((value, i) => value - a[i]!)) / (norm(e) || 1);
    if (difference <= allowed) return { name, difference, allowed };
    return {
      name,
      difference,
      allowed,
      failure: `${name}: relative L2 error ${difference}, allowed ${allowed}`,
    };
  }
  // "abs 5e-6 relative to the maximum of each image"
  const images = expected.shape[0]!;
  const size = e.length / images;
  const scaled = (values: Float64Array): TensorData => ({
    dtype: "float64",
    shape: expected.shape,
    data: values.map((value, i) => {
      const image = e.subarray(size * Math.floor(i / size), size * (Math.floor(i / size) + 1));
      return value / (image.reduce((most, one) => Math.max(most, Math.abs(one)), 0) || 1);
    }),
  });
  return compare(name, scaled(e), scaled(a), { absolute: after(text, "abs")! });
}

const judged = (kind: GoldenKind): GoldenKind => ({ ...kind, judge: judgeGradient });

export const evnet: GoldenSystem = {
  name: "evnet",
  kinds: [...parameterKinds, ...retinaKinds, ...frontEndKinds].map(judged),
  tolerance,
};
