import type { Answers, DigitsReport, ModelRole, PhasePicture } from "../../src/experiments/digits/results.js";
import { AUTHORS_SHORT_BUDGET } from "../../src/experiments/overlapping-digits/published.js";
import { summariseSeeds } from "../../src/report/over-seeds.js";

/** Invented, deterministic data of the right shape for tests and for looking at the report's layout. */

/** Uniform draws in 0..1 from a small linear congruential generator. */
export function draws(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 15), 2246822519) >>> 0;
    return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32;
  };
}

const SIZE = 32;
const CHANNELS = 8;
const TIMESTEPS = 12;

/** Distance from a point to a polyline. */
function nearness(x: number, y: number, line: readonly (readonly [number, number])[]): number {
  let least = Infinity;
  for (let i = 1; i < line.length; i++) {
    const [[x0, y0], [x1, y1]] = [line[i - 1]!, line[i]!];
    const [dx, dy] = [x1 - x0, y1 - y0];
    const t = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)));
    least = Math.min(least, Math.hypot(x - x0 - t * dx, y - y0 - t * dy));
  }
  return least;
}

const GLYPHS: Readonly<Record<number, readonly (readonly [number, number])[]>> = {
  0: Array.from({ length: 17 }, (_, i) => [
    5 + 4 * Math.cos((i * Math.PI) / 8),
    7 + 6 * Math.sin((i * Math.PI) / 8),
  ]),
  2: [
    [1, 3],
    [4, 1],
    [8, 2],
    [9, 5],
    [2, 13],
    [10, 13],
  ],
  3: [
    [1, 2],
    [8, 2],
    [5, 6],
    [9, 9],
    [7, 13],
    [1, 13],
  ],
  5: [
    [9, 1],
    [2, 1],
    [2, 6],
    [7, 6],
    [9, 10],
    [6, 13],
    [1, 12],
  ],
  7: [
    [1, 1],
    [10, 1],
    [5, 14],
  ],
};

function mask(digit: number, left: number, top: number): Float32Array {
  return Float32Array.from({ length: SIZE * SIZE }, (_, p) => {
    const d = nearness((p % SIZE) - left, Math.floor(p / SIZE) - top, GLYPHS[digit]!);
    return Math.max(0, Math.min(1, 1.9 - d));
  });
}

function samplePicture(
  seed: number,
  [one, other]: readonly [number, number],
  places: readonly (readonly [number, number])[],
  randomAnswer: readonly number[],
): PhasePicture {
  const next = draws(seed);
  const masks = [mask(one, ...places[0]!), mask(other, ...places[1]!)];
  const image = masks[0]!.map((value, p) => Math.min(1, value + masks[1]![p]!));
  const units = CHANNELS * SIZE * SIZE;
  const gain = Array.from({ length: units }, () => 0.35 + 0.65 * next());
  const amplitudes = Float32Array.from(gain, (g, u) => g * image[u % (SIZE * SIZE)]! * 0.8);
  const start = Float32Array.from({ length: units }, () => 2 * Math.PI * next() - Math.PI);
  const drift = 2 * Math.PI * next();
  const goal = (u: number): number =>
    drift + (masks[1]![u % (SIZE * SIZE)]! > masks[0]![u % (SIZE * SIZE)]! ? Math.PI : 0);
  const wrap = (angle: number): number => Math.atan2(Math.sin(angle), Math.cos(angle));
  const steps = (share: (t: number) => number) =>
    Array.from({ length: TIMESTEPS }, (_, t) =>
      start.map((phase, u) => phase + share(t) * wrap(goal(u) - phase)),
    );
  const settling = (t: number): number => (1 / (1 + Math.exp(-(t - 5) / 1.3))) * 0.95;
  const ideal = Array.from({ length: TIMESTEPS }, () => {
    const offset = Math.PI * next();
    return start.map((phase, u) => (amplitudes[u]! > 0 ? offset + goal(u) - drift : phase));
  });
  const phases = (model: string, timesteps: readonly Float32Array[]) => ({
    model,
    channels: CHANNELS,
    timesteps,
    amplitudes,
  });
  return {
    height: SIZE,
    width: SIZE,
    image,
    labels: [one, other],
    masks,
    predictions: [
      { model: "kuramoto", labels: [other, one] },
      { model: "random", labels: randomAnswer },
      { model: "ideal", labels: [one, other] },
      { model: "real", labels: [one, other] },
    ],
    phases: [phases("kuramoto", steps(settling)), phases("random", [start]), phases("ideal", ideal)],
  };
}

const FINAL: Readonly<Record<string, readonly number[]>> = {
  kuramoto: [0.664, 0.431, 0.552],
  random: [0.231, 0.142, 0.187],
  real: [0.612, 0.344, 0.468],
  ideal: [0.708, 0.515, 0.611],
};
const ONSET: Readonly<Record<string, number>> = {
  kuramoto: 38_000,
  random: 22_000,
  real: 26_000,
  ideal: 33_000,
};

/** Answers with a given accuracy, on images that depend on the model. */
export function answersOf(
  model: string,
  seed: number,
  condition: string,
  accuracy: number,
  images = 2000,
): Answers {
  const right = Array.from({ length: images }, (_, i) =>
    (i * 7919 + model.length * 613) % images < Math.round(images * accuracy) ? "1" : "0",
  );
  return { model, seed, condition, right: right.join("") };
}

