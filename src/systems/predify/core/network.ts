import type { Dim, GraphNode, Tensor } from "../../../graph/index.js";
import { add, cast, equal, input, mul, sub, topologicalOrder } from "../../../graph/index.js";
import { isStatic } from "../../../graph/dims.js";
import type { NamedParameters } from "../../../nn/module.js";
import { namedParameters } from "../../../nn/module.js";
import { TIMESTEP } from "../../../train/step-graph.js";
import { checkWhole } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { Backbone } from "./backbone.js";
import { retrace } from "./backbone.js";
import type { MixingWeights } from "./hyperparameters.js";
import { hyperparameterConstants, hyperparameterInputs } from "./hyperparameters.js";
import { MergingRetracer } from "./merged-normalisation.js";
import type { PredifyOptions } from "./options.js";
import type { PCoder, Prediction } from "./pcoder.js";

/** How a predictive network is traced. */
export interface TraceOptions {
  /** Images at once: a number, or a name for any number. Default: as the file has it. */
  readonly batch?: Dim;
  /** The image, where it is computed (normalised, say) and not an input. */
  readonly image?: Tensor;
  /** What stands for the backbone's noise inputs (default: fresh inputs). The same at every timestep of an image. */
  readonly noise?: ReadonlyMap<Tensor, Tensor>;
  /**
   * Where beta, lambda and alpha come from: graph inputs "feedforward", "feedback" and "error" of one value for each
   * PCoder (default), constants, or tensors.
   */
  readonly hyperparameters?: "inputs" | "constants" | readonly MixingWeights[];
}

/** What one pass leaves behind. */
export interface Pass {
  readonly logits: Tensor;
  /** r_i(t), lowest PCoder first. */
  readonly representations: readonly Tensor[];
  /** What each PCoder makes of its representation; traced when it is first asked for. */
  readonly predictions: readonly Prediction[];
  /**
   * The image as each representation alone tells it: D_1(D_2(... D_i(r_i))), [batch, ...image]; the first is the
   * prediction of PCoder 1. Traced when first asked for.
   */
  readonly reconstructions: readonly Tensor[];
}

/** Timesteps unrolled into one graph. */
export interface Unrolled {
  /** Everything that may be fed; a graph that is written keeps those that its outputs need. */
  readonly inputs: readonly Tensor[];
  /** Timesteps 0..T. */
  readonly passes: readonly Pass[];
}

/** One timestep with the state as inputs. */
export interface SingleStep {
  readonly inputs: readonly Tensor[];
  /** Input that counts the timesteps before this one; absent if states start at random, where timestep 0 is like the others. */
  readonly timestep: Tensor | undefined;
  readonly before: readonly Tensor[];
  readonly pass: Pass;
}

/** Name of the state of a PCoder, as a graph input. */
export function stateName(number: number): string {
  return `representation.pcoder${number}`;
}

/** Name of the input that holds the top-down prediction of the last PCoder, [batch, ...its shape]. */
export const PRIOR_INPUT = "prior";

interface PassContext {
  readonly image: Tensor;
  readonly noise: ReadonlyMap<Tensor, Tensor>;
  readonly weights: readonly MixingWeights[];
  readonly prior: Tensor | undefined;
}

/**
 * A backbone with PCoders (Predify; Choksi et al. 2021, arXiv:2106.02749). Every pass runs the backbone on the same
 * image; where a PCoder sits, its representation takes the value's place for all that follows in the pass. Predictions of
 * the PCoder above are one timestep old, the targets of the errors are of the same timestep. The first pass gives the
 * backbone's own answer.
 */
export class PredictiveNetwork {
  /** Decoders' weights, and sqrt(C) of PCoderNs. The backbone's weights are constants. */
  readonly parameters: NamedParameters;

  constructor(
    readonly backbone: Backbone,
    readonly pcoders: readonly PCoder[],
    readonly options: PredifyOptions,
  ) {
    this.parameters = namedParameters(
      Object.fromEntries(
        pcoders.map(({ number, decoder, windowRoot }) => [
          `pcoder${number}`,
          { pmodule: decoder.pmodule, ...(windowRoot && { C_sqrt: windowRoot }) },
        ]),
      ),
    );
  }

