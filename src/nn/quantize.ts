import type { Tensor } from "../graph/index.js";
import { lower, writeOnnx } from "../graph/index.js";
import type { ImportedModel } from "../graph/onnx/read/read.js";
import type { QuantisationPlan, ValueRange } from "../graph/quantisation/quantise-graph.js";
import { countTypes, planQuantisation, quantisedNetwork } from "../graph/quantisation/quantise-graph.js";
import type { Runtime, Session, Values } from "../runtime/runtime.js";
import type { OpeningOptions } from "../runtime/slow-opening.js";
import { sayIfSlow } from "../runtime/slow-opening.js";
import { checkSome } from "../util/check.js";
import { check } from "../util/errors.js";
import { unknownName } from "../util/suggest.js";
import { asConstants } from "./training-state.js";
import type { CalibrationMethod } from "./value-ranges.js";
import { ValueRangeEstimate } from "./value-ranges.js";

/** Options of `quantize`. */
export interface QuantizeOptions extends OpeningOptions {
  /** The runtime, such as `nodeRuntime`, that runs the float32 network for calibration. */
  readonly runtime: Runtime;
  /** The method that derives ranges from the observed numbers. Default {@link DEFAULT_CALIBRATION}. */
  readonly calibration?: CalibrationMethod;
  /**
   * For the calibration "percentile": the percentage of observed numbers that lie inside a range. Default
   * 99.99.
   */
  readonly percentile?: number;
  /** Nodes or values that stay float32, by their names in the ONNX file. */
  readonly keep?: readonly string[];
  /** Whether weights have 7 bits, for x64 processors without VNNI. Default false. */
  readonly reduceRange?: boolean;
  readonly threads?: number;
  /**
   * Called after each batch of each pass, with the number of batches done and the total number in all passes.
   */
  readonly onProgress?: (done: number, count: number) => void;
}

/**
 * "minmax" needs one pass instead of two, and was as accurate as "percentile" in our measurements
 * (docs/quantisation.md).
 */
export const DEFAULT_CALIBRATION: CalibrationMethod = "minmax";

/** The result of `quantize`: a network that computes with 8-bit integers. */
export interface QuantizedModel {
  /** The network as a graph, ready for `writeOnnx`. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Number of nodes of each type that compute with integers. */
  readonly quantised: Readonly<Record<string, number>>;
}

/**
 * Quantises a float32 network to 8 bits: uint8 activations with one scale for each tensor, int8 weights with
 * one scale for each channel, and int32 biases. Batch normalisations are merged into convolutions.
 * Convolutions and matrix products with constant weights are quantised, and so are the additions, poolings
 * and concatenations between them. Everything else stays float32. The file has ONNX's QDQ form, in which
 * QuantizeLinear and DequantizeLinear nodes mark the quantised parts.
 *
 * @param calibration batches on which the ranges of the network's values are measured; each holds the tensors
 * of all inputs, by name
 * @throws StriateError if the network has nothing to quantise, `keep` contains a name that is not in the
 * file, there are no batches, or a value is infinite or NaN
 * @example
 * ```ts
 * import { quantize } from "striate";
 * import { loadOnnx, nodeRuntime, saveOnnx } from "striate/node";
 * import { tensorData, writeOnnx } from "striate/graph";
 *
 * const model = await loadOnnx("classifier.onnx");
 * const batch = { images: tensorData(new Float32Array(64 * 3 * 32 * 32), [64, 3, 32, 32]) }; // real images here
 * const { outputs } = await quantize(model, [batch], { runtime: nodeRuntime });
 * await saveOnnx("classifier-int8.onnx", writeOnnx(outputs, { metadata: model.metadata }));
 * ```
 */
export async function quantize(
  model: ImportedModel,
  calibration: readonly Values[],
  options: QuantizeOptions,
): Promise<QuantizedModel> {
  checkSome("quantising: calibration", calibration.length, "batch");
  const values = asConstants(new Map([...model.parameters].map(([name, { data }]) => [name, data])));
  const keep = new Set((options.keep ?? []).map((name) => named(model, name)));
  const plan = planQuantisation(model.outputs, {
    values,
    keep,
    reduceRange: options.reduceRange === true,
  });
  const ranges = await observedRanges(plan, calibration, options);
  return { outputs: quantisedNetwork(plan, ranges), quantised: countTypes(plan) };
}

function named(model: ImportedModel, name: string): Tensor {
  const tensor = model.nodes.get(name) ?? model.values.get(name);
  check(
    tensor,
    () => `keep: ${unknownName("node or value", name, [...model.nodes.keys(), ...model.values.keys()])}`,
  );
  return tensor;
}

async function observedRanges(
  { observed }: QuantisationPlan,
  batches: readonly Values[],
  {
    runtime,
    calibration = DEFAULT_CALIBRATION,
    percentile = 99.99,
    threads,
    onProgress,
    onWarning,
  }: QuantizeOptions,
): Promise<Map<Tensor, ValueRange>> {
  check(
    percentile > 50 && percentile <= 100,
    () => `percentile: expected a number above 50 and up to 100, got ${percentile}`,
  );
  const outputs = Object.fromEntries(observed.map((tensor, i) => [`observed:${i}`, tensor]));
  const { bytes } = writeOnnx(lower(outputs, "cpu"));
  const opening = runtime.createSession(bytes, { ...(threads !== undefined && { threads }) });
  const session = await sayIfSlow(opening, onWarning);
  const estimates = observed.map(() => new ValueRangeEstimate());
  const passes = calibration === "minmax" ? 1 : 2;
  try {
    for (let pass = 0; pass < passes; pass++) {
      for (const [done, batch] of batches.entries()) {
        const results = await session.run(fed(session, batch));
        for (const [i, estimate] of estimates.entries()) {
          const data = results[`observed:${i}`]!.data as Float32Array;
          if (pass === 0) estimate.widen(data, String(observed[i]));
          else estimate.count(data);
        }
        onProgress?.(pass * batches.length + done + 1, passes * batches.length);
      }
    }
  } finally {
    await session.close();
  }
  return new Map(observed.map((tensor, i) => [tensor, estimates[i]!.range(calibration, percentile)]));
}

/**
 * Selects from a batch the inputs that the session has, which are those on which the observed values depend.
 */
function fed(session: Session, batch: Values): Values {
  return Object.fromEntries(session.inputNames.flatMap((name) => (batch[name] ? [[name, batch[name]]] : [])));
}
