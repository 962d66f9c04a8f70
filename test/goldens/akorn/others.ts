import type { TensorData } from "../../../src/graph/index.js";
import { cast, input, slice, squeeze, sum, tensorData } from "../../../src/graph/index.js";
import { judgeLogits, reliability } from "../../../src/metrics/calibration.js";
import { averaged, warmAverage } from "../../../src/nn/ema.js";
import { constantRate, withWarmUp } from "../../../src/nn/schedules.js";
import type { Classifier } from "../../../src/robustness/classifier.js";
import { addSigns, pgd } from "../../../src/robustness/attacks/simple.js";
import { tracedNetwork } from "../../../src/robustness/network.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import {
  EnergyVoter,
  NOISE,
  PUZZLE,
  boardDigits,
  givenCells,
  lowestEnergy,
  oneHotBoards,
} from "../../../src/systems/akorn/index.js";
import { sub } from "../../../src/graph/index.js";
import { check } from "../../../src/util/errors.js";
import { digitsOf, elementOf, load, numberOf, parametersOf } from "./support.js";
import { recognitionNetwork, sudokuNetwork } from "./networks.js";
import { shareWithin, floatsOf, images, imagesOf, wholeOf, withClassifier } from "../robustness/support.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf, withPrefix } from "../golden-case.js";
import type { GoldenKind } from "../harness.js";

const whole = (values: ArrayLike<number>, shape: readonly number[] = [values.length]): TensorData => ({
  dtype: "int32",
  shape,
  data: Int32Array.from(values),
});
const double = (values: ArrayLike<number>, shape: readonly number[] = [values.length]): TensorData => ({
  dtype: "float64",
  shape,
  data: Float64Array.from(values),
});

/** Recorded draws in the order of the forward passes, one for each call. */
function recorded(golden: GoldenCase, prefix: string, classifier: Classifier): void {
  const draws = withPrefix(golden, prefix);
  classifier.seedNoise((_name, _shape, _kind, call) => {
    const draw = draws.get(String(call));
    check(draw, () => `${golden.file}: there is no draw ${prefix}${call}`);
    return Float32Array.from(draw.data as Float32Array);
  });
}

const attacks: GoldenKind = {
  name: "attacks",
  slow: true,
  matches: ({ tensors }) => tensors.has("output.fgsm") && tensors.has("noise.random.0"),
  run: async (golden, evaluate) => {
    const model = recognitionNetwork(golden);
    const { state } = load("recognitionNetwork", model, parametersOf(golden));
    const [, channels, height, width] = tensorOf(golden, "input.image").shape as [
      number,
      number,
      number,
      number,
    ];
    const network = tracedNetwork({
      name: "recognition network",
      imageShape: [channels, height, width],
      state,
      forward: (x) => ({
        logits: model.forward({ images: x, noise: model.noiseInput(x.shape[0]!) }).logits,
        noise: { [NOISE]: "normal" },
      }),
    });
    const [clean, labels, epsilon] = [imagesOf(golden), wholeOf(golden), numberOf(golden, "eps")];
    return withClassifier(network, evaluate, async (classifier) => {
      recorded(golden, "noise.fgsm.", classifier);
      const fgsm = await pgd(classifier, clean, labels, epsilon, { steps: 1, stepSize: epsilon });
      recorded(golden, "noise.pgd.", classifier);
      const steps = numberOf(golden, "pgd_iters");
      const projected = await pgd(classifier, clean, labels, epsilon, {
        steps,
        stepSize: numberOf(golden, "pgd_alpha"),
        eot: numberOf(golden, "eot", 1),
        eotWeights: "accumulated",
      });
      const signs = floatsOf(golden, "noise.random.0");
      return new Map([
        ["output.random", images(addSigns(clean, signs, numberOf(golden, "random_eps")), golden)],
        ["output.fgsm", images(fgsm, golden)],
        ["output.pgd", images(projected, golden)],
      ]);
    });
  },
  judge: (golden, name, expected, results) => {
    const actual = results.get(name);
    if (name === "output.fgsm") return shareWithin(name, expected, actual, 1e-5, 0.99);
    if (name !== "output.pgd") return undefined;
    const near = shareWithin(name, expected, actual, 1e-5, 0.98);
    const all = shareWithin(name, expected, actual, 2 * numberOf(golden, "eps"), 1);
    return near.failure === undefined ? all : near;
  },
};

