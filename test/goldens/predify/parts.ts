import type { TensorData } from "../../../src/graph/index.js";
import { add, gradients, input, mul, tensorData } from "../../../src/graph/index.js";
import { multiplySpace } from "../../../src/graph/operators/linear/axis-matrix.js";
import type { Tensor } from "../../../src/graph/index.js";
import { namedParameters } from "../../../src/nn/module.js";
import type { State } from "../../../src/nn/module.js";
import {
  Decoder,
  PCoder,
  corruptionError,
  correlationDistance,
  meanSummedError,
  partsFromValues,
  relativeErrorOverTime,
  resizeMatrix,
  valuesFromParts,
  weightsFromParts,
} from "../../../src/systems/predify/index.js";
import type { Comparison } from "../compare.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf, withPrefix } from "../golden-case.js";
import type { GoldenKind, Results } from "../harness.js";
import { describedDecoder, lastTimestep, measured10 } from "./network.js";

function at({ dtype, shape, data }: TensorData, i: number): TensorData {
  const size = data.length / shape[0]!;
  return { dtype, shape: shape.slice(1), data: data.slice(i * size, (i + 1) * size) };
}

/** A decoder with the weights under `prefix`, its names relative to it. */
function decoderOf(
  golden: GoldenCase,
  prefix: string,
  text: string,
  rep: TensorData,
  prediction: readonly number[],
) {
  const state: State = withPrefix(golden, prefix);
  const weight = [...state].find(([name]) => name.endsWith("weight"))![1];
  const steps = describedDecoder(text, rep, weight);
  const decoder = new Decoder(steps, rep.shape.slice(1), prediction, text);
  namedParameters({ pmodule: decoder.pmodule });
  return { decoder, state };
}

/** One PCoder by itself: drive, feedback and target are given at every timestep. */
const singlePCoder: GoldenKind = {
  name: "PCoder",
  matches: ({ tensors }) => tensors.has("input.ff"),
  run: async (golden, evaluate): Promise<Results> => {
    const { config } = golden;
    const [ff, targets] = [tensorOf(golden, "input.ff"), tensorOf(golden, "input.target")];
    const fb = golden.tensors.get("input.fb");
    const shape = ff.shape.slice(1);
    const { decoder, state } = decoderOf(
      golden,
      "param.",
      String(config.decoder),
      at(ff, 0),
      targets.shape.slice(2),
    );
    const hyperparameters = {
      feedforward: Number(config.ffm),
      feedback: Number(config.fbm),
      error: Number(config.erm),
    };
    const scaling =
      config.cls === "PCoderN" ? ({ window: "measured" } as const) : ({ errorOver: "batch" } as const);
    const cut = { name: "f", tensor: input("f", shape), shape: shape.slice(1) };
    const pcoder = new PCoder(
      1,
      "f",
      cut,
      targets.shape.slice(2),
      decoder,
      hyperparameters,
      fb !== undefined,
      scaling,
      false,
    );
    if (pcoder.windowRoot) namedParameters({ C_sqrt: pcoder.windowRoot });

    const results = new Map<string, TensorData>();
    const draws = golden.tensors.get("noise.randint");
    if (draws) {
      const count = await measured10(decoder, state, at(ff, 0), draws, evaluate);
      const root = tensorData([Math.sqrt(count)], []);
      state.set("C_sqrt", root);
      results.set("output.C_sqrt", root);
    }
    const steps = lastTimestep(golden);
    const weights = {
      feedforward: input("feedforward", []),
      feedback: input("feedback", []),
      error: input("error", []),
    };
    const outputs: Record<string, Tensor> = {};
    const feeds: Record<string, TensorData> = Object.fromEntries(state);
    for (const [name, value] of Object.entries(hyperparameters)) feeds[name] = tensorData([value], []);
    let previous: { representation: Tensor; own: ReturnType<PCoder["predict"]> } | undefined;
    for (let t = 0; t <= steps; t++) {
      const fed = (name: string, values: TensorData): Tensor => {
        feeds[`${name}${t}`] = at(values, t);
        return input(`${name}${t}`, values.shape.slice(1));
      };
      const drive = fed("ff", ff);
      const representation: Tensor =
        previous === undefined
          ? drive
          : pcoder.update(drive, previous.representation, previous.own, fb && fed("fb", fb), weights);
      const own = pcoder.predict(representation, fed("target", targets));
      outputs[`output.rep.t${t}`] = representation;
      outputs[`output.prd.t${t}`] = own.prediction;
      outputs[`output.grd.t${t}`] = pcoder.gradient(own);
      outputs[`output.prediction_error.t${t}`] = own.error;
      previous = { representation, own };
    }
    for (const [name, value] of Object.entries(await evaluate(outputs, feeds))) results.set(name, value);
    return results;
  },
};

