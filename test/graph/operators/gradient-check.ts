import type * as ort from "onnxruntime-node";
import type { Tensor } from "../../../src/graph/index.js";
import { gradients, input } from "../../../src/graph/index.js";
import type { Target } from "../../../src/graph/index.js";
import { feedOf, openSession } from "./run-graph.js";
import type { Values } from "./values.js";

/** One function whose gradients are compared with differences of its own values. */
export interface GradientCase {
  /** Everything that tells this case from others of its operator: shapes and options. */
  readonly label: string;
  readonly inputs: readonly CaseInput[];
  readonly build: (...inputs: Tensor[]) => Tensor;
  /** Half the width of the difference; default 1e-3 in float64 and 2e-2 in float32. */
  readonly step?: number;
  /** Compare the gradients of the gradients as well. */
  readonly twice?: boolean;
}

export interface CaseInput extends Values {
  /** The first axis is a named one. */
  readonly batch?: boolean;
  /** Inputs that are not differentiated: indices, conditions, and what has no rule. */
  readonly fixed?: boolean;
}

export interface Configuration {
  readonly target: Target;
  readonly optimisation: "all" | "disabled";
}

export const CONFIGURATIONS: readonly Configuration[] = [
  { target: "cpu", optimisation: "all" },
  { target: "cpu", optimisation: "disabled" },
  { target: "portable", optimisation: "all" },
  { target: "portable", optimisation: "disabled" },
  // What WebGPU gets, here on the CPU provider: the rewritten graph has to mean the same.
  { target: "webgpu", optimisation: "all" },
];

/** Largest difference allowed, as a part of the largest number compared. */
const TOLERANCE = { float64: 1e-6, float32: 4e-3 };

interface Built {
  readonly name: string;
  readonly item: GradientCase;
  readonly feeds: readonly { name: string; values: CaseInput }[];
  readonly y: Tensor;
  readonly wrt: readonly number[];
  readonly gradients: readonly Tensor[];
}

type Feeds = Record<string, ort.Tensor>;

function traced(item: GradientCase, index: number): Built[] {
  const leaves = item.inputs.map((values, i) => {
    const shape = values.batch === true ? [`batch${index}`, ...values.shape.slice(1)] : values.shape;
    return input(`x${index}_${i}`, shape, values.dtype);
  });
  const y = item.build(...leaves);
  const feeds = item.inputs.map((values, i) => ({ name: `x${index}_${i}`, values }));
  const wrt = item.inputs.flatMap((values, i) => (isFloating(values) && values.fixed !== true ? [i] : []));
  const targets = wrt.map((i) => leaves[i]!);
  const once = { name: `c${index}`, item, feeds, y, wrt };
  // Seeding with y itself makes dy depend on every input, which the second gradients then have to follow.
  const first = gradients(y, targets, { seeds: [y] });
  if (item.twice !== true) return [{ ...once, gradients: first }];
  return [
    { ...once, gradients: first },
    ...first.map((dx, i) => ({
      ...once,
      name: `c${index}_d${wrt[i]!}`,
      y: dx,
      gradients: gradients(dx, targets, { seeds: [dx] }),
    })),
  ];
}

function isFloating(values: Values): boolean {
  return values.dtype === "float32" || values.dtype === "float64";
}

/** The values as a feed, one element changed. */
function movedFeed(values: Values, at: number, change: number): ort.Tensor {
  return feedOf({ ...values, data: values.data.with(at, values.data[at]! + change) });
}

function numbersOf(tensor: ort.Tensor | undefined): Float64Array {
  return Float64Array.from(tensor!.data as Float32Array);
}

/**
 * Compares every element of every gradient with differences of values, and the values of every configuration with each
 * other. All cases share a graph, so a run changes one element of each. Returns one line for each case that fails.
 */
