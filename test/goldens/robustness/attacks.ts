import type { Tensor, TensorData } from "../../../src/graph/index.js";
import { gradients, input, sum, tensorData } from "../../../src/graph/index.js";
import { apgdRun } from "../../../src/robustness/attacks/apgd.js";
import { attackBatch, classOfRank } from "../../../src/robustness/attacks/attack.js";
import type { Norm } from "../../../src/robustness/attacks/ball.js";
import { distances } from "../../../src/robustness/attacks/ball.js";
import { standardEnsemble } from "../../../src/robustness/attacks/ensemble.js";
import { fabRun } from "../../../src/robustness/attacks/fab.js";
import { towardsHyperplane } from "../../../src/robustness/attacks/hyperplane.js";
import { addSigns, pgd } from "../../../src/robustness/attacks/simple.js";
import { squareRun } from "../../../src/robustness/attacks/square.js";
import type { Classifier, ImageBatch } from "../../../src/robustness/classifier.js";
import type { AttackLoss } from "../../../src/robustness/losses.js";
import { attackLoss } from "../../../src/robustness/losses.js";
import { preprocessingPreset } from "../../../src/data/images/preprocessing.js";
import { StriateError } from "../../../src/util/errors.js";
import { Random } from "../../../src/util/random.js";
import type { Comparison } from "../compare.js";
import { compare } from "../compare.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf } from "../golden-case.js";
import type { GoldenKind } from "../harness.js";
import {
  atMost,
  flags,
  floatsOf,
  images,
  imagesOf,
  rows,
  setting,
  shareWithin,
  smallNetwork,
  wholeOf,
  withClassifier,
} from "./support.js";

function normOf(golden: GoldenCase): Norm {
  const { norm } = golden.config;
  if (norm === "Linf" || norm === "L2") return norm;
  throw new StriateError(`${golden.file}: config norm is ${JSON.stringify(norm)}`);
}

const losses: GoldenKind = {
  name: "attack losses",
  matches: ({ tensors }) => tensors.has("output.dlr_targeted"),
  run: async (golden, evaluate) => {
    const shape = tensorOf(golden, "input.logits").shape;
    const logits = input("logits", shape);
    const [labels, targets] = ["label", "target"].map((name) => input(name, [shape[0]!], "int64")) as [
      Tensor,
      Tensor,
    ];
    const outputs: Record<string, Tensor> = {};
    const names: Record<string, AttackLoss> = { ce: "ce", dlr: "dlr", dlr_targeted: "dlr-targeted" };
    for (const [name, loss] of Object.entries(names)) {
      const value = attackLoss(loss, logits, labels, targets);
      outputs[`output.${name}`] = value;
      outputs[`grad.input.${name}`] = gradients(sum(value), [logits])[0]!;
    }
    const whole = (name: string) =>
      tensorData(BigInt64Array.from(wholeOf(golden, name), BigInt), [shape[0]!], "int64");
    const feeds = {
      logits: tensorOf(golden, "input.logits"),
      label: whole("input.label"),
      target: whole("input.target"),
    };
    return new Map(Object.entries(await evaluate(outputs, feeds)));
  },
  judge: (_golden, name, expected, results) =>
    compare(name, expected, results.get(name), { absolute: 1e-5, relative: 1e-5 }),
};

/** The gap by which two losses may differ. */
function offBy(a: number, b: number): boolean {
  return !(Math.abs(a - b) <= 1e-3 * (1 + Math.abs(b)));
}

