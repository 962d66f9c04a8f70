import type { Dim, Tensor } from "../../../graph/index.js";
import { add, input, parameter, scope } from "../../../graph/index.js";
import { fill } from "../../../nn/init.js";
import type { Size } from "../../../nn/layers/convolution.js";
import { Conv2d } from "../../../nn/layers/convolution.js";
import { StriateError } from "../../../util/errors.js";
import type { Grid } from "../layer/grid.js";
import type { KuramotoLayerOptions, KuramotoTrace, StimulusNorm } from "../layer/kuramoto-layer.js";
import { KuramotoLayer } from "../layer/kuramoto-layer.js";
import type { Driven, StepInTurn } from "../layer/layers-in-turn.js";
import { stepInTurn } from "../layer/layers-in-turn.js";
import type { NaturalFrequencyOptions } from "../layer/natural-frequency.js";
import { NOISE } from "../layer/oscillators.js";
import type { Rescale } from "./patches.js";
import { Patches, checkRescale } from "./patches.js";
import { sinusoidalStart } from "./position-code.js";
import { ProjectionHead } from "./projection-head.js";
import { ReadOutConv } from "../layer/readout.js";

/** What an `ObjectNetwork` can be told; letters are the paper's. */
export interface ObjectNetworkOptions {
  /** C. Default 256. */
  readonly channels?: number;
  /** L. Default 1. */
  readonly layers?: number;
  /** T, Kuramoto steps of each layer. Default 8. */
  readonly timesteps?: number;
  /** n. Default 4. */
  readonly rotatingDimensions?: number;
  /** Height and width of the images in pixels, or one number for both. Default 128. */
  readonly imageSize?: Size;
  /** Side of a patch in pixels. Default 4. */
  readonly patch?: number;
  /** Default "attention". */
  readonly coupling?: "attention" | "convolution";
  /** Heads of the attention. Default 8. */
  readonly heads?: number;
  /** Side of the convolution's kernel. Default 1; the paper's are 5 and 7. */
  readonly kernel?: number;
  /**
   * Positions: learned rotations inside the attention (true, default; a convolution has none), or sinusoidal codes added
   * to oscillators and stimulus.
   */
  readonly rotations?: boolean;
  /** Default "group". */
  readonly stimulusNorm?: StimulusNorm;
  /** gamma, not trained. Default 1. */
  readonly stepSize?: number;
  /** Default false. */
  readonly omega?: NaturalFrequencyOptions | false;
  /** See {@link KuramotoLayerOptions}. */
  readonly omegaOff?: "identity" | "zero";
  readonly project?: boolean;
  /** Images of another size: resized (true, default), taken with resized rotations ("rotations"), or refused (false). */
  readonly rescale?: Rescale;
  /** Default "max". */
  readonly pool?: "max" | "average";
  /** Whether a 1 x 1 convolution passes the oscillators on between layers. Default false: they go on as they are. */
  readonly stateReadout?: boolean;
  /** Whether layers end in a read-out. Default true. */
  readonly readout?: boolean;
}

/** What an `ObjectNetwork` sees. */
export interface ObjectNetworkInputs {
  /** [batch, 3, height, width] in [0, 1]. */
  readonly images: Tensor;
  /** Standard normal, [batch, channels, height / patch, width / patch], fresh for every image, also when testing. */
  readonly noise: Tensor;
}

/** What an `ObjectNetwork` answers. */
export interface ObjectNetworkOutput {
  /** What the contrastive loss compares, [batch, channels]. */
  readonly projection: Tensor;
  /** What is clustered into segments, [batch, channels, height / patch, width / patch]. */
  readonly features: Tensor;
  /** The oscillators of every layer. */
  readonly layers: readonly KuramotoTrace[];
}

interface Block {
  readonly kuramoto: KuramotoLayer;
  readonly readout: ReadOutConv | undefined;
  readonly stateReadout: Conv2d | undefined;
}

/**
 * AKOrN for object discovery (arXiv:2410.13821, section 5.1): patches drive oscillators that start at random; a read-out of
 * their states drives the next layer. Trained without labels; features of the last read-out are clustered.
 *
 * @throws StriateError for options that do not go together
 */
