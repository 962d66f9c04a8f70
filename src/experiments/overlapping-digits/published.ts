import type { AuthorsReference, ModelRole } from "../digits/results.js";

const STEPS = [400, 800, 1200, 1600, 2000, 2400] as const;

function referenceCurve(role: ModelRole, accuracies: readonly number[], losses: readonly number[]) {
  const points = STEPS.map((step, i) => ({
    images: 32 * step,
    setAccuracy: accuracies[i]! / 100,
    loss: losses[i]!,
  }));
  return { role, points };
}

/**
 * Short runs of the KomplexNet authors' public code (S4b1n3/KomplexNet) on our Multi-MNIST: batch 32, Adam 0.01, 12
 * timesteps, Gabors and coupling frozen in the complex networks, 512 test images, one seed.
 */
export const AUTHORS_SHORT_BUDGET: AuthorsReference = {
  heading: "authors’ code, 2,400 steps",
  description:
    "We measured these numbers with the authors’ code; they are not those of the paper, whose tables were not available. " +
    "One seed, 12 timesteps instead of our 16, 2,400 steps of 32 images, tested on 512 images: standard error about 2 points.",
  steps: 2400,
  imagesSeen: 76_800,
  condition: "clean",
  standardError: 0.02,
  rows: [
    { role: "real", setAccuracy: 0.607 },
    { role: "random", setAccuracy: 0.217 },
    { role: "kuramoto", setAccuracy: 0.658 },
    { role: "ideal", setAccuracy: 0.697 },
  ],
  curves: [
    referenceCurve("ideal", [9.0, 23.4, 47.5, 66.8, 72.5, 69.7], [0.434, 0.355, 0.26, 0.199, 0.173, 0.18]),
    referenceCurve("kuramoto", [7.2, 15.8, 32.6, 48.6, 60.2, 65.8], [0.452, 0.4, 0.333, 0.271, 0.239, 0.211]),
    referenceCurve("random", [8.0, 15.2, 17.8, 23.8, 23.1, 21.7], [0.435, 0.409, 0.396, 0.378, 0.378, 0.374]),
    referenceCurve("real", [18.0, 33.2, 39.8, 60.7, 56.8, 60.7], [0.391, 0.315, 0.279, 0.222, 0.229, 0.213]),
  ],
};
