import type { Tensor } from "../../graph/index.js";
import { add, gelu, parameter, reshape, scope, timestep, transpose } from "../../graph/index.js";
import type { Size } from "../../nn/layers/convolution.js";
import { Conv2d } from "../../nn/layers/convolution.js";
import { Embedding } from "../../nn/layers/embedding.js";
import { Linear } from "../../nn/layers/linear.js";
import { LayerNorm } from "../../nn/layers/normalisation.js";
import { AttentionCoupling } from "./layer/attention-coupling.js";
import { fromTokens, toTokens } from "./layer/oscillators.js";
import type { Rescale } from "./objects/patches.js";
import { Patches, checkRescale } from "./objects/patches.js";
import { sinusoidalStart } from "./objects/position-code.js";
import { ProjectionHead } from "./objects/projection-head.js";
import type { Grid } from "./layer/grid.js";
import { SIDE, checkTokens, onlyBlock } from "./sudoku/network.js";

interface BlockOptions {
  readonly channels: number;
  readonly heads: number;
  /** Grid of positions for learned rotations inside the attention; undefined if there are none. */
  readonly rotations: Grid | undefined;
  /** Kernel side of a convolution that replaces the attention; undefined if the block has attention. */
  readonly kernel: number | undefined;
  readonly mlpChannels: number;
  readonly timesteps: number;
}

/**
 * A block that applies x <- x + Mix(LN(x)) T times with the same weights, and then x <- x + MLP(LN(x)) once.
 * Mix is attention or a convolution. MLP has one hidden layer with GELU. LN (layer norm) normalises over the
 * channels of each position. Tokens have the shape [positions, batch, channels].
 */
class IterativeBlock {
  readonly mixNorm: LayerNorm;
  readonly mix: AttentionCoupling | Conv2d;
  readonly mlpNorm: LayerNorm;
  readonly expand: Linear;
  readonly contract: Linear;
  readonly #timesteps: number;

  constructor({ channels, heads, rotations, kernel, mlpChannels, timesteps }: BlockOptions) {
    this.mixNorm = new LayerNorm(channels);
    this.mix =
      kernel === undefined
        ? new AttentionCoupling(channels, { heads, grid: rotations })
        : new Conv2d(channels, channels, kernel, { padding: kernel >> 1 });
    this.mlpNorm = new LayerNorm(channels);
    this.expand = new Linear(channels, mlpChannels);
    this.contract = new Linear(mlpChannels, channels);
    this.#timesteps = timesteps;
  }

  forward(tokens: Tensor, grid: Grid, timesteps = this.#timesteps): Tensor {
    return this.forwardAfter(tokens, grid, [timesteps])[0]!;
  }

  /**
   * Returns one output for each number of iterations T in `timesteps`. All share the same iterations, so this
   * costs no more of them than the largest T.
   */
  forwardAfter(tokens: Tensor, grid: Grid, timesteps: readonly number[]): Tensor[] {
    const mixed = this.#mixing(grid);
    const states = [tokens];
    for (let t = 0; t < Math.max(...timesteps); t++) {
      const x = states[t]!;
      states.push(timestep(`step${t}`, () => add(x, mixed(this.mixNorm.forward(x)))));
    }
    return timesteps.map((t) => this.#finish(states[t]!));
  }

  #finish(x: Tensor): Tensor {
    return add(x, this.contract.forward(gelu(this.expand.forward(this.mlpNorm.forward(x)))));
  }

  #mixing(grid: Grid): (x: Tensor) => Tensor {
    const { mix } = this;
    if (mix instanceof Conv2d) return (x) => toTokens(mix.forward(fromTokens(x, grid)));
    const attention = mix.tokens(grid);
    return (x) => add(attention.forward(x), attention.bias);
  }
}

/** Options of `IterativeObjectNetwork`. */
export interface IterativeObjectOptions {
  /** Default 256. */
  readonly channels?: number;
  /** Default 1. */
  readonly layers?: number;
  /** Number of iterations of each block: 8 (default) for ItrSA, 1 for a vision transformer (ViT). */
  readonly timesteps?: number;
  /** Default 4; the paper has 8. */
  readonly heads?: number;
  /** Default: 2 x channels. */
  readonly mlpChannels?: number;
  /** Height and width of the images in pixels, or one number for both. Default 128. */
  readonly imageSize?: Size;
  /** Side of a patch in pixels. Default 4. */
  readonly patch?: number;
  /**
   * Whether positions are encoded by learned rotations inside the attention (true) or by a position code that
   * is added to the patches (false, default).
   */
  readonly rotations?: boolean;
  /**
   * Kernel side of a convolution that replaces the attention (ItrConv). No position code is then added.
   * Default: attention.
   */
  readonly kernel?: number;
  /** What happens to images of a size other than `imageSize`; see {@link Rescale}. Default true. */
  readonly rescale?: Rescale;
}

/**
 * Baselines for AKOrN in object discovery. ItrSA repeats self-attention with the same weights, a vision
 * transformer (ViT) applies it once, and ItrConv repeats a convolution. The authors' code for ItrConv is not
 * public; ours follows the paper.
 */
export class IterativeObjectNetwork {
  readonly patches: Patches;
  readonly positions: Tensor | undefined;
  readonly blocks: readonly IterativeBlock[];
  readonly norm: LayerNorm;
  readonly head: ProjectionHead;