export class ObjectNetwork {
  readonly patches: Patches;
  readonly stepSize: Tensor;
  readonly positions: { readonly oscillators: Tensor; readonly stimulus: Tensor } | undefined;
  readonly blocks: readonly Block[];
  readonly head: ProjectionHead;
  readonly #steps: number;

  constructor(options: ObjectNetworkOptions = {}) {
    const { channels = 256, layers = 1, timesteps = 8, rotatingDimensions = 4, imageSize = 128 } = options;
    const { patch = 4, rotations = true, stepSize = 1, rescale = true, pool = "max" } = options;
    checkRescale(rescale, rotations);
    this.patches = new Patches({ channels, imageSize, patch, rescale });
    const { grid } = this.patches;
    this.stepSize = parameter([1], fill(stepSize), { trainable: false });
    const code = () => parameter([channels, ...grid], sinusoidalStart(channels, grid));
    this.positions = rotations ? undefined : { oscillators: code(), stimulus: code() };
    this.blocks = Array.from({ length: layers }, (_, layer): Block => {
      const last = layer === layers - 1;
      return {
        kuramoto: new KuramotoLayer({
          ...options,
          channels,
          rotatingDimensions,
          coupling: couplingOf(options, rotations ? grid : undefined),
        }),
        readout:
          options.readout === false ? undefined : new ReadOutConv(channels, channels, rotatingDimensions),
        stateReadout: options.stateReadout === true && !last ? new Conv2d(channels, channels, 1) : undefined,
      };
    });
    this.head = new ProjectionHead(channels, pool);
    this.#steps = timesteps;
  }

  /**
   * The graph input for the oscillators at the start. The batch may be named ("batch").
   *
   * @param imageSize of the images; default: the network's
   */
  noiseInput(batch: Dim, imageSize?: Size): Tensor {
    const { conv, grid } = this.patches;
    return input(NOISE, [
      batch,
      conv.outputs,
      ...(imageSize === undefined ? grid : this.patches.gridFor(imageSize)),
    ]);
  }

  /** Throws {@link StriateError} for images or noise of another shape. */
  forward({ images, noise }: ObjectNetworkInputs): ObjectNetworkOutput {
    let { x, c } = this.#start(images, noise);
    const layers = this.blocks.map((block, layer) =>
      scope(`layer${layer}`, () => {
        const trace = block.kuramoto.forward(x, c, { steps: this.#steps, stepSize: this.stepSize });
        ({ x, c } = passedOn(block, trace.last));
        return trace;
      }),
    );
    return { projection: this.head.forward(c), features: c, layers };
  }

  /** Traces one step of the layers in turn, with the features that the last layer's oscillators give. */
  step(images: Tensor): StepInTurn & Pick<ObjectNetworkOutput, "features"> {
    const { blocks } = this;
    const [batch, , ...space] = images.shape as [Dim, Dim, number, number];
    const step = stepInTurn(
      blocks.map(({ kuramoto }, layer) => ({
        kuramoto,
        steps: this.#steps,
        begin: (from) =>
          layer === 0
            ? this.#start(images, from)
            : scope(`layer${layer - 1}`, () => passedOn(blocks[layer - 1]!, from)),
      })),
      this.noiseInput(batch, space).shape,
      this.stepSize,
    );
    return { ...step, features: passedOn(blocks.at(-1)!, step.states.at(-1)!).c };
  }

  #start(images: Tensor, noise: Tensor): Driven {
    const c = scope("patches", () => this.patches.forward(images));
    if (this.positions === undefined) return { x: noise, c };
    return { c: add(c, this.positions.stimulus), x: add(noise, this.positions.oscillators) };
  }
}

/** What the next layer gets of a layer's last state. */
function passedOn({ readout, stateReadout }: Block, last: Tensor): Driven {
  const c = readout === undefined ? last : readout.forward(last);
  return { c, x: stateReadout === undefined ? last : stateReadout.forward(last) };
}

function couplingOf(
  { coupling = "attention", heads = 8, kernel = 1 }: ObjectNetworkOptions,
  grid: Grid | undefined,
): KuramotoLayerOptions["coupling"] {
  switch (coupling) {
    case "attention":
      return { type: "attention", heads, grid };
    case "convolution":
      return { type: "convolution", kernel };
    default:
      throw new StriateError(
        `object network: coupling: expected attention or convolution, got "${String(coupling)}"`,
      );
  }
}