  /** The values that the PCoders take over, as the backbone alone computes them; nothing above the last is traced. */
  feedforward(
    image: Tensor,
    noise: ReadonlyMap<Tensor, Tensor> = this.backbone.noiseInputs(image.shape[0]!),
  ): readonly Tensor[] {
    this.#checkBatch(image);
    const replaced = new Map<Tensor, Tensor>([[this.backbone.image, image], ...noise]);
    const cuts = this.pcoders.map(({ cut }) => cut.tensor);
    for (const node of topologicalOrder(cuts)) {
      if (node.leaf !== undefined) continue;
      const made = retrace(node, { replaced, suffix: "" });
      node.outputs.forEach((output, i) => replaced.set(output, made[i]!));
    }
    return cuts.map((cut) => replaced.get(cut)!);
  }

  /** Passes t = 0..`timesteps`, so one more than that. With random states the drawn ones are inputs. */
  unroll(timesteps: number, options: TraceOptions = {}): Unrolled {
    checkWhole("timesteps", timesteps, { from: 0 });
    const { inputs, context } = this.#context(options);
    const drawn = this.options.randomInit === true ? this.#stateInputs(context.image) : undefined;
    const passes: Pass[] = [];
    const tracer = new PassTracer(this, context);
    for (let t = 0; t <= timesteps; t++) {
      const previous = t > 0 ? passes[t - 1]! : drawn && tracer.fromStates(drawn);
      passes.push(tracer.pass(t, previous));
    }
    return { inputs: [...inputs, ...(drawn ?? [])], passes };
  }

  /**
   * One timestep: states in, states out. At timestep 0 states of zeros count for nothing: every representation is its drive.
   * Gives the same numbers as {@link unroll}.
   */
  step(options: TraceOptions = {}): SingleStep {
    const { inputs, context } = this.#context(options);
    const timestep = this.options.randomInit === true ? undefined : input(TIMESTEP, []);
    const before = this.#stateInputs(context.image);
    const weights = timestep === undefined ? context.weights : startingWeights(context.weights, timestep);
    const tracer = new PassTracer(this, { ...context, weights });
    const pass = tracer.pass(0, tracer.fromStates(before));
    const counted = timestep === undefined ? [] : [timestep];
    return { inputs: [...inputs, ...counted, ...before], timestep, before, pass };
  }

  #context(options: TraceOptions): { inputs: readonly Tensor[]; context: PassContext } {
    const { backbone, pcoders } = this;
    const { batch = backbone.batch, hyperparameters = "inputs" } = options;
    const image = options.image ?? input(backbone.inputName, [batch, ...backbone.imageShape]);
    this.#checkBatch(image);
    const noise = options.noise ?? backbone.noiseInputs(image.shape[0]!);
    const made =
      hyperparameters === "inputs"
        ? hyperparameterInputs(pcoders.length)
        : {
            inputs: [],
            weights:
              hyperparameters === "constants"
                ? hyperparameterConstants(pcoders.map((pcoder) => pcoder.hyperparameters))
                : hyperparameters,
          };
    const prior =
      this.options.topDownPrior === true
        ? input(PRIOR_INPUT, [image.shape[0]!, ...pcoders.at(-1)!.shape])
        : undefined;
    const images = options.image === undefined ? [image] : [];
    const drawn = options.noise === undefined ? noise.values() : [];
    const inputs = [...images, ...drawn, ...made.inputs, ...(prior ? [prior] : [])];
    return { inputs, context: { image, noise, weights: made.weights, prior } };
  }

  #checkBatch({ shape: [batch] }: Tensor): void {
    const fixed = this.backbone.batch;
    check(
      !isStatic(fixed) || batch === fixed,
      () => `batch: the network takes ${String(fixed)} at once, as its file fixes it; got ${String(batch)}`,
    );
  }

  #stateInputs(image: Tensor): Tensor[] {
    return this.pcoders.map(({ number, shape }) => input(stateName(number), [image.shape[0]!, ...shape]));
  }
}

