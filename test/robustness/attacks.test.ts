import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkInBall, distances, pickImages } from "../../src/robustness/attacks/ball.js";
import { attackBatch } from "../../src/robustness/attacks/attack.js";
import { towardsHyperplane } from "../../src/robustness/attacks/hyperplane.js";
import { pgd } from "../../src/robustness/attacks/simple.js";
import type { AttackPlan, Norm } from "../../src/robustness/index.js";
import {
  ATTACK_NAMES,
  apgdAttack,
  attackPlan,
  checkPlan,
  gradientWarnings,
  isDeterministic,
  pgdAttack,
  planCautions,
  planWarnings,
  squareAttack,
  tracedNetwork,
} from "../../src/robustness/index.js";
import type { Tensor } from "../../src/graph/index.js";
import {
  add,
  constant,
  flatten,
  gradients as gradientsOf,
  input as inputTensor,
  lower,
  mul,
  parameter,
  pow,
  round,
  slice,
  softmax,
  sum,
  tensorData,
  writeOnnx,
} from "../../src/graph/index.js";
import { ones } from "../../src/nn/init.js";
import { attackLoss } from "../../src/robustness/losses.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { apgdStep } from "../../src/robustness/attacks/steps.js";
import { Random } from "../../src/util/random.js";
import { linearScores, open, ownLabels, randomImages, smallNetwork } from "./small-network.js";

/** Attacks with few steps, so that the test is about what they give and not about waiting. */
function shortened(plan: AttackPlan): AttackPlan {
  return plan.name.startsWith("AutoAttack") ? { ...plan, attacks: plan.attacks.slice(0, 2) } : plan;
}

describe("every attack", () => {
  const cases = ATTACK_NAMES.flatMap((name) =>
    (["Linf", "L2"] as const)
      .filter((norm) => norm === "Linf" || !["noise", "fgsm", "bim"].includes(name))
      .map((norm): [string, Norm] => [name, norm]),
  );

  it.each(cases)("%s %s stays in its ball and in [0, 1], and only ever fools", async (name, norm) => {
    const classifier = open(smallNetwork());
    const images = randomImages(6);
    const labels = await ownLabels(classifier, images);
    labels[5] = (labels[5]! + 1) % 5;
    const epsilon = norm === "Linf" ? 0.04 : 0.4;
    const plan = shortened(attackPlan(name, norm));
    const outcome = await attackBatch(classifier, plan.attacks, {
      images,
      labels,
      epsilon,
      random: Random.derive(1, name, norm),
    });
    expect([...outcome.clean]).toEqual([1, 1, 1, 1, 1, 0]);
    expect(outcome.robust[5]).toBe(0);
    const far = distances(outcome.adversarial.data, images.data, 6, norm);
    expect(Math.max(...far)).toBeLessThanOrEqual(epsilon + 1e-5);
    expect(far[5]).toBe(0);
    expect(outcome.adversarial.data.every((value) => value >= 0 && value <= 1)).toBe(true);
    const again = await classifier.predict(outcome.adversarial);
    expect([...outcome.robust]).toEqual(
      Array.from(again, (guess, i) => (guess === labels[i] && outcome.clean[i] === 1 ? 1 : 0)),
    );
    // Whoever stands after a later attack stood after the earlier ones.
    for (const [i, { robust }] of outcome.stages.entries()) {
      const before = i === 0 ? outcome.clean : outcome.stages[i - 1]!.robust;
      expect(robust.every((flag, image) => flag <= before[image]!)).toBe(true);
    }
  });

  it("fools more images the larger the ball, and APGD at least as many as FGSM", async () => {
    const classifier = open(smallNetwork());
    const images = randomImages(40, 2);
    const labels = await ownLabels(classifier, images);
    const standing = async (name: string, epsilon: number) => {
      const { attacks } = attackPlan(name);
      const input = { images, labels, epsilon, random: new Random(1) };
      return (await attackBatch(classifier, attacks, input)).robust.reduce((a, b) => a + b, 0);
    };
    const apgd = [await standing("apgd", 0.005), await standing("apgd", 0.02), await standing("apgd", 0.1)];
    expect(apgd[0]).toBeGreaterThan(apgd[2]!);
    expect(apgd[0]).toBeGreaterThanOrEqual(apgd[1]!);
    expect(apgd[1]).toBeGreaterThanOrEqual(apgd[2]!);
    expect(apgd[1]).toBeLessThanOrEqual(await standing("fgsm", 0.02));
  });

  it("gives the same with the same seed, whatever ran before", async () => {
    const classifier = open(smallNetwork());
    const images = randomImages(8, 3);
    const labels = await ownLabels(classifier, images);
    const run = async (seed: number) => {
      const random = new Random(seed);
      const input = { images, labels, epsilon: 0.02, random };
      return (await attackBatch(classifier, [apgdAttack({ steps: 5 }), squareAttack({ queries: 20 })], input))
        .adversarial.data;
    };
    const first = await run(1);
    expect(await run(2)).not.toEqual(first);
    expect(await run(1)).toEqual(first);
  });
});

