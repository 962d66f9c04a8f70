import { expect } from "vitest";
import type { TensorData } from "../../src/graph/index.js";
import { tensorData } from "../../src/graph/index.js";
import type { State } from "../../src/nn/module.js";
import { initialState } from "../../src/nn/module.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import type { SteppedModel } from "../../src/train/step-graph.js";
import { openStepper } from "../../src/train/stepper.js";
import type { Stepper } from "../../src/train/stepper.js";
import { Random } from "../../src/util/random.js";
import { numbers } from "./run.js";

/** Uniform draws in [0, 1) that follow from their label. */
export function uniform(label: string, shape: readonly number[]): TensorData {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensorData(Random.derive("uniform", label).fillUniform(new Float32Array(size)), shape);
}

/** Standard normal draws that follow from their label. */
export function normal(label: string, shape: readonly number[]): TensorData {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensorData(Random.derive("normal", label).fillNormal(new Float32Array(size)), shape);
}

export function drawnValues({ parameters }: SteppedModel): State {
  return initialState(parameters, (name) => Random.derive(7, name));
}

/** What an output over time [timesteps, ...] holds at one of them. */
export function rowOf(value: TensorData | undefined, timestep: number): number[] {
  const each = value!.data.length / value!.shape[0]!;
  return numbers(value).slice(timestep * each, (timestep + 1) * each);
}

/** All within 1e-5. */
export function expectClose(found: readonly number[], expected: readonly number[], what: string): void {
  expect(found, what).toHaveLength(expected.length);
  const gap = Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)));
  expect(gap, what).toBeLessThan(1e-5);
}

/** Opens a stepper on the CPU for two pictures at once, and closes it. */
export async function withStepper<T>(
  model: SteppedModel,
  values: State,
  work: (stepper: Stepper) => Promise<T>,
): Promise<T> {
  const stepper = await openStepper(nodeRuntime, { model, values }, { batch: 2, device: "cpu" });
  try {
    return await work(stepper);
  } finally {
    await stepper.close();
  }
}
