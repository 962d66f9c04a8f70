import type { Tensor, TensorData } from "../../../src/graph/index.js";
import { cast, gradients, input, mean, slice, tensorData } from "../../../src/graph/index.js";
import { affineImage } from "../../../src/data/images/affine.js";
import { TrainingPass } from "../../../src/nn/layers/index.js";
import { crossEntropy } from "../../../src/nn/losses.js";
import type { State } from "../../../src/nn/module.js";
import { namedParameters } from "../../../src/nn/module.js";
import { PlateauRate } from "../../../src/nn/plateau.js";
import type { Variant } from "../../../src/systems/vonenet/index.js";
import {
  ResponseStatistics,
  VOneBlock,
  authorsName,
  downstreamWeights,
  groupMeans,
  rateAtEpoch,
  sampleReceptiveFields,
  subPopulations,
  voneResNet18,
} from "../../../src/systems/vonenet/index.js";
import { check } from "../../../src/util/errors.js";
import { isJsonObject } from "../../../src/util/json.js";
import { NumpyRandom } from "../../../src/util/numpy-random.js";
import type { Comparison } from "../compare.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf } from "../golden-case.js";
import type { GoldenKind, Results, Verdict } from "../harness.js";
import { imagesOf } from "./block.js";
import { pixelTensors } from "./filters.js";
import { judgeNetwork } from "./tolerance.js";

const GEOMETRY = { imageSize: 64, visualDegrees: 2 } as const;

function described({ config, metadata, file }: GoldenCase, name: string): string {
  const value = metadata[name] ?? config[name];
  check(
    typeof value === "string" || typeof value === "number",
    () => `${file}: ${name} is ${JSON.stringify(value)}`,
  );
  return String(value);
}

function studyBlock(
  variant: string,
  seed: number,
  cells: readonly [number, number],
  gain: number,
): VOneBlock {
  const [simple, complex] = cells;
  const fields = sampleReceptiveFields({ variant: variant as Variant, seed, simple, complex });
  return new VOneBlock({ fields, ...GEOMETRY, kernelSize: 31, stride: 2, gain });
}

/** The network in full size; its weights follow a rule instead of being stored. */
const fullSize: GoldenKind = {
  name: "full-size network",
  slow: true,
  matches: ({ metadata }) => metadata.weight_rule !== undefined,
  run: async (golden, evaluate): Promise<Results> => {
    const stage = golden.tensors.get("output.eval.stage.vone_block.channel_mean");
    const cells = (stage?.shape[0] ?? 512) / 2;
    const block = studyBlock(
      described(golden, "variant"),
      Number(described(golden, "gabor_seed")),
      [cells, cells],
      Number(described(golden, "k_exc")),
    );
    const classes = tensorOf(golden, "output.eval.logits").shape[1]!;
    const network = voneResNet18(block, { classes });
    const parameters = namedParameters(network);
    const seed = /RandomState\((\d+)\)/.exec(golden.metadata.weight_rule!)?.[1];
    check(seed, () => `${golden.file}: its weight rule names no seed`);
    const values = ruledWeights(parameters, Number(seed));

    const data = imagesOf(golden);
    const images = input("images", data.shape);
    const labels = input("labels", [data.shape[0]!]);
    const responses = block.forward(images);
    const features = network.bottleneck.forward(responses);
    const stages = network.model.stages(features);
    const named: Record<string, Tensor> = { vone_block: responses, bottleneck: features };
    stages.forEach((layer, i) => (named[`layer${i + 1}`] = layer));
    const pass = new TrainingPass();
    const logits = network.forward(images, pass);
    const loss = crossEntropy(logits, cast(labels, "int64"));
    const outputs: Record<string, Tensor> = {
      "output.eval.logits": network.readOut(responses),
      "output.train.logits": logits,
      "output.train.loss": loss,
      "output.eval.stage.vone_block.channel_mean": mean(responses, [0, 2, 3]),
    };
    for (const [name, value] of Object.entries(named)) outputs[`stage.${name}`] = value;
    const wanted = [...golden.tensors.keys()].filter((name) => name.startsWith("grad."));
    const bare = (name: string) => name.replace(/^grad\.(param|slice8x8)\./, "");
    const tensors = wanted.map((name) => {
      const found = [...parameters].find(([own]) => authorsName(own) === bare(name));
      check(found, () => `${golden.file}: there is no parameter for ${name}`);
      return found[1];
    });
    gradients(loss, tensors).forEach((slope, i) => {
      outputs[wanted[i]!] = wanted[i]!.startsWith("grad.slice8x8.")
        ? slice(slope, [
            { axis: 0, start: 0, end: 8 },
            { axis: 1, start: 0, end: 8 },
          ])
        : slope;
    });
    const found = await evaluate(outputs, {
      images: data,
      labels: tensorData(
        Float32Array.from(tensorOf(golden, "input.labels").data as ArrayLike<bigint>, Number),
        [data.shape[0]!],
      ),
      ...Object.fromEntries(values),
    });
    const results = new Map(Object.entries(found));
    for (const name of Object.keys(named)) {
      const value = found[`stage.${name}`]!;
      results.set(`output.eval.stage.${name}.stats`, stageStatistics(value));
      results.set(`output.eval.stage.${name}.slice`, centralSlice(value));
    }
    return results;
  },
  judge: judgeNetwork,
};