/** At timestep 0 beta -> 1 and everything else -> 0: r = f, without another pass over the states. */
function startingWeights(weights: readonly MixingWeights[], timestep: Tensor): MixingWeights[] {
  const starting = cast(equal(timestep, 0), "float32");
  const going = sub(1, starting);
  return weights.map(({ feedforward, feedback, error }) => ({
    feedforward: add(feedforward, mul(starting, sub(1, feedforward))),
    feedback: mul(feedback, going),
    error: mul(error, going),
  }));
}

/** Traces passes over one image; what depends on no representation is traced once. */
class PassTracer {
  readonly #order: readonly GraphNode[];
  readonly #cuts: ReadonlyMap<Tensor, number>;
  readonly #prefix = new Map<Tensor, Tensor>();
  readonly #retracer: MergingRetracer;

  constructor(
    readonly network: PredictiveNetwork,
    readonly context: PassContext,
  ) {
    const { backbone, pcoders } = network;
    const cuts = pcoders.map(({ cut }) => cut.tensor);
    this.#cuts = new Map(cuts.map((tensor, i) => [tensor, i]));
    const order = topologicalOrder([...cuts, backbone.output]).filter(({ leaf }) => leaf === undefined);
    this.#prefix.set(backbone.image, context.image);
    for (const [original, drawn] of context.noise) this.#prefix.set(original, drawn);
    this.#retracer = new MergingRetracer(order, new Set([...cuts, backbone.output]));
    const dependent = new Set<Tensor>(cuts);
    const later: GraphNode[] = [];
    for (const node of order) {
      const reads = node.inputs.some((operand) => operand && dependent.has(operand));
      if (reads) {
        for (const output of node.outputs) dependent.add(output);
        later.push(node);
        continue;
      }
      const made = this.#retracer.retrace(node, { replaced: this.#prefix, suffix: "" });
      made.forEach((tensor, i) => this.#prefix.set(node.outputs[i]!, tensor));
      if (node.outputs.some((output) => this.#cuts.has(output))) later.push(node);
    }
    this.#order = later;
  }

  /** One pass; without a previous one every representation is its drive. */
  pass(t: number, previous: Pass | undefined): Pass {
    const replaced = new Map(this.#prefix);
    const representations: Tensor[] = [];
    const suffix = t === 0 ? "" : `_t${t}`;
    for (const node of this.#order) {
      const prefix = node.outputs.every((output) => this.#prefix.has(output));
      if (!prefix) {
        const made = this.#retracer.retrace(node, { replaced, suffix });
        made.forEach((tensor, i) => replaced.set(node.outputs[i]!, tensor));
      }
      for (const output of node.outputs) {
        const i = this.#cuts.get(output);
        if (i === undefined) continue;
        const drive = replaced.get(output)!;
        const state = previous === undefined ? drive : this.#update(i, drive, previous);
        replaced.set(output, state);
        representations[i] = state;
      }
    }
    return this.#finished(replaced.get(this.network.backbone.output)!, representations);
  }

  /** States that come from elsewhere, as if a pass had left them behind. */
  fromStates(representations: readonly Tensor[]): Pass {
    return this.#finished(representations[0]!, representations);
  }

  #finished(logits: Tensor, representations: readonly Tensor[]): Pass {
    const { pcoders } = this.network;
    let predictions: readonly Prediction[] | undefined;
    let reconstructions: readonly Tensor[] | undefined;
    const predict = () =>
      pcoders.map((pcoder, i) =>
        pcoder.predict(representations[i]!, i === 0 ? this.context.image : representations[i - 1]!),
      );
    return {
      logits,
      representations,
      get predictions() {
        return (predictions ??= predict());
      },
      get reconstructions() {
        return (reconstructions ??= this.predictions.map(({ prediction }, i) =>
          pcoders.slice(0, i).reduceRight((above, { decoder }) => decoder.forward(above), prediction),
        ));
      },
    };
  }

  #update(i: number, drive: Tensor, { representations, predictions }: Pass): Tensor {
    const above = predictions[i + 1]?.prediction ?? this.context.prior;
    return this.network.pcoders[i]!.update(
      drive,
      representations[i]!,
      predictions[i]!,
      above,
      this.context.weights[i]!,
    );
  }
}