/** A complete report about `seeds` runs that never happened. */
export function sampleReport(seeds: readonly number[] = [1, 2, 3]): DigitsReport {
  const ids = ["kuramoto", "random", "real", "ideal"] as const;
  const conditions = ["clean", "noise", "shifted"] as const;
  const values = (id: string, c: number) =>
    seeds.map((seed) => ({
      seed,
      value: FINAL[id]![c]! + 0.05 * (draws(seed * 31 + c * 7 + id.length)() - 0.5),
    }));
  return {
    title: "Telling overlapping digits apart",
    subtitle:
      "Does synchrony between oscillating units help a small network to name two digits in one image?",
    scale: "laptop",
    digits: 2,
    provenance: {
      seeds,
      steps: 2400,
      batchSize: 32,
      imagesSeen: 76_800,
      testImages: 2000,
      machine: "example machine, 2 cores",
      versions: { striate: "0.1.0", "onnxruntime-node": "1.30.0", node: "20.20.2" },
      date: "2026-11-22T10:00:00Z",
      wallTimeSeconds: 571,
      command: "striate run overlapping-digits --scale laptop",
      more: { Data: "invented for a layout test" },
    },
    models: [
      {
        id: "kuramoto",
        label: "KomplexNet",
        role: "kuramoto",
        description: "phases synchronise",
        parameters: 114_676,
      },
      {
        id: "random",
        label: "Random phases",
        role: "random",
        description: "same network, no dynamics",
        parameters: 114_676,
      },
      { id: "real", label: "Real-valued", role: "real", description: "no phases", parameters: 123_456 },
      {
        id: "ideal",
        label: "Ideal phases",
        role: "ideal",
        description: "painted from the masks: a ceiling",
        parameters: 114_676,
      },
    ],
    conditions: [
      { id: "clean", label: "Clean" },
      { id: "noise", label: "Gaussian noise", description: "σ = 0.5" },
      { id: "shifted", label: "Shifted", description: "new positions and scales" },
    ],
    rows: ids.flatMap((model) =>
      conditions.map((condition, c) => ({
        model,
        condition,
        metrics: {
          setAccuracy: summariseSeeds(values(model, c)),
          f1: summariseSeeds(values(model, c).map(({ seed, value }) => ({ seed, value: 0.4 + 0.6 * value }))),
          loss: summariseSeeds(
            values(model, c).map(({ seed, value }) => ({ seed, value: 0.5 - 0.45 * value })),
          ),
        },
      })),
    ),
    answers: ids.flatMap((model) =>
      conditions.flatMap((condition, c) =>
        values(model, c).map(({ seed, value }) => answersOf(model, seed, condition, value)),
      ),
    ),
    learningCurves: ids.flatMap((model) =>
      seeds.map((seed) => {
        const next = draws(seed * 97 + model.length);
        return {
          model,
          seed,
          points: Array.from({ length: 121 }, (_, i) => {
            const images = 640 * i;
            const learnt = 1 / (1 + Math.exp(-(images - ONSET[model]!) / 9000));
            const point = {
              step: 20 * i,
              images,
              loss: 0.5 - 0.32 * learnt * FINAL[model]![0]! * 1.4 + 0.012 * next() + (i === 0 ? 0.19 : 0),
            };
            const noise = 0.03 * (next() - 0.5);
            return i % 10 === 0
              ? { ...point, setAccuracy: Math.max(0.01, 0.022 + FINAL[model]![0]! * learnt + noise * learnt) }
              : point;
          }),
        };
      }),
    ),
    accuracyPerTimestep: perTimestep(seeds, (role, c, t, jitter) => {
      const top = FINAL[role]![c]!;
      return role === "kuramoto"
        ? 0.05 + (top - 0.05) / (1 + Math.exp(-(t - 4.5))) + jitter
        : top + jitter / 3;
    }),
    synchronyPerTimestep: perTimestep(seeds, (role, c, t, jitter) => {
      if (role === "random") return 0.874 + jitter / 3;
      if (role === "ideal") return 0.042;
      return 0.08 + 0.04 * c + 0.76 / (1 + Math.exp((t - 4) / 1.4)) + jitter / 3;
    }).filter(({ model }) => model !== "real"),
    phasePictures: [
      samplePicture(
        3,
        [3, 7],
        [
          [3, 4],
          [18, 14],
        ],
        [3, 5],
      ),
      samplePicture(
        5,
        [0, 2],
        [
          [4, 14],
          [16, 3],
        ],
        [0, 2],
      ),
      samplePicture(
        8,
        [5, 7],
        [
          [3, 3],
          [11, 14],
        ],
        [5, 0],
      ),
    ],
    pairAccuracy: {
      model: "kuramoto",
      values: Array.from({ length: 10 }, (_, y) =>
        Array.from({ length: 10 }, (_, x) =>
          x === y ? null : 0.45 + 0.5 * draws(Math.min(x, y) * 10 + Math.max(x, y) + 1)(),
        ),
      ),
    },
    reference: AUTHORS_SHORT_BUDGET,
    onnxCheck: { maximumDifference: 3.6e-6, tolerance: 1e-4, images: 64, file: "komplexnet.onnx" },
  };
}

function perTimestep(
  seeds: readonly number[],
  value: (role: ModelRole, condition: number, t: number, jitter: number) => number,
) {
  return (["kuramoto", "random", "real", "ideal"] as const).flatMap((model) =>
    ["clean", "noise", "shifted"].flatMap((condition, c) =>
      seeds.map((seed) => {
        const next = draws(seed * 13 + c * 5 + model.length);
        const values = Array.from({ length: TIMESTEPS }, (_, t) => value(model, c, t, 0.03 * (next() - 0.5)));
        return { model, condition, seed, values };
      }),
    ),
  );
}