/** The rule in the file's metadata; parameters in the order of the authors' state dictionary, which is ours. */
function ruledWeights(parameters: ReturnType<typeof namedParameters>, seed: number): State {
  const random = new NumpyRandom(seed);
  const state: State = new Map();
  for (const [name, { shape }] of parameters) {
    const dims = shape as number[];
    const size = dims.reduce((a, b) => a * b, 1);
    const value = (u: number): number => {
      if (dims.length === 4) return (2 * u - 1) * Math.sqrt(6 / (dims[0]! * dims[2]! * dims[3]!));
      if (name.includes("fc.")) return (2 * u - 1) / Math.sqrt(512);
      if (/(runningMean|bias)$/.test(name)) return 0.4 * (u - 0.5);
      return 1 + 0.4 * (u - 0.5);
    };
    state.set(name, tensorData(Float32Array.from(random.fill(size, (r) => value(r.uniform()))), dims));
  }
  return state;
}

/** Mean, mean magnitude, unbiased deviation and maximum. */
function stageStatistics({ data }: TensorData): TensorData {
  const values = Float64Array.from(data as Float32Array);
  const n = values.length;
  const average = values.reduce((a, b) => a + b, 0) / n;
  const magnitude = values.reduce((a, b) => a + Math.abs(b), 0) / n;
  const squares = values.reduce((a, b) => a + (b - average) ** 2, 0);
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  return tensorData([average, magnitude, Math.sqrt(squares / (n - 1)), largest]);
}

/** [:, ::max(1, C // 16), H // 2, W // 2] */
function centralSlice({ shape, data }: TensorData): TensorData {
  const [batch, channels, height, width] = shape as [number, number, number, number];
  const every = Math.max(1, Math.floor(channels / 16));
  const kept = Array.from({ length: Math.ceil(channels / every) }, (_, i) => i * every);
  const at = (n: number, c: number) =>
    Number(data[((n * channels + c) * height + Math.floor(height / 2)) * width + Math.floor(width / 2)]);
  const rows = Array.from({ length: batch }, (_, n) => kept.map((c) => at(n, c)));
  return tensorData(rows.flat(), [batch, kept.length]);
}

/** What the authors' test script measures. */
const analysis: GoldenKind = {
  name: "sub-populations and responses",
  matches: ({ tensors }) => tensors.has("output.channel_mean_abs_weight"),
  compares: (name) => name.startsWith("input.gabor.") || name === "input.sf_cpd" || name === "input.nx",
  run: async (golden, evaluate): Promise<Results> => {
    const { config } = golden;
    const variant = described(golden, "variant");
    const seed = Number(config.seed ?? golden.metadata.gabor_seed);
    const cellsOf = (name: string) => config[name] as readonly [number, number];
    const [simple, complex] = cellsOf("weights_channels");
    const fields = sampleReceptiveFields({ variant: variant as Variant, seed, simple, complex });
    const weight = tensorOf(golden, "input.bottleneck.weight").data as Float32Array;
    const weights = downstreamWeights(weight, simple + complex);
    const groups = subPopulations(fields);
    const means = groupMeans(groups, weights);
    const results = new Map<string, TensorData>([
      [
        "output.channel_mean_abs_weight",
        { dtype: "float32", shape: [weights.length], data: Float32Array.from(weights) },
      ],
      ["input.sf_cpd", { dtype: "float64", shape: [simple + complex], data: fields.spatialFrequency }],
      ["input.nx", { dtype: "float64", shape: [simple + complex], data: fields.nx }],
    ]);
    for (const [offset, cellType] of (["simple", "complex"] as const).entries()) {
      const part = <T>(list: readonly T[]) => list.slice(12 * offset, 12 * (offset + 1));
      const counts = BigInt64Array.from(part(groups), ({ cells }) => BigInt(cells.length));
      results.set(`output.${cellType}.count`, { dtype: "int64", shape: [3, 4], data: counts });
      results.set(`output.${cellType}.mean_abs_weight`, {
        dtype: "float64",
        shape: [3, 4],
        data: Float64Array.from(part(means)),
      });
    }
    const block = studyBlock(variant, seed, cellsOf("act_channels"), Number(config.k_exc));
    for (const [name, value] of Object.entries(pixelTensors(block.fields, GEOMETRY)))
      results.set(`input.gabor.${name}`, value);
    results.set("input.gabor.color", {
      dtype: "int64",
      shape: [block.cells],
      data: BigInt64Array.from(block.fields.colour, BigInt),
    });
    const data = imagesOf(golden);
    const found = await evaluate({ responses: block.forward(input("images", data.shape)) }, { images: data });
    const { responses } = found as { responses: TensorData };
    const statistics = new ResponseStatistics(block.cells, responses.shape[2]! * responses.shape[3]!);
    statistics.add(responses.data as Float32Array);
    const cells = statistics.result();
    const vector = (values: readonly number[]) => tensorData(values, [values.length]);
    // A position that is silent on all images spoils the authors' average of its cell.
    const plain = (pick: (cell: (typeof cells)[number]) => number) =>
      vector(cells.map((cell) => (cell.silent > 0 ? NaN : pick(cell))));
    results.set("output.act.mean", vector(cells.map(({ mean: value }) => value)));
    results.set("output.act.std", vector(cells.map(({ deviation }) => deviation)));
    results.set(
      "output.act.cv",
      plain(({ variation }) => variation),
    );
    results.set(
      "output.act.sparseness",
      plain(({ sparseness }) => sparseness),
    );
    results.set("output.act.cv_nanmean", vector(cells.map(({ variation }) => variation)));
    results.set("output.act.sparseness_nanmean", vector(cells.map(({ sparseness }) => sparseness)));
    return results;
  },
};