const apgd: GoldenKind = {
  name: "APGD",
  matches: ({ tensors }) => tensors.has("noise.init") && tensors.has("output.step_size"),
  run: async (golden, evaluate) => {
    const norm = normOf(golden);
    const targeted = golden.tensors.has("input.target");
    const loss: AttackLoss = targeted ? "dlr-targeted" : golden.config.loss === "dlr" ? "dlr" : "ce";
    const targets = targeted ? wholeOf(golden, "input.target") : undefined;
    const [clean, labels] = [imagesOf(golden), wholeOf(golden)];
    const epsilon = setting(golden, "eps");
    return withClassifier(smallNetwork(golden), evaluate, async (classifier) => {
      const run = await apgdRun(classifier, clean, labels, {
        loss,
        norm,
        epsilon,
        steps: setting(golden, "n_iter"),
        rho: setting(golden, "rho", 0.75),
        eot: setting(golden, "eot_iter", 1),
        targets,
        draw: floatsOf(golden, "noise.init"),
      });
      const lossAt = async (batch: ImageBatch) =>
        (await classifier.lossAndGradient(loss, batch, labels, targets)).loss;
      const guesses = await classifier.predict(run.adversarial);
      return new Map<string, TensorData>([
        ["output.losses", rows(run.losses)],
        ["output.step_size", rows(run.stepSizes)],
        ["output.k", tensorData([...run.windows], undefined, "int32")],
        ["output.x_best", images(run.best, golden)],
        ["output.x_best_adv", images(run.adversarial, golden)],
        ["output.loss_best", tensorData(run.bestLoss)],
        ["output.robust", flags(run.robust)],
        ["own.loss_at_best", tensorData(await lossAt(run.best))],
        ["own.loss_at_expected_best", tensorData(await lossAt(imagesOf(golden, "output.x_best")))],
        ["own.robust_at_adversarial", flags(guesses.map((guess, i) => (guess === labels[i] ? 1 : 0)))],
      ]);
    });
  },
  judge: (golden, name, expected, results) => {
    const own = results.get(name);
    const count = tensorOf(golden, "input.label").data.length;
    const stable = golden.tensors.get("output.stable_rows");
    const stepsAgree = golden.metadata.fp64_max_abs_diff?.includes('"steps_equal": true') === true;
    const rowsOf = (image: number) => Number(stable?.data[image] ?? Infinity);
    /** Counts images with values out of line in the rows that both precisions agree on. */
    const inStableRows = (
      differ: (a: number, b: number) => boolean,
      first: number,
      allowed: number,
    ): Comparison => {
      if (own?.data.length !== expected.data.length) return atMost(name, Infinity, 0, "values missing");
      const wrong = new Set<number>();
      for (let i = 0; i < expected.data.length; i++) {
        if (Math.floor(i / count) + first >= rowsOf(i % count)) continue;
        if (differ(Number(own.data[i]), Number(expected.data[i]))) wrong.add(i % count);
      }
      return atMost(name, wrong.size, allowed, "images out of line");
    };
    const outside = (batch: TensorData): number => {
      const clean = tensorOf(golden, "input.image").data as Float32Array;
      const epsilon = setting(golden, "eps");
      const far = distances(batch.data as Float32Array, clean, count, normOf(golden));
      const beyond = (batch.data as Float32Array).filter((value) => value < 0 || value > 1).length;
      return beyond + far.filter((length) => !(length <= epsilon * (1 + 1e-5))).length;
    };
    const differing = (a: TensorData, b: TensorData, differ: (x: number, y: number) => boolean) =>
      Array.from(b.data, Number).filter((value, i) => differ(Number(a.data[i]), value)).length;
    switch (name) {
      case "output.stable_rows":
        return atMost(name, 0, 0, "");
      case "output.losses":
        return inStableRows(offBy, 0, 0);
      case "output.step_size":
        // Halved where an order statistic ties; the losses that follow are what has to agree.
        return inStableRows(
          (a, b) => Math.abs(a - b) > 1e-6 * b,
          1,
          Math.floor(count / (stepsAgree ? 4 : 2)),
        );
      case "output.k":
        return compare(name, expected, own, { absolute: 0 });
      case "output.loss_best":
        return atMost(name, differing(own!, expected, offBy), 1, "images out of line");
      case "output.robust":
        return atMost(
          name,
          differing(own!, expected, (a, b) => a !== b),
          1,
          "images out of line",
        );
      case "output.x_best": {
        const [best, at, theirs] = ["output.loss_best", "own.loss_at_best", "own.loss_at_expected_best"].map(
          (key) => results.get(key)!,
        ) as [TensorData, TensorData, TensorData];
        const wrong = outside(own!) + differing(at, best, offBy);
        return atMost(name, wrong + Math.max(0, differing(best, theirs, offBy) - 1), 0, "images out of line");
      }
      case "output.x_best_adv": {
        const [robust, at] = ["output.robust", "own.robust_at_adversarial"].map((key) =>
          results.get(key)!,
        ) as [TensorData, TensorData];
        // A point kept as adversarial fools the network; the start is kept where none did.
        const wrong = Array.from(robust.data, Number).filter(
          (flag, i) => flag === 0 && at.data[i] !== 0,
        ).length;
        return atMost(name, outside(own!) + wrong, 0, "images out of line");
      }
      default:
        return undefined;
    }
  },
};

