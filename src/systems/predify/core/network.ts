import type { Dim, Tensor } from "../../../graph/index.js";
import { add, cast, equal, input, mul, recomputable, sub, topologicalOrder } from "../../../graph/index.js";
import { isStatic } from "../../../graph/dims.js";
import type { NamedParameters } from "../../../nn/module.js";
import { namedParameters } from "../../../nn/module.js";
import { TIMESTEP } from "../../../train/step-graph.js";
import { checkWhole } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { Backbone } from "./backbone.js";
import { retrace } from "./backbone.js";
import { CutGraph } from "./cut-graph.js";
import type { MixingWeights } from "./hyperparameters.js";
import { hyperparameterConstants, hyperparameterInputs } from "./hyperparameters.js";
import type { PredifyOptions } from "./options.js";
import type { PCoder, Prediction } from "./pcoder.js";

/** Options of {@link PredictiveNetwork.unroll} and {@link PredictiveNetwork.step}. */
export interface TraceOptions {
  /** Batch size: a number, or a name if it may vary. Default: as in the backbone's file. */
  readonly batch?: Dim;
  /**
   * The image, if it is computed inside the graph, for example by normalisation. Default: a new graph input.
   */
  readonly image?: Tensor;
  /**
   * Maps the backbone's noise inputs to the tensors that replace them at every timestep. Default: new graph
   * inputs.
   */
  readonly noise?: ReadonlyMap<Tensor, Tensor>;
  /**
   * Where beta, lambda and alpha come from: the graph inputs "feedforward", "feedback" and "error", each of
   * which has one value for each PCoder ("inputs", default), the network's own values ("constants"), or the
   * given tensors.
   */
  readonly hyperparameters?: "inputs" | "constants" | readonly MixingWeights[];
}

/** The results of one pass through the network, that is, of one timestep. */
export interface Pass {
  readonly logits: Tensor;
  /** The representations r_i(t), lowest PCoder first. */
  readonly representations: readonly Tensor[];
  /** The prediction of each PCoder, lowest first. They are added to the graph when they are first read. */
  readonly predictions: readonly Prediction[];
  /**
   * The image that the decoders D reconstruct from each representation alone: D_1(D_2(... D_i(r_i))), of
   * shape [batch, ...image]. The first is the prediction of PCoder 1. They are added to the graph when they
   * are first read.
   */
  readonly reconstructions: readonly Tensor[];
}

/** A network unrolled over timesteps into one graph. */
export interface Unrolled {
  /** All graph inputs. A written graph contains only those on which its outputs depend. */
  readonly inputs: readonly Tensor[];
  /** The passes of timesteps 0..T. */
  readonly passes: readonly Pass[];
}

/** One timestep with the representations as graph inputs. */
export interface SingleStep {
  readonly inputs: readonly Tensor[];
  /**
   * The graph input for the index of the timestep. Undefined if representations start from random draws,
   * because timestep 0 is then computed like the others.
   */
  readonly timestep: Tensor | undefined;
  readonly before: readonly Tensor[];
  readonly pass: Pass;
}

/** Name of the graph input for the previous representation of the PCoder with the given number. */
export function stateName(number: number): string {
  return `representation.pcoder${number}`;
}

/**
 * Name of the graph input for the top-down prediction that the last PCoder gets. It has the shape of that
 * PCoder's representation.
 */
export const PRIOR_INPUT = "prior";

interface PassContext {
  readonly image: Tensor;
  readonly noise: ReadonlyMap<Tensor, Tensor>;
  readonly weights: readonly MixingWeights[];
  readonly prior: Tensor | undefined;
}

/**
 * A backbone with PCoders (Predify; Choksi et al. 2021, arXiv:2106.02749). Every timestep is one pass of the
 * backbone over the same image. At each cut point, the representation of the PCoder replaces the backbone's
 * value for the rest of the pass. The prediction from above and the error gradient that enter a
 * representation come from the previous timestep. A prediction error compares two values of the same
 * timestep. Unless representations start at random, the output of the first pass is the backbone's own.
 */