export async function failures(cases: readonly GradientCase[]): Promise<string[]> {
  const built = cases.flatMap((item, i) => {
    try {
      return traced(item, i);
    } catch (error) {
      throw new Error(`${item.label}: ${String(error)}`, { cause: error });
    }
  });
  const byName = (pick: (b: Built) => Iterable<readonly [string, Tensor]>) =>
    Object.fromEntries(built.flatMap((b) => [...pick(b)]));
  const backward = byName((b) => [
    [`${b.name}_y`, b.y] as const,
    ...b.gradients.map((g, i) => [`${b.name}_g${b.wrt[i]!}`, g] as const),
  ]);
  const feeds: Feeds = Object.fromEntries(
    built.flatMap((b) => b.feeds.map((f) => [f.name, feedOf(f.values)])),
  );

  const expected = new Map<string, Float64Array>();
  for (const group of bySize(built)) {
    const outputs = Object.fromEntries(group.map((b) => [`${b.name}_y`, b.y]));
    const session = await openSession(outputs, { target: "cpu", optimisation: "disabled" });
    const known = new Set(session.inputNames);
    const fed = Object.fromEntries(Object.entries(feeds).filter(([name]) => known.has(name)));
    await differences(session, group, fed, expected);
    await session.release();
  }

  const found: string[] = [];
  for (const configuration of CONFIGURATIONS) {
    const graph = await openSession(backward, configuration);
    const results = await graph.run(feeds);
    await graph.release();
    for (const b of built) {
      const where = `${b.item.label} ${b.name} ${configuration.target}/${configuration.optimisation}`;
      const values = compareNumbers(results[`${b.name}_y`]!, expected.get(`${b.name}_y`)!, TOLERANCE.float32);
      if (values !== undefined) found.push(`${where}: values ${values}`);
      for (const i of b.wrt) {
        const got = results[`${b.name}_g${i}`]!;
        const problem = compare(b, i, got, expected.get(`${b.name}_g${i}`)!);
        if (problem !== undefined)
          found.push(`${where}: input ${i} of shape [${b.feeds[i]!.values.shape}]: ${problem}`);
      }
    }
  }
  return found;
}

function compare(b: Built, i: number, got: ort.Tensor, expected: Float64Array): string | undefined {
  const { shape, dtype } = b.feeds[i]!.values;
  if (got.dims.join() !== shape.join()) return `its gradient has the shape [${got.dims}]`;
  return compareNumbers(got, expected, TOLERANCE[dtype as "float64"]);
}

function compareNumbers(got: ort.Tensor, expected: Float64Array, tolerance: number): string | undefined {
  const numbers = numbersOf(got);
  const scale = Math.max(1, ...expected.map(Math.abs));
  const differences = expected.map((value, at) => Math.abs(numbers[at]! - value));
  if (numbers.length === expected.length && differences.every((d) => d <= tolerance * scale))
    return undefined;
  const show = (list: Float64Array) => [...list.slice(0, 12)].map((v) => v.toPrecision(5)).join(" ");
  return `off by ${Math.max(...differences)} of ${scale}\n      got      ${show(numbers)}\n      expected ${show(expected)}`;
}

/** Cases with about as many elements share a graph, so that a large one does not run the small ones again. */
function bySize(built: readonly Built[]): Built[][] {
  const groups = new Map<number, Built[]>();
  for (const b of built) {
    const most = Math.max(1, ...b.wrt.map((i) => b.feeds[i]!.values.data.length));
    const bucket = Math.ceil(Math.log2(most));
    groups.set(bucket, [...(groups.get(bucket) ?? []), b]);
  }
  return [...groups.values()];
}

/** d(y * y / 2)/d(element) for every element of every differentiated input, by a four-point stencil. */
async function differences(
  session: ort.InferenceSession,
  built: readonly Built[],
  feeds: Feeds,
  result: Map<string, Float64Array>,
): Promise<void> {
  const base = await session.run(feeds);
  for (const b of built) result.set(`${b.name}_y`, numbersOf(base[`${b.name}_y`]));
  const sizeOf = (b: Built, i: number) => b.feeds[b.wrt[i]!]?.values.data.length ?? 0;
  for (const b of built)
    for (const i of b.wrt) result.set(`${b.name}_g${i}`, new Float64Array(b.feeds[i]!.values.data.length));
  const most = Math.max(...built.map((b) => b.wrt.length));
  for (let nth = 0; nth < most; nth++) {
    const active = built.filter((b) => nth < b.wrt.length);
    const length = Math.max(...active.map((b) => sizeOf(b, nth)));
    for (let at = 0; at < length; at++) {
      const moved = active.filter((b) => at < sizeOf(b, nth));
      for (const [factor, weight] of [
        [1, 2 / 3],
        [-1, -2 / 3],
        [2, -1 / 12],
        [-2, 1 / 12],
      ] as const) {
        const changed = { ...feeds };
        for (const b of moved) {
          const { name, values } = b.feeds[b.wrt[nth]!]!;
          changed[name] = movedFeed(values, at, factor * stepOf(b));
        }
        const outputs = await session.run(changed);
        for (const b of moved) {
          const [y, before] = [numbersOf(outputs[`${b.name}_y`]), numbersOf(base[`${b.name}_y`])];
          const total = y.reduce((sum, value, j) => sum + before[j]! * (value - before[j]!), 0);
          result.get(`${b.name}_g${b.wrt[nth]!}`)![at]! += (weight * total) / stepOf(b);
        }
      }
    }
  }
}

function stepOf(b: Built): number {
  return b.item.step ?? (b.feeds.some(({ values }) => values.dtype === "float32") ? 2e-2 : 1e-3);
}
