import { describe, expect, it } from "vitest";
import type { Tensor, TensorData } from "../../../src/graph/index.js";
import { gradients, input, lower, mul, sum, writeOnnx } from "../../../src/graph/index.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import { webRuntime } from "../../../src/runtime/web.js";
import type { PathwayTensors, SubcorticalOptions } from "../../../src/systems/vonenet/index.js";
import {
  LIGHT_ADAPTATIONS,
  SubcorticalBlock,
  checkRetinaImages,
  fixedRetinaNoise,
  subcorticalWeights,
} from "../../../src/systems/vonenet/index.js";
import { Random } from "../../../src/util/random.js";

const geometry = { imageSize: 48, visualDegrees: 3 };
const [HEIGHT, WIDTH] = [20, 22];
const retina = (options: Partial<SubcorticalOptions> = {}) =>
  new SubcorticalBlock({ ...geometry, ...options });

function images(batch: number, low = 0, high = 1, shape = [3, HEIGHT, WIDTH]): TensorData {
  const size = shape.reduce((a, b) => a * b, batch);
  const data = new Random(4).fillUniform(new Float32Array(size), low, high);
  return { dtype: "float32", shape: [batch, ...shape], data };
}

function normals(shape: readonly number[], seed: number): TensorData {
  const size = shape.reduce((a, b) => a * b, 1);
  return { dtype: "float32", shape, data: new Random(seed).fillNormal(new Float32Array(size)) };
}

async function run(
  outputs: Record<string, Tensor>,
  feeds: Record<string, TensorData>,
  runtime = nodeRuntime,
) {
  const target = runtime === nodeRuntime ? "cpu" : "portable";
  const session = await runtime.createSession(writeOnnx(lower(outputs, target)).bytes, { threads: 1 });
  const results = await session.run(feeds);
  await session.close();
  return results;
}

/** The convolution of a reflected image plane with a square kernel, in float64. */
function filtered(plane: Float64Array, kernel: ArrayLike<number>, side: number): Float64Array {
  const reach = side >> 1;
  const fold = (i: number, length: number) => {
    const at = Math.abs(i);
    return at < length ? at : 2 * (length - 1) - at;
  };
  return plane.map((_, at) => {
    const [row, column] = [Math.floor(at / WIDTH), at % WIDTH];
    let total = 0;
    for (let i = 0; i < side; i++)
      for (let j = 0; j < side; j++)
        total +=
          kernel[i * side + j]! *
          plane[fold(row + i - reach, HEIGHT) * WIDTH + fold(column + j - reach, WIDTH)]!;
    return total;
  });
}

/** The equations of the block in float64, written out for one image, with the square kernels of its weights. */
function reference(block: SubcorticalBlock, x: Float64Array, z?: ArrayLike<number>): Float64Array {
  const plane = HEIGHT * WIDTH;
  const bright = block.lightAdaptation === "thresholded" ? x.filter((value) => value > 0.05) : x;
  const mean = bright.reduce((a, b) => a + b, 0) / Math.max(1, bright.length);
  const epsilon = block.lightAdaptation === "thresholded" ? 0.05 : 1e-5;
  const light = block.lightAdaptation === "none" ? x : x.map((value) => (value - mean) / (mean + epsilon));
  const cells = Object.values(block.weights).flatMap((tensors) => {
    const { dog, pool, kExc, c50, n } = tensors as Record<keyof PathwayTensors<TensorData>, TensorData>;
    const [count, colours, side] = dog.shape as [number, number, number];
    return Array.from({ length: count }, (_, cell) => {
      const response = new Float64Array(plane);
      for (let colour = 0; colour < colours; colour++) {
        const start = (cell * colours + colour) * side * side;
        const kernel = dog.data.slice(start, start + side * side) as Float32Array;
        const part = filtered(light.slice(colour * plane, (colour + 1) * plane), kernel, side);
        part.forEach((value, i) => (response[i]! += value));
      }
      const squares = response.map((value) => value * value);
      const width = pool.shape[2]!;
      const energy = filtered(squares, pool.data.slice(0, width * width) as Float32Array, width);
      const [k, c, exponent] = [kExc, c50, n].map(({ data }) => Number(data[cell])) as [
        number,
        number,
        number,
      ];
      return response.map((value, i) => {
        const y = block.contrastNormalisation ? value / (Math.sqrt(energy[i]!) + c) ** exponent : value;
        return k * (block.rectify ? Math.max(y, 0) : y);
      });
    });
  });
  const all = Float64Array.from(cells.flatMap((cell) => [...cell]));
  const fano = block.noise?.fano;
  if (fano === undefined || z === undefined) return all;
  return all.map((value, i) => value + z[i]! * Math.sqrt(fano * (Math.abs(value) + 1e-5)));
}

