import type { Dim, Tensor } from "../../../graph/index.js";
import {
  greater,
  input,
  parameter,
  relu,
  reshape,
  scope,
  transpose,
  unsqueeze,
  where,
} from "../../../graph/index.js";
import { fill, normal } from "../../../nn/init.js";
import { Conv2d } from "../../../nn/layers/convolution.js";
import { Embedding } from "../../../nn/layers/embedding.js";
import type { Layer } from "../../../nn/layers/layer.js";
import { checkShape } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { KuramotoTrace } from "../layer/kuramoto-layer.js";
import { KuramotoLayer } from "../layer/kuramoto-layer.js";
import type { Driven, StepInTurn } from "../layer/layers-in-turn.js";
import { stepInTurn } from "../layer/layers-in-turn.js";
import type { NaturalFrequencyOptions } from "../layer/natural-frequency.js";
import { ReadOutBlock } from "../layer/norm-relu-conv.js";
import { NOISE } from "../layer/oscillators.js";
import { ReadOutConv } from "../layer/readout.js";

/** Number of cells along a side of a board. */
export const SIDE = 9;

/** Options of `SudokuNetwork`, with the paper's letters. */
export interface SudokuNetworkOptions {
  /** C. Default 64; the paper has 512. */
  readonly channels?: number;
  /** n, the number of components of an oscillator. Default 4. */
  readonly rotatingDimensions?: number;
  /** L. Default 1. */
  readonly layers?: number;
  /**
   * T, the Kuramoto steps of each layer. Default 16. A trained network can run with more: see {@link
   * SudokuNetwork.forward}.
   */
  readonly timesteps?: number;
  /** Default 8. */
  readonly heads?: number;
  /** The initial step size gamma, which is trained. Default 1. */
  readonly stepSize?: number;
  /**
   * Natural frequencies. Default: one shared frequency of 0.1 that is not trained; the paper trains it, initially 0.5.
   * False for none.
   */
  readonly omega?: NaturalFrequencyOptions | false;
  readonly omegaOff?: "identity" | "zero";
  readonly project?: boolean;
  /** Whether three 1 x 1 convolutions with ReLU follow the read-out (the authors' `nl`). Default true. */
  readonly nonlinear?: boolean;
}

/** Inputs of a `SudokuNetwork`. */
export interface SudokuInputs {
  /** int64 [batch, 9, 9]: the digit of each cell, or 0 for a blank. */
  readonly tokens: Tensor;
  /** Standard-normal draws [batch, channels, 9, 9], from which blank cells start. */
  readonly noise: Tensor;
}

/** Outputs of a `SudokuNetwork`. */
export interface SudokuOutput {
  /** [batch, 9, 9, 9], whose last axis is the digit from 1 to 9. */
  readonly logits: Tensor;
  readonly layers: readonly KuramotoTrace[];
}

/**
 * Logits [batch, 9, 9, 9] after each of several numbers of steps, and the energies [T + 1, batch] of the longest run.
 */
export interface SudokuAnswers {
  readonly logits: readonly Tensor[];
  readonly energies: Tensor;
}

interface Block {
  readonly kuramoto: KuramotoLayer;
  readonly readout: Layer;
}

/**
 * AKOrN for Sudoku (arXiv:2410.13821, section 5.2). Every cell is a group of oscillators. Given cells start at their
 * digit's embedding, blank cells at random, and attention couples all cells. After training, the network may run for
 * more steps than in training.
 *
 * @example
 * ```ts
 * import { SudokuNetwork } from "striate";
 * import { input } from "striate/graph";
 *
 * const network = new SudokuNetwork({ channels: 16, heads: 2, timesteps: 4 });
 * const tokens = input("tokens", ["batch", 9, 9], "int64");
 * const { logits } = network.forward({ tokens, noise: input("noise", ["batch", 16, 9, 9]) });
 * console.log(logits.shape.join(", ")); // batch, 9, 9, 9
 * ```
 */
export class SudokuNetwork {
  readonly embedding: Embedding;
  readonly stepSize: Tensor;
  /** A parameter of the authors' state dictionary that no computation uses. */
  readonly x0: Tensor;
  readonly blocks: readonly Block[];
  readonly out: Conv2d;
  readonly timesteps: number;

