import { describe, expect, it } from "vitest";
import type { TensorData } from "../../../src/graph/index.js";
import { input, tensorData } from "../../../src/graph/index.js";
import type { State } from "../../../src/nn/module.js";
import { initialState, namedParameters } from "../../../src/nn/module.js";
import { asConstants } from "../../../src/nn/training-state.js";
import type { Grid } from "../../../src/systems/akorn/index.js";
import {
  IterativeObjectNetwork,
  NOISE,
  ObjectNetwork,
  ObjectTask,
  RecognitionNetwork,
  RecognitionTask,
} from "../../../src/systems/akorn/index.js";
import { Random } from "../../../src/util/random.js";
import { numbers, runGraph } from "../../support/run.js";

const valuesOf = (model: object) => initialState(namedParameters(model), (name) => Random.derive(1, name));

function normal(shape: readonly number[], label: string): TensorData {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensorData(Random.derive("akorn sizes", label).fillNormal(new Float32Array(size)), shape);
}

/** Features of one image, [channels, height / 4, width / 4]. */
async function featuresOf(
  model: ObjectNetwork | IterativeObjectNetwork,
  values: State,
  images: TensorData,
  noise: TensorData,
): Promise<number[]> {
  namedParameters(model);
  const image = input("images", images.shape);
  const { features } = model.forward({ images: image, noise: input(NOISE, noise.shape) });
  expect(features.shape).toEqual(noise.shape);
  const feeds = model instanceof ObjectNetwork ? { images, [NOISE]: noise } : { images };
  return numbers((await runGraph({ features }, feeds, { values: asConstants(values) })).features);
}

/** Columns from `start` up to `end`. */
function columns({ data, shape }: TensorData, start: number, end: number): TensorData {
  const width = shape.at(-1)!;
  const part = Array.from(data as Float32Array).filter((_, i) => i % width >= start && i % width < end);
  return tensorData(Float32Array.from(part), [...shape.slice(0, -1), end - start]);
}

/** Matrices [positions, ...] of one grid at the places of another: bilinear between the centres of positions. */
function resized(
  { data, shape }: TensorData,
  [fromRows, fromColumns]: Grid,
  [rows, columns]: Grid,
): TensorData {
  const size = data.length / shape[0]!;
  const place = (i: number, from: number, to: number) => {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    return [Math.floor(at), Math.min(Math.floor(at) + 1, from - 1), at % 1] as const;
  };
  const out = new Float32Array(rows * columns * size);
  out.forEach((_, i) => {
    const [row, column] = [Math.floor(i / size / columns), Math.floor(i / size) % columns];
    const [top, bottom, down] = place(row, fromRows, rows);
    const [left, right, across] = place(column, fromColumns, columns);
    const at = (y: number, x: number) => Number(data[(y * fromColumns + x) * size + (i % size)]);
    out[i] =
      (1 - down) * ((1 - across) * at(top, left) + across * at(top, right)) +
      down * ((1 - across) * at(bottom, left) + across * at(bottom, right));
  });
  return tensorData(out, [rows * columns, ...shape.slice(1)]);
}

function expectClose(found: readonly number[], wanted: readonly number[], tolerance: number): void {
  expect(found).toHaveLength(wanted.length);
  const largest = Math.max(...wanted.map(Math.abs));
  const furthest = found.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0);
  expect(furthest).toBeLessThan(tolerance * largest);
}