const float64 = ({ data }: TensorData) => Float64Array.from(data as Float32Array);

/** The largest difference, relative to the largest expected value. */
function difference(actual: ArrayLike<number>, expected: Float64Array): number {
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i]!)), 0) / scale;
}

describe("SubcorticalBlock", () => {
  it.each<[string, Partial<SubcorticalOptions>]>([
    ["standard", {}],
    ["thresholded", { lightAdaptation: "thresholded" }],
    ["without light adaptation", { lightAdaptation: "none" }],
    ["without contrast normalisation", { contrastNormalisation: false, rectify: true }],
    ["one P cell", { p: 1, m: 0 }],
    ["two P cells and three M cells", { p: 2, m: 3 }],
    ["five P cells", { p: 5 }],
  ])("is its equations within 1e-5, by separable sums: %s", async (_name, options) => {
    const block = retina(options);
    const x = images(1, block.imageRange[0]);
    const { y } = await run({ y: block.forward(input("x", x.shape)) }, { x });
    expect(y!.shape).toEqual([1, block.channels, HEIGHT, WIDTH]);
    expect(difference(y!.data as Float32Array, reference(block, float64(x)))).toBeLessThan(1e-5);
  });

  it("takes grey images, whose cells see the sum over colours", async () => {
    const block = retina({ colours: 1 });
    const x = images(1, 0, 1, [1, HEIGHT, WIDTH]);
    const { y } = await run({ y: block.forward(input("x", x.shape)) }, { x });
    expect(difference(y!.data as Float32Array, reference(block, float64(x)))).toBeLessThan(1e-5);
    const coloured = { ...x, shape: [1, 3, HEIGHT, WIDTH], data: new Float32Array(3 * x.data.length) };
    for (let c = 0; c < 3; c++) coloured.data.set(x.data as Float32Array, c * x.data.length);
    const three = await run({ y: retina().forward(input("x", coloured.shape)) }, { x: coloured });
    expect(difference(y!.data as Float32Array, float64(three.y!))).toBeLessThan(1e-5);
  });

  it.each(LIGHT_ADAPTATIONS)("has the gradient of its equations, with noise: %s", async (lightAdaptation) => {
    const block = retina({ lightAdaptation, noise: {} });
    const x = images(1, block.imageRange[0] / 2, 0.9);
    const shape = [1, 4, HEIGHT, WIDTH];
    const [z, dy] = [normals(shape, 2), normals(shape, 3)];
    const [traced, noise] = [input("x", x.shape), block.noiseInput(1, HEIGHT, WIDTH)!];
    const y = block.forward(traced, noise);
    const dx = gradients(sum(mul(y, input("dy", shape))), [traced])[0]!;
    const found = await run({ y, dx }, { x, dy, "retina:noise": z });
    const answers = z.data as Float32Array;
    expect(difference(found.y!.data as Float32Array, reference(block, float64(x), answers))).toBeLessThan(
      1e-4,
    );
    const direction = float64(normals(x.shape, 5));
    const lossAt = (step: number) => {
      const moved = float64(x).map((value, i) => value + step * direction[i]!);
      return reference(block, moved, answers).reduce((a, value, i) => a + value * Number(dy.data[i]), 0);
    };
    // Noise is steep near 0, so the difference is narrow.
    const slope = (lossAt(1e-7) - lossAt(-1e-7)) / 2e-7;
    const predicted = float64(found.dx!).reduce((a, value, i) => a + value * direction[i]!, 0);
    expect(Math.abs(predicted - slope)).toBeLessThan(2e-3 * Math.abs(slope));
  });

  it.each(LIGHT_ADAPTATIONS)("has finite gradients for uniform images: %s", async (lightAdaptation) => {
    const block = retina({ lightAdaptation });
    const noisy = retina({ lightAdaptation, noise: {} });
    const values = lightAdaptation === "none" ? [-1, 0, 1] : [0, 0.5, 1];
    const data = Float32Array.from({ length: 3 * 3 * HEIGHT * WIDTH }, (_, i) => {
      return values[Math.floor(i / (3 * HEIGHT * WIDTH))]!;
    });
    const x: TensorData = { dtype: "float32", shape: [3, 3, HEIGHT, WIDTH], data };
    const traced = input("x", x.shape);
    const z = normals([3, 4, HEIGHT, WIDTH], 1);
    const y = block.forward(traced);
    const withNoise = noisy.forward(traced, input("z", z.shape));
    const outputs = {
      y,
      dx: gradients(sum(mul(y, y)), [traced])[0]!,
      dxNoise: gradients(sum(mul(withNoise, withNoise)), [traced])[0]!,
    };
    const found = await run(outputs, { x, z });
    for (const value of Object.values(found))
      expect((value.data as Float32Array).every(Number.isFinite)).toBe(true);
    // Adapted uniform light has no contrast.
    const largest = (found.y!.data as Float32Array).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    if (lightAdaptation === "mean") expect(largest).toBeLessThan(1e-4);
  });

  it("loads the authors' dictionaries, and applies kernels that are not of the geometry as they are", async () => {
    const block = retina();
    const { P, M } = block.weights;
    const join = (name: "kExc" | "c50" | "n"): TensorData => ({
      dtype: "float32",
      shape: [1, 4, 1, 1],
      data: Float32Array.of(...(P![name]!.data as Float32Array), ...(M![name]!.data as Float32Array)),
    });
    const theirs = (prefix: string, more: readonly (readonly [string, TensorData])[] = []) =>
      new Map([
        [`${prefix}subcorticalblock.k_exc`, join("kExc")],
        [`${prefix}subcorticalblock.dog.multi_conv.convs.0.weight`, P!.dog],
        [`${prefix}subcorticalblock.dog.multi_conv.convs.1.weight`, M!.dog],
        [`${prefix}subcorticalblock.contrast_norm.c50`, join("c50")],
        [`${prefix}subcorticalblock.contrast_norm.n`, join("n")],
        [`${prefix}subcorticalblock.contrast_norm.multi_conv.convs.0.weight`, P!.pool!],
        [`${prefix}subcorticalblock.contrast_norm.multi_conv.convs.1.weight`, M!.pool!],
        ...more,
      ]);
    for (const prefix of ["", "module.", "evblock.", "module.evblock."])
      expect(subcorticalWeights(theirs(prefix), { p: 3, m: 1 })).toEqual(block.weights);
    const dog = { ...M!.dog, shape: [1, 3, 9, 9], data: new Random(2).fillNormal(new Float32Array(243)) };
    const foreign = theirs("", [["subcorticalblock.dog.multi_conv.convs.1.weight", dog]]);
    const other = retina({ weights: subcorticalWeights(foreign, { p: 3, m: 1 }) });
    const x = images(1);
    const { y } = await run({ y: other.forward(input("x", x.shape)) }, { x });
    expect(difference(y!.data as Float32Array, reference(other, float64(x)))).toBeLessThan(1e-5);

    const missing = theirs("");
    missing.delete("subcorticalblock.dog.multi_conv.convs.1.weight");
    expect(() => subcorticalWeights(missing, { p: 3, m: 1 })).toThrow(
      'retina weights: pathway M: "subcorticalblock.dog" is missing',
    );
    expect(() => subcorticalWeights(theirs(""), { p: 3, m: 2 })).toThrow(
      '"subcorticalblock.k_exc": expected [1, 5, 1, 1], got [1, 4, 1, 1]',
    );
    expect(() => retina({ p: 2, weights: { P: P! } })).toThrow(
      "retina: dog of pathway P: expected [2, 3, 11, 11], got [3, 3, 11, 11]",
    );
  });

  it("is the same in a browser's runtime, for any batch", async () => {
    const block = retina({ noise: {} });
    const x = images(2, 0, 1, [3, 48, 48]);
    const z = fixedRetinaNoise(block, { seed: 1 })(2);
    const traced = input("x", ["batch", 3, 48, 48]);
    const noisy = block.forward(traced, block.noiseInput("batch"));
    const outputs = { quiet: retina().forward(traced), noisy };
    const feeds = { x, "retina:noise": z };
    const [node, web] = [await run(outputs, feeds), await run(outputs, feeds, webRuntime)];
    expect(difference(web.quiet!.data as Float32Array, float64(node.quiet!))).toBeLessThan(1e-5);
    // The square root in the noise is steep near 0, which magnifies rounding.
    expect(difference(web.noisy!.data as Float32Array, float64(node.noisy!))).toBeLessThan(1e-4);
  });

  it("has noise of the published variance, the same for the same seed", async () => {
    const block = retina({ noise: { fano: 0.4 } });
    const x = images(1);
    const many = 400;
    const z = normals([many, 4, HEIGHT, WIDTH], 7);
    const traced = input("x", [many, 3, HEIGHT, WIDTH]);
    const repeated = new Float32Array(many * x.data.length);
    for (let i = 0; i < many; i++) repeated.set(x.data as Float32Array, i * x.data.length);
    const quiet = reference(retina(), float64(x));
    const { y } = await run(
      { y: block.forward(traced, input("z", z.shape)) },
      { x: { ...x, shape: [many, 3, HEIGHT, WIDTH], data: repeated }, z },
    );
    for (let unit = 0; unit < quiet.length; unit += 101) {
      const values = Array.from({ length: many }, (_, i) => Number(y!.data[i * quiet.length + unit]));
      const mean = values.reduce((a, b) => a + b, 0) / many;
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / (many - 1);
      const expected = 0.4 * (Math.abs(quiet[unit]!) + 1e-5);
      expect(Math.abs(mean - quiet[unit]!)).toBeLessThan(5 * Math.sqrt(expected / many));
      expect(variance / expected).toBeGreaterThan(0.7);
      expect(variance / expected).toBeLessThan(1.4);
    }
    const draw = fixedRetinaNoise(block, { seed: 3, batch: 2 });
    expect(draw(3)).toEqual(fixedRetinaNoise(block, { seed: 3, batch: 2 })(3));
    const size = 4 * 48 * 48;
    expect(draw(3).data.slice(2 * size)).toEqual(draw(3).data.slice(0, size));
  });
});

