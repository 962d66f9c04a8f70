import type { Dim, Tensor } from "../../../graph/index.js";
import { add, input, parameter, scope } from "../../../graph/index.js";
import { fill } from "../../../nn/init.js";
import type { Size } from "../../../nn/layers/convolution.js";
import { Conv2d } from "../../../nn/layers/convolution.js";
import { checkOneOf } from "../../../util/check.js";
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

/** Options of `ObjectNetwork`. Capital letters and n are the paper's symbols. */
export interface ObjectNetworkOptions {
  /** C, the number of channels. Default 256. */
  readonly channels?: number;
  /** L, the number of layers. Default 1. */
  readonly layers?: number;
  /** T, the number of Kuramoto steps of each layer. Default 8. */
  readonly timesteps?: number;
  /** n, the number of components of an oscillator. Default 4. */
  readonly rotatingDimensions?: number;
  /** Height and width of the images in pixels, or one number for both. Default 128. */
  readonly imageSize?: Size;
  /** Side of a patch in pixels. Default 4. */
  readonly patch?: number;
  /** Default "attention". */
  readonly coupling?: "attention" | "convolution";
  /** Heads of the attention. Default 8. */
  readonly heads?: number;
  /** Side of the convolution's kernel. Default 1; the paper has 5 and 7. */
  readonly kernel?: number;
  /**
   * Whether positions are encoded by learned rotations inside the attention (true, default) or by sinusoidal
   * codes that are added to oscillators and stimulus (false). With true, a convolution gets neither.
   */
  readonly rotations?: boolean;
  /** Default "group". */
  readonly stimulusNorm?: StimulusNorm;
  /** The step size gamma, which is not trained. Default 1. */
  readonly stepSize?: number;
  /** Natural frequencies. Default false: none. */
  readonly omega?: NaturalFrequencyOptions | false;
  /** What replaces Omega x if there are no natural frequencies; see {@link KuramotoLayerOptions}. */
  readonly omegaOff?: "identity" | "zero";
  readonly project?: boolean;
  /** What happens to images of a size other than `imageSize`; see {@link Rescale}. Default true. */
  readonly rescale?: Rescale;
  /** Pooling of the features over space, before the projection. Default "max". */
  readonly pool?: "max" | "average";
  /**
   * Whether a 1 x 1 convolution maps the oscillators of each layer to those of the next. Default false:
   * oscillators are passed on unchanged.
   */
  readonly stateReadout?: boolean;
  /** Whether each layer ends in a read-out. Default true. */
  readonly readout?: boolean;
}

/** Inputs of an `ObjectNetwork`. */
export interface ObjectNetworkInputs {
  /** Images [batch, 3, height, width] with values in [0, 1]. */
  readonly images: Tensor;
  /**
   * Initial oscillators: standard-normal draws [batch, channels, height / patch, width / patch], which must
   * be new for every image, in training and in testing.
   */
  readonly noise: Tensor;
}

/** Outputs of an `ObjectNetwork`. */
export interface ObjectNetworkOutput {
  /** The projection that the contrastive loss compares: [batch, channels]. */
  readonly projection: Tensor;
  /** The features that are clustered into segments: [batch, channels, height / patch, width / patch]. */
  readonly features: Tensor;
  /** The results of each layer's oscillators. */
  readonly layers: readonly KuramotoTrace[];
}

interface Block {
  readonly kuramoto: KuramotoLayer;
  readonly readout: ReadOutConv | undefined;
  readonly stateReadout: Conv2d | undefined;
}

/**
 * AKOrN for object discovery (arXiv:2410.13821, section 5.1). Patches of the image drive oscillators that
 * start at random, and a read-out of the oscillators' states drives the next layer. The network is trained
 * without labels. To find objects, the features from the last read-out are clustered.
 *
 * @throws StriateError if options contradict each other
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
   * Makes the graph input for the initial oscillators. `batch` is the batch size: a number, or a name if it
   * may vary.
   *
   * @param imageSize height and width of the images. Default: as in the options
   */
  noiseInput(batch: Dim, imageSize?: Size): Tensor {
    const { conv, grid } = this.patches;
    return input(NOISE, [
      batch,
      conv.outputs,
      ...(imageSize === undefined ? grid : this.patches.gridFor(imageSize)),
    ]);
  }

  /** Writes the graph of the network. Throws `StriateError` if images or noise have the wrong shape. */
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

  /**
   * Writes the graph of one timestep of the layers, which run one after another, and of the features of the
   * last layer.
   */
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

/** Computes the oscillators and the stimulus of the next layer from a layer's last state. */
function passedOn({ readout, stateReadout }: Block, last: Tensor): Driven {
  const c = readout === undefined ? last : readout.forward(last);
  return { c, x: stateReadout === undefined ? last : stateReadout.forward(last) };
}

function couplingOf(
  { coupling = "attention", heads = 8, kernel = 1 }: ObjectNetworkOptions,
  grid: Grid | undefined,
): KuramotoLayerOptions["coupling"] {
  checkOneOf("object network: coupling", coupling, ["attention", "convolution"]);
  switch (coupling) {
    case "attention":
      return { type: "attention", heads, grid };
    case "convolution":
      return { type: "convolution", kernel };
  }
}