  constructor(options: SudokuNetworkOptions = {}) {
    const { channels = 64, rotatingDimensions = 4, layers = 1, timesteps = 16, heads = 8 } = options;
    const { stepSize = 1, nonlinear = true } = options;
    const { omega = { initial: 0.1, shared: true, trained: false } } = options;
    this.timesteps = timesteps;
    this.embedding = new Embedding(10, channels);
    this.stepSize = parameter([1], fill(stepSize));
    this.x0 = parameter([1, channels, SIDE, SIDE], normal());
    this.blocks = Array.from({ length: layers }, () => ({
      kuramoto: new KuramotoLayer({
        ...options,
        channels,
        rotatingDimensions,
        omega,
        coupling: { type: "attention", heads, grid: [SIDE, SIDE] },
        stimulusNorm: "none",
      }),
      readout: nonlinear
        ? new ReadOutBlock({ channels, components: rotatingDimensions, kernel: 1, norm: "none" })
        : new ReadOutConv(channels, channels, rotatingDimensions),
    }));
    this.out = new Conv2d(channels, SIDE, 1);
  }

  /** The graph input for the initial oscillators. `batch` is a number, or a name if it may vary. */
  noiseInput(batch: Dim): Tensor {
    return input(NOISE, [batch, this.embedding.features, SIDE, SIDE]);
  }

  /**
   * @param timesteps T. Default: as in the options
   * @throws StriateError if boards are not 9 x 9
   */
  forward({ tokens, noise }: SudokuInputs, timesteps = this.timesteps): SudokuOutput {
    let { x, c } = this.#start(tokens, noise);
    const layers = this.blocks.map(({ kuramoto, readout }, layer) =>
      scope(`layer${layer}`, () => {
        const trace = kuramoto.forward(x, c, { steps: timesteps, stepSize: this.stepSize });
        x = trace.last;
        c = readout.forward(x);
        return trace;
      }),
    );
    return { logits: this.#logits(c), layers };
  }

  /** Traces one timestep of the layers in turn, and the logits of the last layer's oscillators. */
  step(tokens: Tensor, timesteps = this.timesteps): StepInTurn & Pick<SudokuOutput, "logits"> {
    const { blocks } = this;
    const step = stepInTurn(
      blocks.map(({ kuramoto }, layer) => ({
        kuramoto,
        steps: timesteps,
        begin: (from) =>
          layer === 0
            ? this.#start(tokens, from)
            : { x: from, c: scope(`layer${layer - 1}`, () => blocks[layer - 1]!.readout.forward(from)) },
      })),
      this.noiseInput(tokens.shape[0]!).shape,
      this.stepSize,
    );
    return { ...step, logits: this.read(step.states.at(-1)!) };
  }

  /**
   * Initial oscillators and stimulus. Given cells start at their digit's embedding, blank cells at random; the
   * embedding is the stimulus of all cells.
   */
  #start(tokens: Tensor, noise: Tensor): Driven {
    checkTokens(tokens);
    const c = scope("embedding", () => transpose(this.embedding.forward(tokens), [0, 3, 1, 2]));
    return { c, x: where(unsqueeze(greater(tokens, 0), [1]), c, noise) };
  }

  /**
   * Returns logits [batch, 9, 9, 9] after each of several numbers of steps, and the energies [largest T + 1, batch] of
   * the longest run; the first T + 1 are those of T steps. The steps are shared.
   *
   * @throws StriateError if the network has several blocks: its answer after T steps is then not an intermediate result
   * of a longer run
   */
  forwardAfter(inputs: SudokuInputs, timesteps: readonly number[]): SudokuAnswers {
    onlyBlock(this.blocks);
    const { states, energies } = this.forward(inputs, Math.max(...timesteps)).layers[0]!;
    return { logits: timesteps.map((t) => this.read(states[t - 1]!)), energies };
  }

  /** Computes logits [batch, 9, 9, 9] from the last layer's oscillators [batch, channels, 9, 9] at any step. */
  read(state: Tensor): Tensor {
    return this.#logits(this.blocks.at(-1)!.readout.forward(state));
  }

  #logits(c: Tensor): Tensor {
    return scope("out", () => digitsLast(this.out.forward(relu(c))));
  }
}

/** Throws `StriateError` unless tokens are boards [batch, 9, 9]. */
export function checkTokens(tokens: Tensor): void {
  checkShape("Sudoku: boards", tokens.shape, ["batch", SIDE, SIDE]);
}

/** Returns the only block. Throws `StriateError` if there are several. */
export function onlyBlock<B>(blocks: readonly B[]): B {
  check(
    blocks.length === 1,
    () =>
      `Sudoku: answers after several numbers of steps: expected a network of one block, got ${blocks.length}`,
  );
  return blocks[0]!;
}

/** Moves the digits' axis last: [batch, 9, height, width] to [batch, height, width, 9]. */
function digitsLast(maps: Tensor): Tensor {
  const [batch, digits] = maps.shape;
  const flat = transpose(reshape(maps, [batch!, digits!, SIDE * SIDE]), [0, 2, 1]);
  return reshape(flat, [batch!, SIDE, SIDE, digits!]);
}
