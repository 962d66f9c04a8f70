import type { Dim } from "../../../graph/index.js";
import type { State } from "../../../nn/module.js";
import type { Runtime } from "../../../runtime/runtime.js";
import { Evaluator } from "../../../train/evaluator.js";
import type { InferenceGraph, TrainingData } from "../../../train/task.js";
import type { PredictiveNetwork } from "../core/network.js";
import { FeedbackTask } from "./tasks.js";

/** The feedback task, with the training errors as its outputs in inference. */
class ErrorTask extends FeedbackTask {
  override inference(batch: Dim): InferenceGraph {
    const { inputs, metrics = {} } = this.loss(batch as number);
    return { inputs, outputs: metrics };
  }
}

/** Loads the graph that measures the prediction errors at t = 0 of a batch. */
export const openErrors = (network: PredictiveNetwork, batch: number, runtime: Runtime): Promise<Evaluator> =>
  Evaluator.open(new ErrorTask(network), batch, new Map(), runtime);

/** The prediction error of each PCoder at t = 0, "error.pcoderI", averaged over batches, and their sum, "loss". */
export async function errorsOf(
  evaluator: Evaluator,
  values: State,
  data: TrainingData,
  batchSize: number,
): Promise<Record<string, number>> {
  const batch = Math.min(batchSize, data.count);
  const batches = Math.floor(data.count / batch);
  const sums: Record<string, number> = {};
  for (let i = 0; i < batches; i++) {
    const indices = Array.from({ length: batch }, (_, n) => i * batch + n);
    const found = await evaluator.run(values, data, indices, [0]);
    for (const [name, value] of Object.entries(found))
      sums[name] = (sums[name] ?? 0) + Number(value.data[0]) / batches;
  }
  return { ...sums, loss: Object.values(sums).reduce((a, b) => a + b, 0) };
}