interface WindowCase {
  readonly case: number;
  readonly decoder: string;
  readonly prediction: readonly number[];
}

/** C of some decoders: measured with the recorded draws, and by structure. */
const windows: GoldenKind = {
  name: "window",
  matches: ({ tensors }) => tensors.has("output.case0.C_sqrt"),
  run: async (golden, evaluate): Promise<Results> => {
    const results = new Map<string, TensorData>();
    for (const { case: n, decoder: text, prediction } of golden.config.cases as readonly WindowCase[]) {
      const rep = tensorOf(golden, `input.case${n}.rep`);
      const { decoder, state } = decoderOf(golden, `param.case${n}.`, text, rep, prediction);
      const count = await measured10(
        decoder,
        state,
        rep,
        tensorOf(golden, `noise.case${n}.randint`),
        evaluate,
      );
      results.set(`output.case${n}.C_sqrt`, tensorData([Math.sqrt(count)], []));
      const window = BigInt64Array.of(BigInt(decoder.window()));
      results.set(`output.case${n}.structural_window`, tensorData(window, [], "int64"));
    }
    return results;
  },
};

interface ResizeCase {
  readonly case: number;
  readonly scale_factor: readonly string[];
}

const upsampling: GoldenKind = {
  name: "bilinear upsampling",
  matches: ({ tensors }) => tensors.has("input.case0.grad_out"),
  run: async (golden, evaluate): Promise<Results> => {
    const outputs: Record<string, Tensor> = {};
    const feeds: Record<string, TensorData> = {};
    for (const { case: n, scale_factor: factors } of golden.config.cases as readonly ResizeCase[]) {
      const [x, dy] = [tensorOf(golden, `input.case${n}.x`), tensorOf(golden, `input.case${n}.grad_out`)];
      const image = input(`x${n}`, x.shape);
      const matrices = x.shape.slice(2).map((length, axis) => {
        const scale = Number(factors[axis]);
        return resizeMatrix(length, Math.floor(length * scale), scale, "linear");
      });
      const y = multiplySpace(image, matrices);
      outputs[`output.case${n}.y`] = y;
      outputs[`grad.input.case${n}.x`] = gradients(y, [image], { seeds: [input(`dy${n}`, dy.shape)] })[0]!;
      Object.assign(feeds, { [`x${n}`]: x, [`dy${n}`]: dy });
    }
    return new Map(Object.entries(await evaluate(outputs, feeds)));
  },
};

const rows = ({ shape, data }: TensorData): number[][] =>
  Array.from({ length: shape[0]! }, (_, i) =>
    Array.from(data.slice(i * shape[1]!, (i + 1) * shape[1]!), Number),
  );