describe("networks for images that are not square", () => {
  const small = { channels: 16, heads: 2, patch: 4, timesteps: 2 } as const;

  it("give every place the features of its own part of the image, if oscillators do not act on each other", async () => {
    const [images, noise] = [normal([1, 3, 8, 20], "images"), normal([1, 16, 2, 5], "noise")];
    const features = (from: number, to: number) =>
      featuresOf(...made([8, 4 * (to - from)]), columns(images, 4 * from, 4 * to), columns(noise, from, to));
    const made = (imageSize: Grid): [ObjectNetwork, State] => {
      const coupling = { coupling: "convolution", kernel: 1, stimulusNorm: "none" } as const;
      const model = new ObjectNetwork({ ...small, ...coupling, imageSize });
      return [model, valuesOf(model)];
    };
    const [whole, left, right] = [await features(0, 5), await features(0, 2), await features(2, 5)];
    const joined = whole.map((_, i) => {
      const [row, column] = [Math.floor(i / 5), i % 5];
      return column < 2 ? left[2 * row + column]! : right[3 * row + column - 2]!;
    });
    expectClose(whole, joined, 1e-5);
  });

  it.each([
    ["AKOrN", (options: object) => new ObjectNetwork({ ...small, layers: 2, ...options })],
    ["ItrSA", (options: object) => new IterativeObjectNetwork({ ...small, rotations: true, ...options })],
  ])("of another size resize their rotations, bilinearly along either axis: %s", async (_, make) => {
    const [own, other] = [
      [16, 12],
      [8, 20],
    ] as const;
    const grids = [own, other].map(([height, width]) => [height / 4, width / 4] as const);
    const model = make({ imageSize: own, rescale: "rotations" });
    const values = valuesOf(model);
    const moved: State = new Map();
    for (const [name, value] of values) {
      // Away from their start, which is smooth.
      if (name.includes("rotations")) values.set(name, normal(value.shape, name));
      moved.set(name, name.includes("rotations") ? resized(values.get(name)!, grids[0]!, grids[1]!) : value);
    }
    const feeds = [normal([1, 3, 8, 20], "images"), normal([1, 16, 2, 5], "noise")] as const;
    const found = await featuresOf(model, values, ...feeds);
    const wanted = await featuresOf(make({ imageSize: other, rescale: false }), moved, ...feeds);
    expectClose(found, wanted, 1e-4);
  });

  it("take position codes, tasks and classes along", async () => {
    const model = new ObjectNetwork({ ...small, imageSize: [8, 20], rotations: false });
    expect(model.positions!.stimulus.shape).toEqual([16, 2, 5]);
    const { inputs } = new ObjectTask(model, [8, 20]).loss(3);
    expect(inputs.map(({ shape }) => shape)).toEqual([
      [6, 3, 8, 20],
      [6, 16, 2, 5],
    ]);
    const rotated = new ObjectNetwork({ ...small, imageSize: 16, rescale: "rotations" });
    expect(new ObjectTask(rotated, [8, 20]).inference(1).outputs.features!.shape).toEqual([1, 16, 2, 5]);
    const squeezed = new ObjectNetwork({ ...small, imageSize: 16 });
    expect(new ObjectTask(squeezed, [8, 20]).inference(1).outputs.features!.shape).toEqual([1, 16, 4, 4]);

    const network = new RecognitionNetwork({
      channels: 8,
      imageSize: [12, 18],
      rotatingDimensions: 2,
      kernels: 3,
      coupling: ["convolution", "attention", "convolution"],
    });
    const { outputs } = new RecognitionTask(network).inference(2);
    const results = await runGraph(
      outputs,
      { images: normal([2, 3, 12, 18], "images"), [NOISE]: normal([2, 8, 12, 18], "noise") },
      { values: asConstants(valuesOf(network)) },
    );
    expect(results.logits!.shape).toEqual([2, 10]);
    expect(numbers(results.logits).every(Number.isFinite)).toBe(true);
  });

  it("name both lengths of what does not fit", () => {
    const network = (options: object) => new ObjectNetwork({ ...small, ...options });
    const forward = (options: object, height: number, width: number) => {
      const model = network(options);
      model.forward({ images: input("images", [1, 3, height, width]), noise: model.noiseInput(1) });
    };
    expect(() => network({ imageSize: [16, 18] })).toThrow(
      "patches: expected an image of whole patches of 4 pixels, got 16 x 18",
    );
    expect(() => {
      forward({ imageSize: [8, 20], rescale: false }, 20, 8);
    }).toThrow("images: expected [batch, 3, 8, 20], got [1, 3, 20, 8]; set `rescale`");
    expect(() => {
      forward({ imageSize: [8, 20], rescale: "rotations" }, 8, 18);
    }).toThrow("patches: expected an image of whole patches of 4 pixels, got 8 x 18");
    expect(() => network({ rotations: false, rescale: "rotations" })).toThrow("position codes");
    expect(() => network({ rescale: "always" })).toThrow('expected true, false or "rotations", got "always"');
    const recognition = new RecognitionNetwork({ channels: 4, imageSize: [12, 18] });
    expect(() =>
      recognition.forward({ images: input("images", [1, 3, 18, 12]), noise: recognition.noiseInput(1) }),
    ).toThrow("images: expected [batch, 3, 12, 18], got [1, 3, 18, 12]");
  });
});
