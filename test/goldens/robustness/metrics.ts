import type { TensorData } from "../../../src/graph/index.js";
import { tensorData } from "../../../src/graph/index.js";
import { adaptiveEce, calibration, judgeLogits, reliability } from "../../../src/metrics/calibration.js";
import type { Baseline, CorruptionErrors } from "../../../src/metrics/corruption-error.js";
import {
  ALEXNET,
  mce,
  meanCorruptionError,
  normalisedCe,
  relativeCe,
  relativeMce,
  unnormalisedCe,
} from "../../../src/metrics/corruption-error.js";
import {
  BENCHMARK_CORRUPTIONS,
  CORRUPTIONS,
  corruptionGroup,
} from "../../../src/robustness/corruptions/index.js";
import { compare } from "../compare.js";
import { tensorOf } from "../golden-case.js";
import type { GoldenCase } from "../golden-case.js";
import type { GoldenKind } from "../harness.js";
import { floatsOf, rows, wholeOf } from "./support.js";

const number = (value: number): TensorData => tensorData([value]);

const calibrationKind: GoldenKind = {
  name: "calibration",
  matches: ({ tensors }) => tensors.has("output.brier_sum"),
  run: (golden) => {
    const [logits, labels] = [floatsOf(golden, "input.logits"), wholeOf(golden)];
    const whole = calibration(logits, labels);
    const classes = logits.length / labels.length;
    const judged = Array.from(labels, (label, i) =>
      judgeLogits(logits.subarray(i * classes, (i + 1) * classes), label),
    );
    const confidences = judged.map(({ confidence }) => confidence);
    const right = judged.map(({ predicted }, i) => predicted === labels[i]);
    const results = new Map<string, TensorData>([
      ["output.accuracy", number(whole.accuracy)],
      ["output.nll", number(whole.nll)],
      ["output.brier_sum", number(whole.brier)],
      ["output.brier_mean", number(whole.brierPerClass)],
      ["output.mean_confidence", number(whole.meanConfidence)],
    ]);
    for (const name of golden.tensors.keys()) {
      const [, measure, count] =
        /^output\.(ece|bins|mce|rms_calibration|adaptive_ece)_(\d+)$/.exec(name) ?? [];
      if (measure === undefined) continue;
      const { bins, ece, mce: largest, rms } = reliability(confidences, right, Number(count));
      if (measure === "bins") {
        results.set(name, rows(bins.map((bin) => [bin.count, bin.confidence, bin.accuracy])));
      } else if (measure === "adaptive_ece") {
        results.set(name, number(adaptiveEce(confidences, right, Number(count))));
      } else results.set(name, number(measure === "ece" ? ece : measure === "mce" ? largest : rms));
    }
    return Promise.resolve(results);
  },
  judge: (_golden, name, expected, results) =>
    compare(name, expected, results.get(name), { absolute: 1e-5, relative: 1e-6 }),
};

function errorsOf(golden: GoldenCase, name: string, names: readonly string[]): CorruptionErrors {
  const { data } = tensorOf(golden, name);
  const severities = data.length / names.length;
  return Object.fromEntries(
    names.map((corruption, i) => [
      corruption,
      Array.from(data.slice(i * severities, (i + 1) * severities), Number),
    ]),
  );
}

const mceKind: GoldenKind = {
  name: "corruption errors",
  matches: ({ tensors }) => tensors.has("output.unnormalised_mce"),
  run: (golden) => {
    const errors = errorsOf(golden, "input.errors", BENCHMARK_CORRUPTIONS);
    const extra = errorsOf(
      golden,
      "input.errors_extra4",
      CORRUPTIONS.filter((name) => !BENCHMARK_CORRUPTIONS.includes(name)),
    );
    const clean = floatsOf(golden, "input.clean_error")[0]!;
    const given = floatsOf(golden, "input.alexnet_mean_errors");
    const alexnet: Baseline = {
      ...ALEXNET,
      meanErrors: Object.fromEntries(BENCHMARK_CORRUPTIONS.map((name, i) => [name, given[i]!])),
    };
    const baseline: Baseline = {
      name: "baseline",
      meanErrors: unnormalisedCe(errorsOf(golden, "input.baseline_errors", BENCHMARK_CORRUPTIONS)),
      cleanError: floatsOf(golden, "input.baseline_clean_error")[0]!,
    };
    const vector = (values: Readonly<Record<string, number>>) => tensorData(Object.values(values));
    const accuracy = (keep: (name: (typeof BENCHMARK_CORRUPTIONS)[number]) => boolean) =>
      number(
        1 -
          meanCorruptionError(
            Object.fromEntries(BENCHMARK_CORRUPTIONS.filter(keep).map((name) => [name, errors[name]!])),
          ),
      );
    const group = (wanted: string) => accuracy((name) => corruptionGroup(name) === wanted);
    return Promise.resolve(
      new Map<string, TensorData>([
        ["output.unnormalised_ce", vector(unnormalisedCe(errors))],
        ["output.unnormalised_mce", number(meanCorruptionError(errors))],
        ["output.unnormalised_mce_19", number(meanCorruptionError({ ...errors, ...extra }))],
        ["output.ce_alexnet", vector(normalisedCe(errors, alexnet))],
        ["output.mce_alexnet", number(mce(errors, alexnet) / 100)],
        ["output.ce_baseline", vector(normalisedCe(errors, baseline))],
        ["output.mce_baseline", number(mce(errors, baseline) / 100)],
        ["output.relative_ce", vector(relativeCe(errors, clean, baseline))],
        ["output.relative_mce", number(relativeMce(errors, clean, baseline) / 100)],
        ["output.mean_accuracy", accuracy(() => true)],
        ["output.accuracy_noise", group("noise")],
        ["output.accuracy_blur", group("blur")],
        ["output.accuracy_weather", group("weather")],
        [
          "output.accuracy_weather_without_brightness",
          accuracy((name) => corruptionGroup(name) === "weather" && name !== "brightness"),
        ],
        ["output.accuracy_digital", group("digital")],
      ]),
    );
  },
  judge: (_golden, name, expected, results) =>
    compare(name, expected, results.get(name), { absolute: 1e-6, relative: 1e-6 }),
};

export const metricKinds: readonly GoldenKind[] = [calibrationKind, mceKind];