describe("gradients that attacks cannot follow", () => {
  /** Scores of a random network behind a function of theirs. */
  function behind(change: (scores: Tensor) => Tensor) {
    const network = smallNetwork();
    return open({ ...network, trace: (x) => ({ logits: change(network.trace(x).logits) }) });
  }

  async function reports(classifier: ReturnType<typeof open>, plan: AttackPlan) {
    const images = randomImages(6);
    const labels = await ownLabels(classifier, images);
    const input = { images, labels, epsilon: 0.05, random: new Random(1) };
    const { gradients, robust } = await attackBatch(classifier, plan.attacks, input);
    return { gradients, robust, warnings: gradientWarnings(plan, gradients) };
  }

  it("are counted where scores are so large that the softmax saturates", async () => {
    const plain = await reports(open(smallNetwork()), attackPlan("pgd"));
    expect(plain.gradients).toEqual([
      { attack: "PGD-20", images: 6, zero: 0, notFinite: 0, notFiniteValues: 0 },
    ]);
    expect(plain.warnings).toEqual([]);
    const steep = await reports(
      behind((scores) => mul(scores, 1e5)),
      attackPlan("pgd"),
    );
    expect(steep.gradients).toMatchObject([{ attack: "PGD-20", images: 6, zero: 6 }]);
    expect([...steep.robust]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(steep.warnings.join()).toMatch(
      /PGD-20: the gradient of its loss is zero, or below 1e-30, at 6 of 6 images/,
    );
    // The DLR loss does not depend on the scale of the scores.
    const other = await reports(
      behind((scores) => mul(scores, 1e5)),
      attackPlan("apgd-dlr"),
    );
    expect(other.gradients).toMatchObject([{ zero: 0 }]);
  });

  it("are followed however sure the network is of a label, up to where single precision ends", async () => {
    const classifier = open(smallNetwork());
    const images = randomImages(6);
    const labels = await ownLabels(classifier, images);
    const logits = await classifier.logits(images);
    const margins = Array.from(labels, (label, i) => {
      const own = logits.subarray(5 * i, 5 * i + 5);
      return own[label]! - Math.max(...own.filter((_, j) => j !== label));
    });
    // The image that is the least sure has a margin of 25 then, the others more.
    const factor = 25 / Math.min(...margins);
    const some = margins.flatMap((margin, i) => (margin * factor < 60 ? [i] : []));
    expect(some.length).toBeGreaterThan(0);
    const chosen = pickImages(images, some);
    const own = Int32Array.from(some, (i) => labels[i]!);
    for (const norm of ["Linf", "L2"] as const) {
      const epsilon = norm === "Linf" ? 0.2 : 2;
      const input = { images: chosen, labels: own, epsilon, random: new Random(1) };
      const steep = behind((scores) => mul(scores, factor));
      const outcome = await attackBatch(steep, [pgdAttack({ norm }), apgdAttack({ norm })], input);
      expect([...outcome.stages[0]!.robust]).toEqual(some.map(() => 0));
      expect(outcome.gradients[0]).toMatchObject({ zero: 0, notFinite: 0 });
    }
  });

  it("keep the label's share where 1 - p would lose it", async () => {
    const labels = constant([0, 0], [2], "int64");
    const x = inputTensor("x", [2, 3]);
    const loss = attackLoss("ce", x, labels);
    const [slope] = gradientsOf(sum(loss), [x]);
    const session = await nodeRuntime.createSession(writeOnnx(lower({ loss, slope: slope! }, "cpu")).bytes);
    const { loss: found, slope: gradient } = await session.run({
      x: tensorData([30, 1, -2, 60, 0, 1], [2, 3]),
    });
    await session.close();
    const expected = [
      [30, 1, -2],
      [60, 0, 1],
    ].map((row) => {
      const powers = row.slice(1).map((z) => Math.exp(z - row[0]!));
      const p = powers.map((power) => power / (1 + powers[0]! + powers[1]!));
      return { loss: Math.log1p(powers[0]! + powers[1]!), slope: [-(p[0]! + p[1]!), ...p] };
    });
    expected.forEach((row, i) => {
      expect((found!.data[i]! as number) / row.loss).toBeCloseTo(1, 5);
      row.slope.forEach((value, j) => {
        expect((gradient!.data[3 * i + j]! as number) / value).toBeCloseTo(1, 5);
      });
    });
  });

  it("are counted behind a cold softmax, and for each attack of a plan", async () => {
    const cold = behind((scores) => softmax(mul(scores, 1e5), 1));
    const { gradients, warnings } = await reports(cold, attackPlan("quick"));
    expect(gradients.map(({ attack, zero, images }) => [attack, zero / images])).toEqual([
      ["APGD-CE", 1],
      ["APGD-T", 1],
    ]);
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toContain("quick ensemble: APGD-T: the gradient");
  });

  it("that are no numbers count as 0, and are told", async () => {
    // The slope of x^0.5 at 0 is infinite, and not a number once it is multiplied by 0.
    const broken = behind((scores) => add(scores, pow(mul(scores, 0), 0.5)));
    const { gradients, warnings } = await reports(broken, attackPlan("fgsm"));
    expect(gradients).toMatchObject([{ attack: "FGSM", images: 6, notFinite: 6 }]);
    expect(gradients[0]!.notFiniteValues).toBe(6 * 3 * 8 * 8);
    expect(warnings.at(-1)).toMatch(/NaN or infinite at 6 of 6 images \(1152 values/);
  });

  it("leave the noise of a network as it is", async () => {
    const classifier = open(smallNetwork({ noisy: true }));
    const images = randomImages(3);
    const labels = Int32Array.of(0, 1, 2);
    classifier.seedNoise([1]);
    const expected = [await classifier.logits(images), await classifier.logits(images)];
    classifier.seedNoise([1]);
    const first = await classifier.logits(images);
    await classifier.aside(() => classifier.checkGradients("ce", images, labels));
    expect([first, await classifier.logits(images)]).toEqual(expected);
  });

  it("are more where losses aim at fewer classes than published", () => {
    expect(planCautions(attackPlan("autoattack"), 10)).toEqual([]);
    expect(planCautions(attackPlan("autoattack"), 5)).toEqual([
      "AutoAttack: APGD-T aims at all 4 wrong classes instead of 9: the network has 5 classes",
      "AutoAttack: FAB-T aims at all 4 wrong classes instead of 9: the network has 5 classes",
    ]);
  });
});

describe("PGD", () => {
  it("reaches the corner of the ball on a linear network", async () => {
    const weights = constant(
      Array.from({ length: 12 * 2 }, (_, i) => (i % 2 === 0 ? 1 : -1)),
      [12, 2],
    );
    const network = tracedNetwork({
      name: "linear",
      imageShape: [3, 2, 2],
      state: new Map(),
      forward: (x) => linearScores(x, weights),
    });
    const classifier = open(network);
    const images = { count: 1, data: new Float32Array(12).fill(0.5) };
    const found = await pgd(classifier, images, Int32Array.of(0), 0.125, { steps: 10, stepSize: 0.05 });
    expect([...found.data]).toEqual(new Array(12).fill(0.375));
    const towards = await pgd(classifier, images, Int32Array.of(1), 0.125, {
      steps: 10,
      stepSize: 0.05,
      towards: Int32Array.of(0),
    });
    expect([...towards.data]).toEqual(new Array(12).fill(0.625));
  });

  it("attacks networks whose parameters have the names of its own inputs", async () => {
    const names = ["stepSize", "step", "radius", "mix", "current", "previous", "clean", "along"];
    const scales = names.map((name) => parameter([1], ones, { name }));
    const weights = constant(
      Array.from({ length: 12 * 2 }, (_, i) => (i % 2 === 0 ? 1 : -1)),
      [12, 2],
    );
    const network = tracedNetwork({
      name: "scaled",
      imageShape: [3, 2, 2],
      state: new Map(names.map((name) => [name, tensorData([1], [1])])),
      forward: (x) => scales.reduce((scores, scale) => mul(scores, scale), linearScores(x, weights)),
    });
    const images = { count: 1, data: new Float32Array(12).fill(0.5) };
    const corner = new Array<number>(12).fill(0.375);
    for (const eot of [1, 2]) {
      const options = { steps: 10, stepSize: 0.05, eot };
      expect([...(await pgd(open(network), images, Int32Array.of(0), 0.125, options)).data]).toEqual(corner);
    }
    const step = await apgdStep(open(network), "ce", "Linf", {
      current: images,
      previous: images,
      clean: images,
      gradient: new Float32Array(12).fill(-1),
      labels: Int32Array.of(0),
      radius: 0.125,
      stepSize: Float32Array.of(1),
      mix: 1,
    });
    expect([...step.next]).toEqual(corner);
  });

  it("averages gradients over draws of a stochastic network", async () => {
    const classifier = open(smallNetwork({ noisy: true }));
    const images = randomImages(4, 5);
    const labels = Int32Array.of(0, 1, 2, 3);
    classifier.seedNoise([7]);
    const one = await pgd(classifier, images, labels, 0.1, { steps: 2, stepSize: 0.05, eot: 8 });
    classifier.seedNoise([7]);
    const same = await pgd(classifier, images, labels, 0.1, { steps: 2, stepSize: 0.05, eot: 8 });
    expect(same.data).toEqual(one.data);
    expect(await isDeterministic(classifier, images)).toBe(false);
    expect(await isDeterministic(open(smallNetwork()), images)).toBe(true);
  });
});

describe("the way to a hyperplane", () => {
  const unit = fc.double({ min: 0, max: 1, noNaN: true });
  const weight = fc.double({ min: -1, max: 1, noNaN: true });

  it.each(["Linf", "L2"] as const)("is in the box and ends on the plane, or in the corner: %s", (norm) => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(unit, weight), { minLength: 1, maxLength: 12 }),
        fc.double({ min: -3, max: 3, noNaN: true }),
        (list, b) => {
          const [point, w] = [list.map(([p]) => p), list.map(([, v]) => v)];
          const d = towardsHyperplane(point, w, b, norm);
          const to = point.map((value, i) => value + d[i]!);
          for (const value of to) expect(value).toBeGreaterThanOrEqual(-1e-12);
          for (const value of to) expect(value).toBeLessThanOrEqual(1 + 1e-12);
          const dot = (v: readonly number[]) => v.reduce((total, value, i) => total + value * w[i]!, 0);
          const lowest = w.reduce((total, value) => total + Math.min(0, value), 0);
          const highest = w.reduce((total, value) => total + Math.max(0, value), 0);
          const reachable = Math.min(Math.max(b, lowest), highest);
          expect(Math.abs(dot(to) - reachable)).toBeLessThan(1e-9);
        },
      ),
    );
  });

  it("is the shortest one", () => {
    // In the plane x + 2 y = 1 from (1, 1): L2 goes along (1, 2), Linf takes equal steps.
    expect([...towardsHyperplane([1, 1], [1, 2], 1, "L2")]).toEqual([-0.4, -0.8]);
    const equal = towardsHyperplane([1, 1], [1, 2], 1, "Linf");
    expect(equal[0]).toBeCloseTo(-2 / 3);
    expect(equal[1]).toBeCloseTo(-2 / 3);
  });
});

