import { IMAGES, LABELS } from "../data/images/prepared-images.js";
import type { Dim, Tensor } from "../graph/index.js";
import { cast, input, showShape } from "../graph/index.js";
import type { Rewrite } from "../graph/substitute.js";
import { substitute } from "../graph/substitute.js";
import { inputsOf } from "../graph/topological-order.js";
import { batchStatistics } from "../nn/batch-statistics.js";
import { activeDropout } from "../nn/layers/dropout.js";
import { TrainingPass } from "../nn/layers/layer.js";
import { crossEntropy, softCrossEntropy } from "../nn/losses.js";
import type { NamedParameters } from "../nn/module.js";
import { check } from "../util/errors.js";
import type { InferenceGraph, LossGraph, NoiseKind, Task } from "./task.js";

/** The network that a `FineTuningTask` trains, as a graph. */
export interface FineTuningOptions {
  /** The network's traced input for images. */
  readonly images: Tensor;
  /** Class scores before the softmax, [batch, classes]. */
  readonly logits: Tensor;
  /** The trainable parameters. */
  readonly parameters: NamedParameters;
  /** For each input that takes noise, the distribution of the noise. */
  readonly noise?: Readonly<Record<string, NoiseKind>>;
  /** Share of the target that is spread evenly over all classes (label smoothing). Default 0. */
  readonly labelSmoothing?: number;
  /**
   * What the task reads as targets: "labels" (the default), [batch], or with "distributions" the field "targets", [batch,
   * classes], whose rows sum to 1, such as the mixed labels of mixup.
   */
  readonly targets?: "labels" | "distributions";
  /**
   * Whether the batch normalisation with the scale of this name normalises by the statistics of the batch in training,
   * and updates the running ones. Default: none does, so the statistics of the file stay.
   */
  readonly batchStatistics?: (scale: string) => boolean;
}

/** Name of the field of mixed labels, [batch, classes]. */
export const TARGETS = "targets";

/**
 * A task that continues the training of a traced classifier, such as one from an ONNX file, one behind a
 * VOneBlock, or one into which oscillators were built. The task reads "images", which have the shape of the
 * network's own input, and "labels", [batch] (whole numbers), or "targets" (see the options). The loss is the mean
 * cross-entropy, and the output is "logits". In training, the network's Dropout is active. To start from the file's values, pass them as `Recipe.values`.
 *
 * @throws StriateError for logits that are not [batch, classes], and for inputs besides images and noise
 */
export class FineTuningTask implements Task {
  readonly parameters: NamedParameters;
  readonly #noise: Readonly<Record<string, Tensor>>;

  constructor(private readonly options: FineTuningOptions) {
    const { images, logits, parameters, noise = {} } = options;
    check(
      logits.rank === 2,
      () => `fine-tuning: expected logits [batch, classes], got ${showShape(logits.shape)}`,
    );
    this.parameters = parameters;
    const others = [...inputsOf([logits])].filter(([, tensor]) => tensor !== images);
    for (const [name] of others)
      check(
        noise[name],
        () => `fine-tuning: the network reads "${name}", which is neither its images nor noise`,
      );
    this.#noise = Object.fromEntries(others);
  }

  loss(batch: number): LossGraph {
    const { labelSmoothing = 0, targets, batchStatistics: trains } = this.options;
    const pass = new TrainingPass();
    const rewrites = [activeDropout(pass), ...(trains ? [batchStatistics(pass, trains)] : [])];
    const traced = this.#trace(batch, (node, operands) => {
      for (const rewrite of rewrites) {
        const made = rewrite(node, operands);
        if (made !== undefined) return made;
      }
      return undefined;
    });
    const { logits } = traced;
    const inputs = [...traced.inputs, ...pass.noise];
    const common = { noise: { ...traced.noise, ...pass.noiseKinds }, updates: pass.updates };
    if (targets === "distributions") {
      const mixed = input(TARGETS, [batch, logits.shape[1]!]);
      const loss = softCrossEntropy(logits, mixed, { labelSmoothing });
      return { ...common, inputs: [...inputs, mixed], loss };
    }
    const labels = input(LABELS, [batch]);
    return {
      ...common,
      inputs: [...inputs, labels],
      classes: { [LABELS]: logits.shape[1]! },
      loss: crossEntropy(logits, cast(labels, "int32"), { labelSmoothing }),
    };
  }

  inference(batch: Dim): InferenceGraph {
    const { inputs, noise, logits } = this.#trace(batch);
    return { inputs, noise, outputs: { logits } };
  }

  #trace(batch: Dim, rewrite?: Rewrite) {
    const { images, logits, noise = {} } = this.options;
    const renewed = (name: string, { shape }: Tensor) => input(name, [batch, ...shape.slice(1)]);
    const own = renewed(IMAGES, images);
    const drawn = Object.entries(this.#noise).map(
      ([name, tensor]) => [tensor, renewed(name, tensor)] as const,
    );
    const traced = substitute({ logits }, new Map([[images, own], ...drawn]), rewrite);
    const kinds = Object.keys(this.#noise).map((name) => [name, noise[name]!] as const);
    return {
      inputs: [own, ...drawn.map(([, tensor]) => tensor)],
      noise: Object.fromEntries(kinds),
      logits: traced.logits!,
    };
  }
}