const apgdEot: GoldenKind = {
  name: "APGD, expectation over transformation",
  matches: ({ tensors }) => tensors.has("noise.forward"),
  run: async (golden, evaluate) => {
    const forward = tensorOf(golden, "noise.forward");
    const size = forward.data.length / forward.shape[0]!;
    const [clean, labels] = [imagesOf(golden), wholeOf(golden)];
    const network = smallNetwork(golden, { noiseStd: setting(golden, "noise_std") });
    return withClassifier(network, evaluate, async (classifier) => {
      const each: Float32Array[] = [];
      classifier.seedNoise((_name, _shape, _kind, call) =>
        Float32Array.from(forward.data.slice(call * size, (call + 1) * size) as Float32Array),
      );
      const run = await apgdRun(classifier, clean, labels, {
        loss: golden.config.loss === "dlr" ? "dlr" : "ce",
        norm: normOf(golden),
        epsilon: setting(golden, "eps"),
        steps: setting(golden, "n_iter"),
        eot: setting(golden, "eot_iter"),
        draw: floatsOf(golden, "noise.init"),
        onForward: (loss) => each.push(loss.slice()),
      });
      return new Map<string, TensorData>([
        ["output.losses", rows(each)],
        ["output.x_best", images(run.best, golden)],
        ["output.x_best_adv", images(run.adversarial, golden)],
        ["output.stable_rows", tensorOf(golden, "output.stable_rows")],
      ]);
    });
  },
  judge: (_golden, name, expected, results) => {
    const own = results.get(name);
    if (name === "output.losses") return compare(name, expected, own, { absolute: 1e-3, relative: 1e-3 });
    if (name === "output.stable_rows") return compare(name, expected, own, { absolute: 0 });
    return shareWithin(name, expected, own, 1e-5, 0.99);
  },
};

const square: GoldenKind = {
  name: "Square",
  matches: ({ tensors }) => tensors.has("noise.uniform"),
  run: async (golden, evaluate) => {
    const draws = floatsOf(golden, "noise.uniform");
    const sizes = wholeOf(golden, "noise.uniform_sizes");
    const [clean, labels] = [imagesOf(golden), wholeOf(golden)];
    let [at, call] = [0, 0];
    const uniforms = (count: number) => {
      if (sizes[call] !== count)
        throw new StriateError(
          `draw ${call}: the case has ${sizes[call] ?? 0} numbers, ${count} were asked for`,
        );
      call += 1;
      at += count;
      return draws.subarray(at - count, at);
    };
    return withClassifier(smallNetwork(golden), evaluate, async (classifier) => {
      const margins: Float32Array[] = [];
      const run = await squareRun(classifier, clean, labels, {
        norm: normOf(golden),
        epsilon: setting(golden, "eps"),
        queries: setting(golden, "n_queries"),
        firstShare: setting(golden, "p_init"),
        stretchSchedule: golden.config.resc_schedule === true,
        uniforms,
        onQuery: (found) => {
          const padded = new Float32Array(clean.count).fill(NaN);
          padded.set(found);
          margins.push(padded);
        },
      });
      return new Map<string, TensorData>([
        ["output.margins", rows(margins)],
        ["output.n_queries", tensorData([...run.queries], undefined, "int32")],
        ["output.x_best", images(run.images, golden)],
      ]);
    });
  },
  judge: (_golden, name, expected, results) => {
    const absolute = name === "output.n_queries" ? 0 : name === "output.margins" ? 1e-4 : 1e-5;
    return compare(name, expected, results.get(name), { absolute });
  },
};

