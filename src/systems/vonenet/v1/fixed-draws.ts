import type { TensorData } from "../../../graph/index.js";
import { checkWhole } from "../../../util/check.js";
import { Random } from "../../../util/random.js";

/** Options of fixed noise. */
export interface FixedDrawOptions {
  /** The stage that the noise is for, in errors and as the label of its random streams. */
  readonly what: string;
  /** Shape of the draws for one image. */
  readonly shape: readonly number[];
  readonly seed: number;
  /** Number of images after which the draws start again from the first. */
  readonly batch: number;
}

/**
 * Makes standard-normal draws that are the same in every run. Call the function that is returned with the number of images
 * in the current batch. The first image of a batch gets the first draw, and so on.
 */
export function fixedDraws({
  what,
  shape,
  seed,
  batch: fixed,
}: FixedDrawOptions): (batch: number) => TensorData {
  checkWhole(`${what}: batch`, fixed);
  const length = shape.reduce((a, b) => a * b, 1);
  const drawn = new Map<number, Float32Array>();
  const imageNoise = (index: number): Float32Array => {
    const values = drawn.get(index) ?? Random.derive(seed, what, index).fillNormal(new Float32Array(length));
    drawn.set(index, values);
    return values;
  };
  return (batch) => {
    checkWhole(`${what}: batch`, batch);
    const data = new Float32Array(batch * length);
    for (let i = 0; i < batch; i++) data.set(imageNoise(i % fixed), i * length);
    return { dtype: "float32", shape: [batch, ...shape], data };
  };
}
