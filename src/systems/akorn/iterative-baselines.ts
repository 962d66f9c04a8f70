import type { Tensor } from "../../graph/index.js";
import { add, gelu, parameter, reshape, scope, transpose } from "../../graph/index.js";
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
  /** Grid of learned rotations inside the attention. */
  readonly rotations: Grid | undefined;
  /** Side of a convolution in the attention's place. */
  readonly kernel: number | undefined;
  readonly mlpChannels: number;
  readonly timesteps: number;
}

/**
 * T times x <- x + Mix(LN(x)) with the same weights, then x <- x + MLP(LN(x)) with one hidden layer and GELU. Tokens
 * [positions, batch, channels]; LN over the channels of a position.
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

  /** The results of several T, whose iterations are shared. */
  forwardAfter(tokens: Tensor, grid: Grid, timesteps: readonly number[]): Tensor[] {
    const mixed = this.#mixing(grid);
    const states = [tokens];
    for (let t = 0; t < Math.max(...timesteps); t++) {
      const x = states[t]!;
      states.push(scope(`step${t}`, () => add(x, mixed(this.mixNorm.forward(x)))));
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

/** What `IterativeObjectNetwork` can be told. */
export interface IterativeObjectOptions {
  /** Default 256. */
  readonly channels?: number;
  /** Default 1. */
  readonly layers?: number;
  /** Iterations of each block: 8 (default) is ItrSA, 1 a vision transformer. */
  readonly timesteps?: number;
  /** Default 4; the paper's 8. */
  readonly heads?: number;
  /** Default: 2 x channels. */
  readonly mlpChannels?: number;
  /** Height and width of the images in pixels, or one number for both. Default 128. */
  readonly imageSize?: Size;
  /** Side of a patch in pixels. Default 4. */
  readonly patch?: number;
  /** Learned rotations inside the attention instead of a code that is added. Default false. */
  readonly rotations?: boolean;
  /** A convolution of this side in the attention's place, without position code: ItrConv. */
  readonly kernel?: number;
  /** Images of another size: resized (true, default), taken with resized rotations ("rotations"), or refused (false). */
  readonly rescale?: Rescale;
}

/**
 * What AKOrN is compared with in object discovery: ItrSA (self-attention repeated with the same weights), ViT (once) and
 * ItrConv (a convolution instead; the authors' code for it is not public, this is our reading of the paper).
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

  /** Images [batch, 3, height, width] in [0, 1]; projection [batch, channels], features [batch, channels, height / patch, width / patch]. */
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

/** What `SudokuTransformer` can be told. */
export interface SudokuTransformerOptions {
  /** Default 64; the paper's 512. */
  readonly channels?: number;
  /** Default 1: ItrSA. The paper's transformer has 8 with one iteration each. */
  readonly layers?: number;
  /** Default 16. */
  readonly timesteps?: number;
  /** Default 8. */
  readonly heads?: number;
  /** Default: 2 x channels. */
  readonly mlpChannels?: number;
}

/** What AKOrN is compared with in Sudoku: ItrSA (one block, many iterations) or a transformer (many blocks, once each). */
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
   * Tokens (0 for a blank, else the digit) int64 [batch, 9, 9] to logits [batch, 9, 9, 9], the last axis for the digits.
   *
   * @param timesteps iterations of each block; default that of the options
   * @throws StriateError for boards that are not 9 x 9
   */
  forward({ tokens }: { readonly tokens: Tensor }, timesteps?: number): { readonly logits: Tensor } {
    const mixed = this.blocks.reduce(
      (x, block, layer) => scope(`layer${layer}`, () => block.forward(x, GRID, timesteps)),
      this.#start(tokens),
    );
    return { logits: this.#logits(mixed) };
  }

  /**
   * Answers after several numbers of iterations in one run of the longest: logits [batch, 9, 9, 9] for each.
   *
   * @throws StriateError for several blocks, whose answer after T iterations is no part of a longer run
   */
  forwardAfter({ tokens }: { readonly tokens: Tensor }, timesteps: readonly number[]): Tensor[] {
    const block = onlyBlock(this.blocks);
    const mixed = scope("layer0", () => block.forwardAfter(this.#start(tokens), GRID, timesteps));
    return mixed.map((x) => this.#logits(x));
  }

  /** Tokens [81, batch, channels] with their places. */
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