export class PredictiveNetwork {
  /**
   * The decoders' weights, and of each PCoder sqrt(C) and the units, if it has them (see {@link PCoder}). The backbone's
   * weights are constants.
   */
  readonly parameters: NamedParameters;

  constructor(
    readonly backbone: Backbone,
    readonly pcoders: readonly PCoder[],
    readonly options: PredifyOptions,
  ) {
    this.parameters = namedParameters(
      Object.fromEntries(
        pcoders.map(({ number, decoder, windowRoot, units }) => [
          `pcoder${number}`,
          {
            pmodule: decoder.pmodule,
            ...(windowRoot && { C_sqrt: windowRoot }),
            ...(units && { source_std: units.source, target_std: units.target }),
          },
        ]),
      ),
    );
  }

  /**
   * Computes the values at the cut points as the backbone alone computes them. Layers above the last cut
   * point are left out of the graph.
   */
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

  /**
   * Writes the graph of passes t = 0..`timesteps`, which are `timesteps` + 1 in all. Random initial
   * representations are graph inputs.
   */
  unroll(timesteps: number, options: TraceOptions = {}): Unrolled {
    checkWhole("timesteps", timesteps, { from: 0 });
    const { inputs, context } = this.#context(options);
    const drawn = this.options.randomInit === true ? this.#stateInputs(context.image) : undefined;
    const passes: Pass[] = [];
    const tracer = new PassTracer(this, context);
    for (let t = 0; t <= timesteps; t++) {
      const previous = t > 0 ? passes[t - 1]! : drawn && tracer.fromStates(drawn);
      passes.push(recomputable(() => tracer.pass(t, previous)));
    }
    return { inputs: [...inputs, ...(drawn ?? [])], passes };
  }

  /**
   * Writes the graph of one timestep, which computes the new representations from the previous ones. At
   * timestep 0, the previous representations have no effect: every representation equals its feed-forward
   * drive. The results equal those of {@link unroll}.
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
      () => `batch: expected ${String(fixed)}, which the network's file fixes, got ${String(batch)}`,
    );
  }

  #stateInputs(image: Tensor): Tensor[] {
    return this.pcoders.map(({ number, shape }) => input(stateName(number), [image.shape[0]!, ...shape]));
  }
}

/**
 * At timestep 0, replaces beta by 1, and lambda and alpha by 0, so that each representation equals its drive.
 */
function startingWeights(weights: readonly MixingWeights[], timestep: Tensor): MixingWeights[] {
  const starting = cast(equal(timestep, 0), "float32");
  const started = sub(1, starting);
  return weights.map(({ feedforward, feedback, error }) => ({
    feedforward: add(feedforward, mul(starting, sub(1, feedforward))),
    feedback: mul(feedback, started),
    error: mul(error, started),
  }));
}

/**
 * Adds passes over one image to a graph. Nodes that do not depend on a representation are added once and
 * shared by all passes.
 */
class PassTracer {
  readonly #graph: CutGraph;

  constructor(
    readonly network: PredictiveNetwork,
    readonly context: PassContext,
  ) {
    const { backbone, pcoders } = network;
    this.#graph = new CutGraph(
      backbone.output,
      pcoders.map(({ cut }) => cut.tensor),
      new Map([[backbone.image, context.image], ...context.noise]),
    );
  }

  /** Adds the pass of timestep `t`. Without a previous pass, every representation equals its drive. */
  pass(t: number, previous: Pass | undefined): Pass {
    const representations: Tensor[] = [];
    const logits = this.#graph.trace(t === 0 ? "" : `_t${t}`, (i, drive) => {
      const state = previous === undefined ? drive : this.#update(i, drive, previous);
      representations[i] = state;
      return state;
    });
    return this.#passOf(logits, representations);
  }

  /**
   * Makes the results of a previous pass from its representations. Their logits are only a placeholder, which
   * is never read.
   */
  fromStates(representations: readonly Tensor[]): Pass {
    return this.#passOf(representations[0]!, representations);
  }

  #passOf(logits: Tensor, representations: readonly Tensor[]): Pass {
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
          pcoders.slice(0, i).reduceRight((above, pcoder) => pcoder.decode(above), prediction),
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
