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

/** Options of `ObjectNetwork`, with the paper's letters. */
export interface ObjectNetworkOptions {
  /** C. Default 256. */
  readonly channels?: number;
  /** L. Default 1. */
  readonly layers?: number;
  /** T, Kuramoto steps of each layer. Default 8. */
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
   * Whether positions are encoded by learned rotations inside the attention (default true), or by sinusoidal codes
   * added to oscillators and stimulus (false). A convolution has no rotations.
   */
  readonly rotations?: boolean;
  /** Default "group". */
  readonly stimulusNorm?: StimulusNorm;
  /** The step size gamma, which is not trained. Default 1. */
  readonly stepSize?: number;
  /** Natural frequencies. Default false: none. */
  readonly omega?: NaturalFrequencyOptions | false;
  /** See {@link KuramotoLayerOptions}. */
  readonly omegaOff?: "identity" | "zero";
  readonly project?: boolean;
  /** What happens to images of another size, see {@link Rescale}. Default true. */
  readonly rescale?: Rescale;
  /** Pooling of the features over space, before the projection. Default "max". */
  readonly pool?: "max" | "average";
  /**
   * Whether a 1 x 1 convolution maps the oscillators of one layer to those of the next. Default false: they are passed
   * on unchanged.
   */
  readonly stateReadout?: boolean;
  /** Whether layers end in a read-out. Default true. */
  readonly readout?: boolean;
}

/** Inputs of an `ObjectNetwork`. */
export interface ObjectNetworkInputs {
  /** [batch, 3, height, width] in [0, 1]. */
  readonly images: Tensor;
  /**
   * Standard-normal draws [batch, channels, height / patch, width / patch], new for every image in training and in
   * testing.
   */
  readonly noise: Tensor;
}

/** Outputs of an `ObjectNetwork`. */
export interface ObjectNetworkOutput {
  /** The projection that the contrastive loss compares: [batch, channels]. */
  readonly projection: Tensor;
  /** The features that are clustered into segments: [batch, channels, height / patch, width / patch]. */
  readonly features: Tensor;
  /** The results of every layer's oscillators. */
  readonly layers: readonly KuramotoTrace[];
}

interface Block {
  readonly kuramoto: KuramotoLayer;
  readonly readout: ReadOutConv | undefined;
  readonly stateReadout: Conv2d | undefined;
}

/**
 * AKOrN for object discovery (arXiv:2410.13821, section 5.1). Patches drive oscillators that start at random; a
 * read-out of their states drives the next layer. The network is trained without labels, and the last read-out's
 * features are clustered.
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
   * The graph input for the initial oscillators. `batch` is a number, or a name if it may vary.
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

  /** Runs the network. Throws `StriateError` if images or noise have another shape. */
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

  /** Traces one timestep of the layers in turn, and the features of the last layer's oscillators. */
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

/** The oscillators and the stimulus of the next layer, from a layer's last state. */
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