describe("what attacks refuse", () => {
  it("a network that no gradient passes, naming the operator", () => {
    const network = tracedNetwork({
      name: "stairs",
      imageShape: [3, 8, 8],
      state: new Map(),
      forward: (x) => slice(flatten(round(x)), [{ axis: 1, start: 0, end: 5 }]),
    });
    expect(() => {
      checkPlan(attackPlan("pgd"), open(network));
    }).toThrow(/no gradient passes through Round \(/);
    expect(() => {
      checkPlan(attackPlan("square"), open(network));
    }).not.toThrow();
  });

  it("too few classes for a loss", () => {
    const network = tracedNetwork({
      name: "two",
      imageShape: [3, 8, 8],
      state: new Map(),
      forward: (x) => slice(flatten(x), [{ axis: 1, start: 0, end: 2 }]),
    });
    expect(() => {
      checkPlan(attackPlan("apgd-dlr"), open(network));
    }).toThrow("APGD-DLR needs at least 3 classes, but the network has 2");
  });

  it("radii, labels and images that make no sense, and unknown names", async () => {
    const classifier = open(smallNetwork());
    const images = randomImages(2);
    const labels = Int32Array.of(0, 1);
    const run = (change: object) =>
      attackBatch(classifier, [pgdAttack({ steps: 1 })], {
        images,
        labels,
        epsilon: 0.1,
        random: new Random(1),
        ...change,
      });
    await expect(run({ epsilon: 8 })).rejects.toThrow("did you mean 8/255?");
    await expect(run({ epsilon: 0 })).rejects.toThrow("expected more than 0");
    await expect(run({ labels: Int32Array.of(0, 9) })).rejects.toThrow(
      "labels: expected whole numbers from 0 to 4, got 9 at position 1",
    );
    await expect(run({ labels: Int32Array.of(0) })).rejects.toThrow("labels: expected 2 values, got 1");
    const bytes = { count: 2, data: images.data.map((value) => 255 * value) };
    await expect(run({ images: bytes })).rejects.toThrow("images to attack: expected values in [0, 1], got");
    expect(() => attackPlan("apgdd")).toThrow(/unknown attack "apgdd".*did you mean apgd/);
    expect(() => attackPlan("fgsm", "L2")).toThrow("defined for Linf only");
  });

  it("adversarial images outside the ball", () => {
    const clean = { count: 2, data: Float32Array.of(0.5, 0.5, 0.5, 0.5) };
    const moved = { count: 2, data: Float32Array.of(0.5, 0.5, 0.5, 0.7) };
    expect(() => {
      checkInBall("X", moved, clean, "Linf", 0.1);
    }).toThrow(/X: image 1 is 0\.19\d* \(Linf\) away from the clean image, more than 0\.1/);
    const bright = { count: 2, data: Float32Array.of(0.5, 1.2, 0.5, 0.5) };
    expect(() => {
      checkInBall("X", bright, clean, "Linf", 1);
    }).toThrow("outside [0, 1]");
  });
});

it("tells when Square finds what attacks by gradient did not", () => {
  const plan = attackPlan("quick");
  expect(planWarnings(plan, 100, [50, 40, 40])).toEqual([]);
  expect(planWarnings(plan, 100, [50, 40, 30])[0]).toContain(
    "Square, which needs no gradient, fooled 10 of 100",
  );
});