const encoding: GoldenKind = {
  name: "Sudoku encoding",
  matches: ({ tensors }) => tensors.has("input.digits") && tensors.has("output.onehot"),
  run: (golden) => {
    const { data, shape } = tensorOf(golden, "input.digits");
    const digits = Array.from(data as ArrayLike<number | bigint>, Number);
    const oneHot = oneHotBoards(digits);
    return Promise.resolve(
      new Map<string, TensorData>([
        ["output.onehot", tensorData(oneHot, [...shape, 9])],
        ["output.is_input", whole(givenCells(digits), [...shape, 1])],
        ["output.tokens", whole(boardDigits(oneHot), shape)],
      ]),
    );
  },
};

const voting: GoldenKind = {
  name: "energy voting",
  matches: ({ tensors }) => tensors.has("output.choice_sum.0"),
  run: async (golden, evaluate) => {
    const model = sudokuNetwork(golden);
    const { state } = load("sudokuNetwork", model, parametersOf(golden));
    const [draws, boards] = [numberOf(golden, "K"), tensorOf(golden, "input.X").shape[0]!];
    const [puzzles, solutions] = ["input.X", "input.Y"].map((name) => digitsOf(tensorOf(golden, name)));
    const results = new Map<string, TensorData>();
    const puzzle = input(PUZZLE, [draws, 9, 9]);
    const { logits, layers } = model.forward({
      tokens: cast(puzzle, "int64"),
      noise: model.noiseInput(draws),
    });
    const { energies } = layers.at(-1)!;
    for (let board = 0; board < boards; board++) {
      const noise = tensorOf(golden, `noise.${board}`);
      const cells = elementOf(puzzles!, board).data as Float32Array;
      const repeated = Float32Array.from({ length: draws * 81 }, (_, i) => cells[i % 81]!);
      const all = await evaluate(
        {
          pred: logits,
          sum: sum(energies, 0),
          last: squeeze(slice(energies, [{ axis: 0, start: -1 }]), [0]),
        },
        {
          [PUZZLE]: tensorData(repeated, [draws, 9, 9]),
          [NOISE]: noise,
          ...Object.fromEntries(state),
        },
      );
      results.set(`output.pred.${board}`, all.pred!);
      for (const score of ["sum", "last"] as const) {
        const voter = await EnergyVoter.open(model, state, nodeRuntime, {
          ...evaluate.options,
          draws,
          chunk: 4,
          score,
        });
        let given = 0;
        const vote = await voter.vote(cells, (part) => {
          part.set((noise.data as Float32Array).subarray(given, given + part.length));
          given += part.length;
        });
        await voter.close();
        check(vote.draw === lowestEnergy(vote.energies), () => "the vote is not the lowest energy");
        results.set(`output.energy_${score}.${board}`, tensorData(vote.energies, [draws]));
        results.set(`output.choice_${score}.${board}`, whole([vote.draw]));
        const solution = elementOf(solutions!, board).data as Float32Array;
        const right = Array.from(
          { length: 81 },
          (_, cell) => cells[cell] === 0 && bestDigit(vote.logits, cell) === solution[cell],
        );
        results.set(`output.vote_correct_cells_${score}.${board}`, whole([right.filter(Boolean).length]));
      }
    }
    return results;
  },
};

function bestDigit(logits: Float32Array, cell: number): number {
  const own = logits.subarray(cell * 9, (cell + 1) * 9);
  return own.indexOf(Math.max(...own)) + 1;
}

