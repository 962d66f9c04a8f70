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

/** Options of `SudokuNetwork`. Capital letters and n are the paper's symbols. */
export interface SudokuNetworkOptions {
  /** C, the number of channels. Default 64; the paper has 512. */
  readonly channels?: number;
  /** n, the number of components of an oscillator. Default 4. */
  readonly rotatingDimensions?: number;
  /** L, the number of layers. Default 1. */
  readonly layers?: number;
  /**
   * T, the number of Kuramoto steps of each layer. Default 16. A trained network can also run for more steps;
   * see {@link SudokuNetwork.forward}.
   */
  readonly timesteps?: number;
  /** Default 8. */
  readonly heads?: number;
  /** The initial step size gamma, which is trained. Default 1. */
  readonly stepSize?: number;
  /**
   * Natural frequencies; false means none. Default: one shared frequency of 0.1 that is not trained. In the
   * paper it is trained and starts at 0.5.
   */
  readonly omega?: NaturalFrequencyOptions | false;
  readonly omegaOff?: "identity" | "zero";
  readonly project?: boolean;
  /** Whether three 1 x 1 convolutions with ReLU follow the read-out (the authors' `nl`). Default true. */
  readonly nonlinear?: boolean;
}

/** Inputs of a `SudokuNetwork`. */
export interface SudokuInputs {
  /** Boards as int64 [batch, 9, 9]: the digit of each cell, or 0 for a blank. */
  readonly tokens: Tensor;
  /** Initial oscillators of the blank cells: standard-normal draws [batch, channels, 9, 9]. */
  readonly noise: Tensor;
}

/** Outputs of a `SudokuNetwork`. */
export interface SudokuOutput {
  /** Logits [batch, 9, 9, 9], whose last axis is the digit, from 1 to 9. */
  readonly logits: Tensor;
  readonly layers: readonly KuramotoTrace[];
}

/**
 * The results of {@link SudokuNetwork.forwardAfter}: logits [batch, 9, 9, 9] for each number of steps, and
 * the energies [T + 1, batch] for the largest number T.
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
 * AKOrN for Sudoku (arXiv:2410.13821, section 5.2). Every cell of a board is a group of oscillators, and
 * attention couples all cells. The oscillators of a given cell start at the embedding of its digit, and those
 * of a blank cell at random. A trained network may run for more steps than in training.
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
  /** A parameter that no computation uses; it exists because the authors' state dictionary contains it. */
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

  /**
   * Makes the graph input for the initial oscillators. `batch` is the batch size: a number, or a name if it
   * may vary.
   */
  noiseInput(batch: Dim): Tensor {
    return input(NOISE, [batch, this.embedding.features, SIDE, SIDE]);
  }

  /**
   * Writes the graph of the network.
   *
   * @param timesteps T, the number of Kuramoto steps. Default: as in the options
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

  /**
   * Writes the graph of one timestep of the layers, which run one after another, and of the logits of the
   * last layer.
   */
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
   * Makes the initial oscillators and the stimulus. Given cells start at the embedding of their digit, blank
   * cells at random. The stimulus of every cell is its embedding.
   */
  #start(tokens: Tensor, noise: Tensor): Driven {
    checkTokens(tokens);
    const c = scope("embedding", () => transpose(this.embedding.forward(tokens), [0, 3, 1, 2]));
    return { c, x: where(unsqueeze(greater(tokens, 0), [1]), c, noise) };
  }

  /**
   * Returns logits [batch, 9, 9, 9] for each number of steps in `timesteps`, and energies [T + 1, batch],
   * where T is the largest of them. The first t + 1 rows are the energies of a run of t steps. All runs share
   * the same steps.
   *
   * @throws StriateError if the network has several layers, because its answer after T steps is then not an
   * intermediate result of a longer run
   */
  forwardAfter(inputs: SudokuInputs, timesteps: readonly number[]): SudokuAnswers {
    onlyBlock(this.blocks);
    const { states, energies } = this.forward(inputs, Math.max(...timesteps)).layers[0]!;
    return { logits: timesteps.map((t) => this.read(states[t - 1]!)), energies };
  }

  /**
   * Computes logits [batch, 9, 9, 9] from the oscillators of the last layer, [batch, channels, 9, 9], after
   * any step.
   */
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

/** Returns the only block of a network. Throws `StriateError` if there are several. */
export function onlyBlock<B>(blocks: readonly B[]): B {
  check(
    blocks.length === 1,
    () =>
      `Sudoku: answers after several numbers of steps: expected a network of one block, got ${blocks.length}`,
  );
  return blocks[0]!;
}

/** Moves the axis of digits to the end: [batch, 9, height, width] becomes [batch, height, width, 9]. */
function digitsLast(maps: Tensor): Tensor {
  const [batch, digits] = maps.shape;
  const flat = transpose(reshape(maps, [batch!, digits!, SIDE * SIDE]), [0, 2, 1]);
  return reshape(flat, [batch!, SIDE, SIDE, digits!]);
}
