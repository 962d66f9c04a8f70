import type { DType, Target, Tensor, TensorData } from "../../../src/graph/index.js";
import { cast, gradients, input, lower, writeOnnx } from "../../../src/graph/index.js";
import { fromNumbers } from "../../../src/graph/dtype.js";
import { float16ToFloat32 } from "../../../src/util/half.js";
import type { Feeds } from "../../support/run.js";
import { runOnnx } from "../../support/run.js";
import type { GradientCase } from "./gradient-check.js";

/** A case traced otherwise: its floats in another type, its axes with names. */
export interface Variant {
  readonly dtype?: DType;
  /** As converters write it: the floats of inputs and result are as they were, cast to another type between. */
  readonly inside?: DType;
  /** What an axis of an input is called (default: its length). */
  readonly axis?: (input: number, axis: number, length: number) => number | string;
  /** Only what the case computes, no gradients. */
  readonly forward?: boolean;
}

export type Results = Readonly<Record<string, { shape: readonly number[]; values: readonly number[] }>>;

export function isFloat(dtype: DType): boolean {
  return dtype.startsWith("float");
}

/** Values as plain numbers, also those of half precision. */
export function plainNumbers({ dtype, data }: TensorData): number[] {
  const plain = dtype === "float16" ? float16ToFloat32(data as Uint16Array) : data;
  return Array.from(plain as ArrayLike<number | bigint>, Number);
}

/** Traces a case and its gradients, as an ONNX model for a target. Throws what tracing, gradients and lowering throw. */
export function traced(
  item: GradientCase,
  target: Target,
  variant: Variant,
): { bytes: Uint8Array; feeds: Feeds } {
  const { dtype: wanted, inside, axis, forward = false } = variant;
  const leaves = item.inputs.map(({ shape, dtype }, i) =>
    input(
      `x${i}`,
      shape.map((length, at) => axis?.(i, at, length) ?? length),
      isFloat(dtype) ? (wanted ?? dtype) : dtype,
    ),
  );
  const within = (x: Tensor, dtype = inside) => (dtype && isFloat(x.dtype) ? cast(x, dtype) : x);
  const made = item.build(...leaves.map((leaf) => within(leaf)));
  const y = inside ? within(made, "float32") : made;
  const wrt = leaves.filter(({ dtype }, i) => isFloat(dtype) && item.inputs[i]!.fixed !== true);
  const slopes = forward ? [] : gradients(y, wrt, { seeds: [y] });
  const outputs = { y, ...Object.fromEntries(slopes.map((slope, i) => [`slope ${i}`, slope])) };
  const feeds = Object.fromEntries(
    item.inputs.map(({ shape, data }, i) => {
      const { dtype } = leaves[i]!;
      // Rounded to what every type can hold.
      const rounded = isFloat(dtype)
        ? Array.from(float16ToFloat32(fromNumbers("float16", data) as Uint16Array))
        : data;
      return [`x${i}`, { dtype, shape, data: fromNumbers(dtype, rounded) }];
    }),
  );
  return { bytes: writeOnnx(lower(outputs, target)).bytes, feeds };
}

/** Undefined if ONNX Runtime has no kernel for the element types. */
export async function results(
  item: GradientCase,
  target: Target,
  variant: Variant,
): Promise<Results | undefined> {
  const { bytes, feeds } = traced(item, target, variant);
  try {
    const outputs = await runOnnx(bytes, feeds);
    return Object.fromEntries(
      Object.entries(outputs).map(([name, value]) => [
        name,
        { shape: value.shape, values: plainNumbers(value) },
      ]),
    );
  } catch (error) {
    const isMissing = /Could not find an implementation|data type is not supported/.test(String(error));
    if (isMissing) return undefined;
    throw error;
  }
}

/** One line for each result that is not the expected one within a part of its largest number. */
export function differences(got: Results, expected: Results, tolerance: number): string[] {
  return Object.entries(expected).flatMap(([name, { shape, values }]) => {
    const found = got[name]!;
    if (found.shape.join() !== shape.join())
      return [`${name} has the shape [${found.shape}], not [${shape}]`];
    const scale = Math.max(1, ...values.map(Math.abs));
    const off = values.findIndex((value, i) => !(Math.abs(found.values[i]! - value) <= tolerance * scale));
    return off < 0 ? [] : [`${name}[${off}] is ${found.values[off]}, expected ${values[off]}`];
  });
}