/** Both rules for the learning rate, number by number. */
const schedules: GoldenKind = {
  name: "learning rates",
  matches: ({ content }) =>
    isJsonObject(content) && isJsonObject(content.plateau) && isJsonObject(content.step),
  run: () => Promise.resolve(new Map()),
  verify: (golden): Promise<Verdict> => {
    const { plateau, step } = golden.content as Record<
      "plateau" | "step",
      Record<string, number | string | number[]>
    >;
    const rule = new PlateauRate({
      rate: plateau.initial_lr as number,
      factor: plateau.factor as number,
      patience: plateau.patience as number,
      threshold: plateau.threshold as number,
      thresholdMode: plateau.threshold_mode === "abs" ? "absolute" : "relative",
      better: plateau.mode === "max" ? "higher" : "lower",
      coolDown: plateau.cooldown as number,
      minimum: plateau.min_lr as number,
      epsilon: plateau.eps as number,
    });
    const ours = {
      plateau: (plateau.val_losses as number[]).map((loss) => rule.observe(loss)),
      step: (step.frac_epochs as number[]).map((epoch) =>
        rateAtEpoch({
          rate: step.initial_lr as number,
          factor: step.gamma as number,
          every: step.step_size as number,
          epoch,
        }),
      ),
    };
    const theirs = { plateau: plateau.lr_after_step as number[], step: step.lr as number[] };
    const failures = (["plateau", "step"] as const).flatMap((name) =>
      theirs[name].flatMap((expected, i) =>
        Math.abs(ours[name][i]! - expected) <= 1e-12 * expected
          ? []
          : [`${name}, call ${i}: ${ours[name][i]!}, expected ${expected}`],
      ),
    );
    return Promise.resolve({ failures, compared: theirs.plateau.length + theirs.step.length });
  },
};

/** The geometric augmentation for recorded draws. */
const augmentation: GoldenKind = {
  name: "augmentation",
  matches: ({ tensors }) => tensors.has("output.image_u8") && tensors.has("input.params"),
  run: (golden): Promise<Results> => {
    const { shape, data } = tensorOf(golden, "input.image_u8");
    const [, height, width] = shape as [number, number, number];
    const plane = height * width;
    const pixels = Uint8Array.from({ length: 3 * plane }, (_, i) =>
      Number(data[(i % 3) * plane + Math.floor(i / 3)]),
    );
    const draws = tensorOf(golden, "input.params");
    const rows = draws.shape[0]!;
    const out = new Uint8Array(rows * 3 * plane);
    for (let row = 0; row < rows; row++) {
      const [angle, x, y, scale, flip] = Array.from({ length: 5 }, (_, i) =>
        Number(draws.data[row * 5 + i]),
      ) as [number, number, number, number, number];
      const made = affineImage(
        { width, height, data: pixels },
        { angle, translate: [x, y], scale, flip: flip !== 0 },
      );
      for (let i = 0; i < plane; i++)
        for (let c = 0; c < 3; c++) out[(row * 3 + c) * plane + i] = made.data[3 * i + c]!;
    }
    const images: TensorData = { dtype: "uint8", shape: [rows, 3, height, width], data: out };
    return Promise.resolve(new Map([["output.image_u8", images]]));
  },
  judge: (golden, name, expected, results): Comparison | undefined => {
    const actual = results.get(name);
    if (actual?.data.length !== expected.data.length) return undefined;
    const share = Number(/([\d.]+)%/.exec(String(golden.tolerance))?.[1] ?? 100) / 100;
    let different = 0;
    for (let i = 0; i < expected.data.length; i++) if (actual.data[i] !== expected.data[i]) different++;
    const difference = different / expected.data.length;
    const allowed = 1 - share;
    const failure = difference > allowed ? { failure: `${name}: ${different} pixels differ` } : {};
    return { name, difference, allowed, ...failure };
  },
};

export const studyKinds: readonly GoldenKind[] = [fullSize, analysis, schedules, augmentation];
