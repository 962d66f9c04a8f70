import type { TensorData } from "../graph/dtype.js";
import { lowerInParts } from "../graph/lower.js";
import type { Port } from "../graph/onnx/write/write.js";
import { writeOnnxInParts } from "../graph/onnx/write/write.js";
import type { State } from "../nn/module.js";
import { asConstants } from "../nn/training-state.js";
import type { Runtime, Session, SessionOptions } from "../runtime/runtime.js";
import { targetOf } from "../runtime/runtime.js";
import { inSlices } from "../util/slices.js";
import type { RandomLabel } from "../util/random.js";
import type { NoiseKind, Task, TrainingData } from "./task.js";
import { fillInputs } from "./task.js";

/**
 * Runs a task's inference graph. Fixed parameters are constants in the graph; all other parameters are
 * inputs, so that one loaded graph can be used throughout the training of a model.
 */
export class Evaluator {
  private constructor(
    private readonly session: Session,
    private readonly fields: readonly Port[],
    private readonly fed: readonly string[],
    private readonly noise: Readonly<Record<string, NoiseKind>>,
  ) {}

  /**
   * @param fixed values of the frozen parameters
   * @param batch number of images per run
   */
  static async open(
    task: Task,
    batch: number,
    fixed: ReadonlyMap<string, TensorData>,
    runtime: Runtime,
    options: SessionOptions = {},
  ): Promise<Evaluator> {
    const { outputs, noise = {} } = task.inference(batch);
    const constants = { values: asConstants(fixed) };
    const lowered = await inSlices(lowerInParts(outputs, targetOf(runtime, options), constants));
    const model = await inSlices(writeOnnxInParts(lowered, constants));
    const session = await runtime.createSession(model, options);
    const isParameter = (port: Port) => task.parameters.has(port.name);
    return new Evaluator(
      session,
      model.inputs.filter((port) => !isParameter(port)),
      model.inputs.filter(isParameter).map(({ name }) => name),
      noise,
    );
  }

  /**
   * Computes the outputs for the samples with the given indices. Noise depends only on the random labels in
   * `labels`.
   */
  async run(
    values: State,
    data: TrainingData,
    indices: ArrayLike<number>,
    labels: readonly RandomLabel[],
  ): Promise<Record<string, TensorData>> {
    const parameters = Object.fromEntries(this.fed.map((name) => [name, values.get(name)!]));
    const fields = await fillInputs(this.fields, this.noise, data, indices, labels);
    return this.session.run({ ...fields, ...parameters });
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
