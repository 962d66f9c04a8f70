import type { TensorData } from "../../../src/graph/index.js";
import { check } from "../../../src/util/errors.js";
import type { Comparison } from "../compare.js";
import { compare } from "../compare.js";
import type { GoldenCase } from "../golden-case.js";
import type { Results } from "../harness.js";

/** The part of a tolerance that is about a tensor: "logits/loss abs 1e-4; grads: relative L2 error per tensor 5e-3; ...". */
function rule({ tolerance, file }: GoldenCase, name: string): string {
  const parts = String(tolerance).split("; ");
  const about = name.startsWith("grad.")
    ? /^grads/
    : name.startsWith("output.sgd.")
      ? /^sgd/
      : /^(logits|outputs|abs)/;
  const found = parts.find((part) => about.test(part));
  check(found, () => `${file}: no tolerance is given for ${name}`);
  return found;
}

const lastNumber = (text: string): number => Number(/([\d.]+(?:e-?\d+)?)(?!.*\d)/.exec(text)?.[1]);

/** A number after a word: "abs 1e-4". */
const after = (text: string, word: string): number | undefined => {
  const found = new RegExp(`${word} ([\\d.e+-]+)`).exec(text);
  return found ? Number(found[1]) : undefined;
};

/** Compares a tensor of a network by the rule that its case gives in words. */
export function judgeNetwork(
  golden: GoldenCase,
  name: string,
  expected: TensorData,
  results: Results,
): Comparison | undefined {
  const actual = results.get(name);
  if (actual?.data.length !== expected.data.length) return undefined;
  if (expected.dtype === "int64") return compare(name, expected, actual, { absolute: 0 });
  const text = rule(golden, name).replace(/\(.*\)/, "");
  const [a, e] = [actual.data, expected.data].map((data) =>
    Array.from(data as ArrayLike<number>, Number),
  ) as [number[], number[]];
  const norm = (values: readonly number[]) =>
    Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  if (text.includes("relative L2")) {
    const allowed = lastNumber(text);
    const size = norm(e);
    const difference = norm(e.map((value, i) => value - a[i]!)) / (size === 0 ? 1 : size);
    return verdict(name, difference, allowed, "relative L2 error");
  }
  if (text.includes("cosine")) {
    const cosine = e.reduce((sum, value, i) => sum + value * a[i]!, 0) / (norm(e) * norm(a));
    return verdict(name, 1 - cosine, 1 - lastNumber(text), "1 - cosine");
  }
  if (text.includes("tensor max")) {
    const largest = e.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return compare(name, expected, actual, { absolute: after(text, "grads")! * largest });
  }
  const absolute = after(text, "abs");
  return absolute === undefined ? undefined : compare(name, expected, actual, { absolute });
}

function verdict(name: string, difference: number, allowed: number, what: string): Comparison {
  // NaN is no agreement.
  if (difference <= allowed) return { name, difference, allowed };
  return { name, difference, allowed, failure: `${name}: ${what} ${difference}, allowed ${allowed}` };
}