  constructor(options: IterativeObjectOptions = {}) {
    const { channels = 256, layers = 1, timesteps = 8, heads = 4, imageSize = 128, patch = 4 } = options;
    const { mlpChannels = 2 * channels, rotations = false, kernel, rescale = true } = options;
    const coded = !rotations && kernel === undefined;
    checkRescale(rescale, !coded);
    this.patches = new Patches({ channels, imageSize, patch, rescale });
    const { grid } = this.patches;
    this.positions = coded ? parameter([channels, ...grid], sinusoidalStart(channels, grid)) : undefined;
    const block = {
      channels,
      heads,
      kernel,
      mlpChannels,
      timesteps,
      rotations: rotations ? grid : undefined,
    };
    this.blocks = Array.from({ length: layers }, () => new IterativeBlock(block));
    this.norm = new LayerNorm(channels);
    this.head = new ProjectionHead(channels);
  }

  /**
   * Maps images [batch, 3, height, width] in [0, 1] to a projection [batch, channels] and features [batch, channels,
   * height / patch, width / patch].
   */
  forward({ images }: { readonly images: Tensor }): {
    readonly projection: Tensor;
    readonly features: Tensor;
  } {
    const maps = scope("patches", () => this.patches.forward(images));
    const grid = maps.shape.slice(2) as unknown as Grid;
    const tokens = toTokens(this.positions === undefined ? maps : add(maps, this.positions));
    const mixed = this.blocks.reduce(
      (x, block, layer) => scope(`layer${layer}`, () => block.forward(x, grid)),
      tokens,
    );
    const features = fromTokens(this.norm.forward(mixed), grid);
    return { projection: this.head.forward(features), features };
  }
}

const GRID: Grid = [SIDE, SIDE];

/** Options of `SudokuTransformer`. */
export interface SudokuTransformerOptions {
  /** Default 64; the paper has 512. */
  readonly channels?: number;
  /** Number of blocks. Default 1, as in ItrSA. The paper's transformer has 8 blocks of one iteration each. */
  readonly layers?: number;
  /** Default 16. */
  readonly timesteps?: number;
  /** Default 8. */
  readonly heads?: number;
  /** Default: 2 x channels. */
  readonly mlpChannels?: number;
}

/**
 * Baselines for AKOrN in Sudoku: ItrSA, which is one block of many iterations, or a transformer, which is
 * many blocks of one iteration each.
 */
export class SudokuTransformer {
  readonly embedding: Embedding;
  readonly positions: Tensor;
  readonly blocks: readonly IterativeBlock[];
  readonly norm: LayerNorm;
  readonly out: Linear;
  readonly timesteps: number;

  constructor(options: SudokuTransformerOptions = {}) {
    const { channels = 64, layers = 1, timesteps = 16, heads = 8, mlpChannels = 2 * channels } = options;
    this.timesteps = timesteps;
    this.embedding = new Embedding(10, channels);
    this.positions = parameter([SIDE * SIDE, channels], sinusoidalStart(channels, GRID, "tokens"));
    const block = { channels, heads, kernel: undefined, rotations: undefined, mlpChannels, timesteps };
    this.blocks = Array.from({ length: layers }, () => new IterativeBlock(block));
    this.norm = new LayerNorm(channels);
    this.out = new Linear(channels, SIDE);
  }

  /**
   * Maps boards to logits [batch, 9, 9, 9], whose last axis is the digit. Boards are int64 tokens [batch, 9,
   * 9]: the digit of each cell, or 0 for a blank.
   *
   * @param timesteps number of iterations of each block. Default: as in the options
   * @throws StriateError if boards are not 9 x 9
   */
  forward({ tokens }: { readonly tokens: Tensor }, timesteps?: number): { readonly logits: Tensor } {
    const mixed = this.blocks.reduce(
      (x, block, layer) => scope(`layer${layer}`, () => block.forward(x, GRID, timesteps)),
      this.#start(tokens),
    );
    return { logits: this.#logits(mixed) };
  }

  /**
   * Returns logits [batch, 9, 9, 9] for each number of iterations in `timesteps`. All share the same
   * iterations.
   *
   * @throws StriateError if the network has several blocks, because its answer after T iterations is then not
   * an intermediate result of a longer run
   */
  forwardAfter({ tokens }: { readonly tokens: Tensor }, timesteps: readonly number[]): Tensor[] {
    const block = onlyBlock(this.blocks);
    const mixed = scope("layer0", () => block.forwardAfter(this.#start(tokens), GRID, timesteps));
    return mixed.map((x) => this.#logits(x));
  }

  /** Embeds tokens and adds position codes; the result is [81, batch, channels]. */
  #start(tokens: Tensor): Tensor {
    checkTokens(tokens);
    const first = transpose(reshape(tokens, [tokens.shape[0]!, SIDE * SIDE]), [1, 0]);
    const embedded = scope("embedding", () => this.embedding.forward(first));
    return add(embedded, reshape(this.positions, [SIDE * SIDE, 1, this.embedding.features]));
  }

  #logits(mixed: Tensor): Tensor {
    const logits = scope("out", () => this.out.forward(this.norm.forward(mixed)));
    return reshape(transpose(logits, [1, 0, 2]), [mixed.shape[1]!, SIDE, SIDE, SIDE]);
  }
}