const fab: GoldenKind = {
  name: "FAB-T",
  matches: ({ tensors }) => tensors.has("output.proj_delta"),
  run: async (golden, evaluate) => {
    const norm = normOf(golden);
    const [clean, labels] = [imagesOf(golden), wholeOf(golden)];
    const [point, w, b] = ["point", "w", "b"].map((name) => floatsOf(golden, `input.proj_${name}`)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const size = point.length / b.length;
    const deltas = Array.from(b, (offset, i) =>
      towardsHyperplane(
        point.subarray(i * size, (i + 1) * size),
        w.subarray(i * size, (i + 1) * size),
        offset,
        norm,
      ),
    );
    return withClassifier(smallNetwork(golden), evaluate, async (classifier) => {
      const logits = await classifier.logits(clean);
      const run = await fabRun(classifier, clean, labels, {
        norm,
        targets: classOfRank(logits, clean.count, setting(golden, "target_rank")),
        steps: setting(golden, "n_iter"),
        mostOriginal: setting(golden, "alpha_max"),
        overshoot: setting(golden, "eta"),
        backward: setting(golden, "beta"),
      });
      const guesses = await classifier.predict(run.images);
      return new Map<string, TensorData>([
        ["output.proj_delta", rows(deltas)],
        ["output.adv", images(run.images, golden)],
        ["output.norm", tensorData(Float32Array.from(run.distance))],
        ["own.fooled", flags(guesses.map((guess, i) => (guess === labels[i] ? 0 : 1)))],
      ]);
    });
  },
  judge: (golden, name, expected, results) => {
    const own = results.get(name);
    if (name === "output.proj_delta") return compare(name, expected, own, { absolute: 1e-5 });
    if (name === "output.norm") return compare(name, expected, own, { absolute: 0, relative: 0.02 });
    if (name !== "output.adv") return undefined;
    const clean = tensorOf(golden, "input.image").data as Float32Array;
    const count = tensorOf(golden, "input.label").data.length;
    const [a, b] = [own!, expected].map(({ data }) =>
      distances(data as Float32Array, clean, count, normOf(golden)),
    ) as [Float64Array, Float64Array];
    const fooled = results.get("own.fooled")!;
    const wrong = Array.from(a).filter(
      (length, i) => Math.abs(length - b[i]!) > 0.02 * b[i]! || fooled.data[i] !== (b[i]! > 0 ? 1 : 0),
    ).length;
    return atMost(name, wrong, 0, "images out of line");
  },
};

const simple: GoldenKind = {
  name: "simple attacks",
  matches: ({ tensors }) => tensors.has("output.fgsm"),
  run: async (golden, evaluate) => {
    const [clean, labels, targets] = [imagesOf(golden), wholeOf(golden), wholeOf(golden, "input.target")];
    const [epsilon, alpha] = [setting(golden, "eps"), setting(golden, "alpha")];
    const results = new Map<string, TensorData>();
    const put = (name: string, batch: ImageBatch) => results.set(`output.${name}`, images(batch, golden));
    put("random_sign", addSigns(clean, floatsOf(golden, "noise.random_sign"), 64 / 255));
    await withClassifier(smallNetwork(golden), evaluate, async (classifier) => {
      const run = (options: Partial<Parameters<typeof pgd>[4]>, radius = epsilon) =>
        pgd(classifier, clean, labels, radius, { steps: 20, stepSize: alpha, ...options });
      put("fgsm", await run({ steps: 1, stepSize: epsilon }));
      put("pgd_linf", await run({}));
      put("pgd_linf_targeted", await run({ steps: 5, towards: targets }));
      const l2 = { form: "L2-akorn", steps: 10, stepSize: setting(golden, "alpha_l2") } as const;
      put("pgd_l2_akorn", await run(l2, setting(golden, "eps_l2")));
    });
    const noisy = smallNetwork(golden, { noiseStd: setting(golden, "noise_std", 0.1) });
    await withClassifier(noisy, evaluate, async (classifier) => {
      const draws = tensorOf(golden, "noise.pgd_eot");
      const [passes, few] = draws.shape as [number, number];
      const size = draws.data.length / passes;
      classifier.seedNoise((_name, _shape, _kind, call) =>
        Float32Array.from(draws.data.slice(call * size, (call + 1) * size) as Float32Array),
      );
      const [some, own] = [imagesOf(golden, "input.image", few), wholeOf(golden, "input.label", few)];
      const eot = { eot: 3, eotWeights: "accumulated", steps: passes / 3, stepSize: alpha } as const;
      put("pgd_linf_eot3", await pgd(classifier, some, own, epsilon, eot));
    });
    const { mean, std } = preprocessingPreset("imagenet");
    const normalised = smallNetwork(golden, { preprocessing: { mean: mean!, std: std! } });
    await withClassifier(normalised, evaluate, (classifier) => foolbox(classifier, golden, put, results));
    return results;
  },
  judge: (_golden, name, expected, results) =>
    name.endsWith("_success")
      ? compare(name, expected, results.get(name), { absolute: 0 })
      : shareWithin(name, expected, results.get(name), 1e-5, 0.99),
};

async function foolbox(
  classifier: Classifier,
  golden: GoldenCase,
  put: (name: string, batch: ImageBatch) => void,
  results: Map<string, TensorData>,
): Promise<void> {
  const [clean, labels, towards] = [imagesOf(golden), wholeOf(golden), wholeOf(golden, "input.target")];
  const steps = setting(golden, "foolbox.steps");
  for (const [name, form, epsilon] of [
    ["foolbox_linf_bim", "Linf", setting(golden, "eps")],
    ["foolbox_l2_pgd", "L2", setting(golden, "foolbox.eps_l2")],
  ] as const) {
    const start = imagesOf(golden, `noise.${name}_start`);
    const stepSize = setting(golden, "foolbox.rel_stepsize") * epsilon;
    const batch = await pgd(classifier, clean, labels, epsilon, { form, steps, stepSize, towards, start });
    put(`${name}_targeted`, batch);
    const guesses = await classifier.predict(batch);
    results.set(`output.${name}_success`, flags(guesses.map((guess, i) => (guess === towards[i] ? 1 : 0))));
  }
}

const ensemble: GoldenKind = {
  name: "standard ensemble",
  slow: true,
  matches: ({ tensors }) => [...tensors.keys()].some((name) => name.startsWith("output.robust_eps")),
  run: async (golden, evaluate) => {
    const [clean, labels] = [imagesOf(golden), wholeOf(golden)];
    const plan = standardEnsemble(normOf(golden));
    return withClassifier(smallNetwork(golden), evaluate, async (classifier) => {
      const results = new Map<string, TensorData>();
      for (const name of golden.tensors.keys()) {
        const radius = /^output\.robust_eps(.*)$/.exec(name)?.[1];
        if (radius === undefined) continue;
        const random = Random.derive(1, "golden", radius);
        const input = { images: clean, labels, epsilon: Number(radius), random };
        const outcome = await attackBatch(classifier, plan.attacks, input);
        results.set(name, rows([outcome.clean, ...outcome.stages.map(({ robust }) => robust)]));
      }
      return results;
    });
  },
  judge: (_golden, name, expected, results) => {
    const counts = ({ shape, data }: TensorData) =>
      Array.from({ length: shape[0]! }, (_, stage) =>
        Array.from(data.slice(stage * shape[1]!, (stage + 1) * shape[1]!), Number).reduce((a, b) => a + b, 0),
      );
    const [own, theirs] = [counts(results.get(name)!), counts(expected)];
    const gaps = theirs.map((count, stage) => Math.abs(count - (own[stage] ?? Infinity)));
    const wrong = gaps.filter((gap, stage) => gap > (stage === gaps.length - 1 ? 2 : 3)).length;
    return atMost(name, wrong, 0, `stages out of line (${own.join(" ")}, expected ${theirs.join(" ")})`);
  },
};

export const attackKinds: readonly GoldenKind[] = [losses, apgd, apgdEot, square, fab, simple, ensemble];