/** Hyper-parameters and their trainable form, in plain numbers and in a graph. */
const hyperparameterParts: GoldenKind = {
  name: "hyper-parameter parts",
  matches: ({ tensors }) => tensors.has("input.raw_parts"),
  run: async (golden, evaluate): Promise<Results> => {
    const values = rows(tensorOf(golden, "input.values"));
    const parts = values.map(([feedforward, feedback, error]) =>
      partsFromValues({ feedforward: feedforward!, feedback: feedback!, error: error! }),
    );
    const table = (sets: readonly (readonly number[])[]) =>
      tensorData(sets.flat(), [sets.length, sets[0]!.length]);
    const back = parts.map((set) => {
      const { feedforward, feedback, memory, error } = valuesFromParts(set);
      return [feedforward, feedback, memory, error];
    });
    const raw = rows(tensorOf(golden, "input.raw_parts"));
    const fromRaw: number[][] = [];
    const slopes: number[][] = [];
    const [a, b, c] = Array.from(tensorOf(golden, "input.loss_weights").data, Number) as [
      number,
      number,
      number,
    ];
    const names = ["ff", "fb", "mem", "err"];
    const tensors = names.map((name) => input(name, []));
    const { feedforward, feedback, error } = weightsFromParts(tensors);
    const loss = add(add(mul(feedforward, a), mul(feedback, b)), mul(error, c));
    const outputs = {
      feedforward,
      feedback,
      error,
      ...Object.fromEntries(gradients(loss, tensors).map((g, i) => [`g${i}`, g])),
    };
    for (const set of raw) {
      const feeds = Object.fromEntries(names.map((name, i) => [name, tensorData([set[i]!], [])]));
      const found = await evaluate(outputs, feeds);
      const value = (name: string) => Number(found[name]!.data[0]);
      const memory = valuesFromParts(set as [number, number, number, number]).memory;
      fromRaw.push([value("feedforward"), value("feedback"), memory, value("error")]);
      slopes.push([0, 1, 2, 3].map((i) => value(`g${i}`)));
    }
    return new Map([
      ["output.parts", table(parts)],
      ["output.values_after_round_trip", table(back)],
      ["output.values_from_raw", table(fromRaw)],
      ["grad.param.parts", table(slopes)],
    ]);
  },
  // Where rounding puts the memory below 0 the original stores NaN. Ours is clamped: the values must come back.
  judge: (golden, name, expected, results): Comparison | undefined => {
    const actual = results.get(name);
    if (!name.startsWith("output.") || actual === undefined) return undefined;
    const given = rows(tensorOf(golden, "input.values"));
    const ours = rows(actual);
    const wanted = rows(expected).map((row, i) => {
      if (!row.some(Number.isNaN)) return row;
      const [feedforward, feedback, error] = given[i]!;
      if (name === "output.values_after_round_trip") return [feedforward!, feedback!, 0, error!];
      return row.map((value) => (Number.isNaN(value) ? -Infinity : value));
    });
    const far = wanted.flatMap((row, i) =>
      row.map((value, j) => (Object.is(value, ours[i]![j]) ? 0 : Math.abs(value - ours[i]![j]!))),
    );
    const difference = far.reduce((a, b) => (Number.isNaN(b) ? Infinity : Math.max(a, b)), 0);
    const allowed = 1e-6;
    return {
      name,
      difference,
      allowed,
      ...(difference > allowed && { failure: `${name}: off by ${difference}` }),
    };
  },
};

const metrics: GoldenKind = {
  name: "metrics",
  matches: ({ tensors }) => tensors.has("input.correct_counts"),
  run: (golden): Promise<Results> => {
    const [clean, noisy] = [tensorOf(golden, "input.clean"), tensorOf(golden, "input.noisy")];
    const images = clean.shape[0]!;
    const distances = Array.from({ length: images }, (_, i) =>
      correlationDistance(at(clean, i).data as Float32Array, at(noisy, i).data as Float32Array),
    );
    const counts = tensorOf(golden, "input.correct_counts");
    const [timesteps, corruptions, severities] = counts.shape as [number, number, number];
    const total = Number(/out of (\d+)/.exec(String(golden.config.correct_counts))?.[1]);
    const errors = Array.from({ length: timesteps }, (_, t) =>
      Array.from({ length: corruptions }, (_, c) =>
        Array.from(
          { length: severities },
          (_, s) => 1 - Number(counts.data[(t * corruptions + c) * severities + s]) / total,
        ),
      ),
    );
    const sums = errors.map(corruptionError);
    return Promise.resolve(
      new Map([
        ["output.correlation_distance", tensorData(distances)],
        ["output.sum_error_over_severities", tensorData(sums.flat(), [timesteps, corruptions])],
        ["output.mean_over_corruptions", tensorData(errors.map(meanSummedError))],
        ["output.relative_mce", tensorData(relativeErrorOverTime(errors))],
      ]),
    );
  },
};

export const partKinds: readonly GoldenKind[] = [
  singlePCoder,
  windows,
  upsampling,
  hyperparameterParts,
  metrics,
];
