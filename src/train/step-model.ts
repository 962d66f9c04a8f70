import type { Tensor } from "../graph/index.js";
import { lowerInParts } from "../graph/lower.js";
import { writeOnnxInParts } from "../graph/onnx/write/write.js";
import type { Target } from "../graph/operator.js";
import { peakBytes } from "../graph/peak-bytes.js";
import type { State } from "../nn/module.js";
import { asConstants, frozenValues } from "../nn/training-state.js";
import type { TrainingStep } from "../nn/training-state.js";
import type { Parts } from "../util/slices.js";
import { inSlices } from "../util/slices.js";

/** A training step and its lowered graph. */
interface LoweredStep {
  readonly training: TrainingStep;
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** An estimate of the memory that the results of its nodes take. */
  readonly bytes: number | undefined;
}

/** What {@link stepModel} needs to know. */
export interface StepModelOptions {
  /** Traces the training step, with or without recomputation of timesteps. */
  readonly trace: (recompute: boolean) => Parts<TrainingStep>;
  /** Whether to recompute timesteps; if undefined, only where memory is short. */
  readonly recompute: boolean | undefined;
  readonly initial: State;
  readonly target: Target;
  /** Free memory in bytes, if it is known. */
  readonly available: number | undefined;
  readonly onWarning: (message: string) => void;
}

/**
 * Traces a training step and writes it as an ONNX model. If its results take more memory than is free, it recomputes
 * timesteps, provided that this takes less memory and the caller has not decided otherwise, and says so.
 */
export async function stepModel(
  options: StepModelOptions,
): Promise<{ training: TrainingStep; model: Uint8Array }> {
  const { recompute, available, onWarning, initial } = options;
  const first = await lowered(options, recompute ?? false);
  const isShort = ({ bytes }: LoweredStep) =>
    available !== undefined && bytes !== undefined && bytes > available;
  let chosen = first;
  if (isShort(first) && recompute === undefined) {
    const second = await lowered(options, true);
    if (second.bytes! < first.bytes!) {
      chosen = second;
      onWarning(
        `A training step needs about ${gigabytes(first.bytes!)} of memory, and ${gigabytes(available!)} are free: timesteps are computed again in the backward pass, which needs about ${gigabytes(second.bytes!)} and more time. The setting "recompute" decides this.`,
      );
    }
  }
  if (isShort(chosen))
    onWarning(
      `A training step needs about ${gigabytes(chosen.bytes!)} of memory, and ${gigabytes(available!)} are free, so the run may be stopped by the system: use smaller batches, and accumulate their gradients if the number of images in a step matters.`,
    );
  const frozen = { values: asConstants(frozenValues(chosen.training, initial)) };
  const { bytes: model } = await inSlices(writeOnnxInParts(chosen.outputs, frozen));
  return { training: chosen.training, model };
}

async function lowered(
  { trace, initial, target }: StepModelOptions,
  recompute: boolean,
): Promise<LoweredStep> {
  const training = await inSlices(trace(recompute));
  const frozen = { values: asConstants(frozenValues(training, initial)) };
  const outputs = await inSlices(lowerInParts(training.outputs, target, frozen));
  return { training, outputs, bytes: peakBytes(outputs) };
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
