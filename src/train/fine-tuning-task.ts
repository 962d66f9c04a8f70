import { IMAGES, LABELS } from "../data/images/prepared-images.js";
import type { Dim, Tensor } from "../graph/index.js";
import { cast, input, showShape } from "../graph/index.js";
import { substitute } from "../graph/substitute.js";
import { topologicalOrder } from "../graph/topological-order.js";
import { crossEntropy } from "../nn/losses.js";
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
}

/**
 * A task that continues the training of a traced classifier, such as one from an ONNX file, one behind a
 * VOneBlock, or one into which oscillators were built. The task reads "images", which have the shape of the
 * network's own input, and "labels", [batch] (whole numbers). The loss is the mean cross-entropy, and the
 * output is "logits". Batch normalisation from a file keeps the statistics of the file. To start from the
 * file's values, pass them as `Recipe.values`.
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
    const others = [...inputsOf(logits)].filter(([, tensor]) => tensor !== images);
    for (const [name] of others)
      check(
        noise[name],
        () => `fine-tuning: the network reads "${name}", which is neither its images nor noise`,
      );
    this.#noise = Object.fromEntries(others);
  }

  loss(batch: number): LossGraph {
    const { inputs, noise, logits } = this.#trace(batch);
    const labels = input(LABELS, [batch]);
    return {
      inputs: [...inputs, labels],
      noise,
      classes: { [LABELS]: logits.shape[1]! },
      loss: crossEntropy(logits, cast(labels, "int32")),
    };
  }

  inference(batch: Dim): InferenceGraph {
    const { inputs, noise, logits } = this.#trace(batch);
    return { inputs, noise, outputs: { logits } };
  }

  #trace(batch: Dim) {
    const { images, logits, noise = {} } = this.options;
    const renewed = (name: string, { shape }: Tensor) => input(name, [batch, ...shape.slice(1)]);
    const own = renewed(IMAGES, images);
    const drawn = Object.entries(this.#noise).map(
      ([name, tensor]) => [tensor, renewed(name, tensor)] as const,
    );
    const traced = substitute({ logits }, new Map([[images, own], ...drawn]));
    const kinds = Object.keys(this.#noise).map((name) => [name, noise[name]!] as const);
    return {
      inputs: [own, ...drawn.map(([, tensor]) => tensor)],
      noise: Object.fromEntries(kinds),
      logits: traced.logits!,
    };
  }
}

function inputsOf(logits: Tensor): Map<string, Tensor> {
  return new Map(
    topologicalOrder([logits]).flatMap(({ leaf, outputs: [tensor] }) =>
      leaf?.kind === "input" ? [[leaf.name, tensor!] as const] : [],
    ),
  );
}