describe("SubcorticalBlock refuses", () => {
  it("a missing visual angle, no cells and unknown options", () => {
    expect(() => retina({ visualDegrees: undefined as unknown as number })).toThrow(
      /visual degrees: expected the degrees of visual angle that the 48 pixels of an image span/,
    );
    expect(() => retina({ p: 0, m: 0 })).toThrow("retina: expected at least one cell, got none");
    expect(() => retina({ p: 1.5 })).toThrow("retina: p: expected a whole number of at least 0, got 1.5");
    expect(() => retina({ colours: 2 as 3 })).toThrow("retina: colours: expected one of 1, 3, got 2");
    expect(() => retina({ lightAdaptation: "local" as "mean" })).toThrow(
      'retina: light adaptation: expected one of mean, thresholded, none, got "local"',
    );
    expect(() => retina({ noise: { fano: -1 } })).toThrow(
      "retina noise: fano: expected a number of at least 0, got -1",
    );
  });

  it("images and noise that do not fit", () => {
    const block = retina();
    expect(block.smallestSide).toBe(18);
    expect(() => block.forward(input("x", [1, 3, 17, 40]))).toThrow(
      /images of at least 18 x 18 pixels, because kernels of 35 pixels \(at 16 pixels per degree\) .* got \[1, 3, 17, 40\]/,
    );
    expect(block.forward(input("x", [1, 3, 18, 40])).shape).toEqual([1, 4, 18, 40]);
    expect(() => block.forward(input("x", [1, 1, 40, 40]))).toThrow(
      "retina: expected images [batch, 3, height, width] of known height and width, got [1, 1, 40, 40]",
    );
    expect(() => block.forward(input("x", [1, 3, "height", 40]))).toThrow(/of known height and width/);
    const x = input("x", ["batch", 3, 48, 48]);
    expect(() => block.forward(x, input("z", ["batch", 4, 48, 48]))).toThrow(/a block without noise/);
    const noisy = retina({ noise: {} });
    expect(() => noisy.forward(x)).toThrow(/retina: noise: expected standard-normal numbers .* got none/);
    expect(() => noisy.forward(x, input("z", ["batch", 3, 48, 48]))).toThrow(/got \[batch, 3, 48, 48\]/);
  });

  it("values outside the range of images", () => {
    const check = (values: TensorData, options: Partial<SubcorticalOptions> = {}) => {
      checkRetinaImages(retina(options), values);
    };
    check(images(2));
    check(images(2, -1), { lightAdaptation: "none" });
    expect(() => {
      check(images(2, -1));
    }).toThrow(
      /retina: expected image values in \[0, 1\], got -.* \(a retina that adapts to light takes images/,
    );
    expect(() => {
      check(images(2, 0, 255));
    }).toThrow(/\(if they are bytes, divide by 255\)/);
    expect(() => {
      check({ ...images(1), data: new Float32Array(3 * HEIGHT * WIDTH).fill(NaN) });
    }).toThrow("retina: expected image values in [0, 1], got NaN");
    expect(() => {
      check(images(1, 0, 1, [3, 10, 40]));
    }).toThrow(/of at least 18 x 18 pixels, got \[1, 3, 10, 40\]/);
  });
});