const movingAverage: GoldenKind = {
  name: "moving average",
  matches: ({ tensors }) => tensors.has("output.ema") && tensors.has("output.decay"),
  run: async (golden, evaluate) => {
    const { shape } = tensorOf(golden, "input.values");
    const power = golden.config.power === "2/3" ? 2 / 3 : numberOf(golden, "power", 2 / 3);
    const rule = {
      decay: numberOf(golden, "beta"),
      after: numberOf(golden, "update_after_step"),
      inverseGamma: numberOf(golden, "inv_gamma", 1),
      power,
      smallestDecay: numberOf(golden, "min_value", 0),
    };
    const every = numberOf(golden, "update_every");
    const [old, fresh, step] = [
      input("old", shape.slice(1)),
      input("fresh", shape.slice(1)),
      input("step", []),
    ];
    const rate = warmAverage({ ...rule, every }).rate(step);
    check(typeof rate !== "number", () => "a warm average's rate changes");
    // The decay in force after a call: the rule without its rest between updates.
    const inForce = warmAverage({ ...rule, every: 1 }).rate(step);
    check(typeof inForce !== "number", () => "a warm average's rate changes");
    const graph = { next: averaged(old, fresh, rate, sub(1, rate)), decay: sub(1, inForce) };
    const values = tensorOf(golden, "input.values");
    const [averages, decays] = [[] as number[], [] as number[]];
    let average = elementOf(values, 0);
    for (let k = 0; k < shape[0]!; k++) {
      const feeds = { old: average, fresh: elementOf(values, k) };
      const { next } = await evaluate({ next: graph.next }, { ...feeds, step: tensorData([k], []) });
      const { decay } = await evaluate({ decay: graph.decay }, { step: tensorData([k], []) });
      average = next!;
      averages.push(...Array.from(next!.data, Number));
      decays.push(Number(decay!.data[0]));
    }
    return new Map([
      ["output.ema", double(averages, shape)],
      ["output.decay", double(decays)],
    ]);
  },
};

const warmUp: GoldenKind = {
  name: "warm-up",
  matches: ({ tensors, config }) => tensors.has("output.lr") && config.warmup_iters !== undefined,
  run: (golden) => {
    const schedule = withWarmUp(
      constantRate(numberOf(golden, "base_lr")),
      numberOf(golden, "warmup_iters"),
      2,
    );
    const steps = tensorOf(golden, "output.lr").data.length;
    return Promise.resolve(
      new Map([["output.lr", double(Array.from({ length: steps }, (_, step) => schedule(step)))]]),
    );
  },
};

const calibrationError: GoldenKind = {
  name: "calibration error",
  matches: ({ tensors }) => tensors.has("output.bin_confidence") && tensors.has("output.ece"),
  run: (golden) => {
    const [logits, labels] = [floatsOf(golden, "input.logits"), wholeOf(golden)];
    const classes = logits.length / labels.length;
    const judged = Array.from(labels, (label, i) =>
      judgeLogits(logits.subarray(i * classes, (i + 1) * classes), label),
    );
    const { bins, ece } = reliability(
      judged.map(({ confidence }) => confidence),
      judged.map(({ predicted }, i) => predicted === labels[i]),
      numberOf(golden, "bins", 15),
    );
    return Promise.resolve(
      new Map<string, TensorData>([
        ["output.count", whole(bins.map(({ count }) => count))],
        ["output.bin_accuracy", double(bins.map(({ accuracy }) => accuracy))],
        ["output.bin_confidence", double(bins.map(({ confidence }) => confidence))],
        ["output.ece", double([ece], [])],
      ]),
    );
  },
};

export const otherKinds: readonly GoldenKind[] = [
  attacks,
  encoding,
  voting,
  movingAverage,
  warmUp,
  calibrationError,
];
