import type { Dim, Tensor } from "../../../graph/index.js";
import { add, flatten, globalAveragePool, input, mul, parameter, scope, sub } from "../../../graph/index.js";
import { fill } from "../../../nn/init.js";
import type { Size } from "../../../nn/layers/convolution.js";
import { Conv2d } from "../../../nn/layers/convolution.js";
import type { TrainingPass } from "../../../nn/layers/layer.js";
import { Linear } from "../../../nn/layers/linear.js";
import { checkOdd, checkShape } from "../../../util/check.js";
import type { Grid } from "../layer/grid.js";
import { gridOf } from "../layer/grid.js";
import type { KuramotoCouplingOptions, KuramotoTrace, StimulusNorm } from "../layer/kuramoto-layer.js";
import { KuramotoLayer } from "../layer/kuramoto-layer.js";
import type { StepInTurn } from "../layer/layers-in-turn.js";
import { stepInTurn } from "../layer/layers-in-turn.js";
import type { NaturalFrequencyOptions } from "../layer/natural-frequency.js";
import type { ReadOutNorm } from "../layer/norm-relu-conv.js";
import { ReadOutBlock } from "../layer/norm-relu-conv.js";
import { NOISE } from "../layer/oscillators.js";

/** A value for all layers, or a list with one value for each. */
export type PerLayer<T> = T | readonly T[];

/** Options of `RecognitionNetwork`. Capital letters and n are the paper's symbols. */
export interface RecognitionNetworkOptions {
  /** Default 10. */
  readonly classes?: number;
  /** Number of channels of the first layer. Each further layer has twice as many. Default 64. */
  readonly channels?: number;
  /** L, the number of layers. Default 3. */
  readonly layers?: number;
  /** n, the number of components of an oscillator. Default 4; the paper's CIFAR-10 networks have 2. */
  readonly rotatingDimensions?: PerLayer<number>;
  /** T, the number of Kuramoto steps of each layer. Default 3. */
  readonly timesteps?: PerLayer<number>;
  /** Default "convolution". */
  readonly coupling?: PerLayer<"convolution" | "attention">;
  /** Side of the coupling kernel in each layer. Default: 9, 7 and 5 in the three layers. */
  readonly kernels?: PerLayer<number>;
  /** N, the number of components of each vector in the read-outs. Default 2. */
  readonly readoutComponents?: PerLayer<number>;
  /** Odd side of the kernels of read-outs and transitions. Default 3. */
  readonly readoutKernel?: number;
  /** Default "group". */
  readonly stimulusNorm?: StimulusNorm;
  /** Natural frequencies; false means none. Default: one trained frequency for each layer, initially 1. */
  readonly omega?: NaturalFrequencyOptions | false;
  readonly omegaOff?: "identity" | "zero";
  readonly project?: boolean;
  /** The step size gamma, which is not trained. Default 1. */
  readonly stepSize?: number;
  /** Norm inside the read-out blocks. Default "batch". */
  readonly norm?: ReadOutNorm;
  /** Height and width of the images in pixels, or one number for both. Default 32. */
  readonly imageSize?: Size;
}

/** Inputs of a `RecognitionNetwork`. */
export interface RecognitionInputs {
  /** Images [batch, 3, height, width] with values in [0, 1]. */
  readonly images: Tensor;
  /**
   * Initial oscillators: standard-normal draws [batch, channels, height, width], which must be new for every
   * image, in training and in testing.
   */
  readonly noise: Tensor;
}

/** Outputs of a `RecognitionNetwork`. */
export interface RecognitionOutput {
  /** [batch, classes] */
  readonly logits: Tensor;
  readonly layers: readonly KuramotoTrace[];
}

interface Block {
  /**
   * Doubles the number of channels and, in layers 2 and 3, halves the sides of the map. The same weights
   * apply to oscillators and stimulus. The first layer has no transition.
   */
  readonly transition: Conv2d | undefined;
  readonly kuramoto: KuramotoLayer;
  readonly readout: ReadOutBlock;
}

/**
 * AKOrN for image classification (arXiv:2410.13821, section 5.3): layers of locally coupled oscillators. With
 * images of 32 x 32 pixels, the maps of the layers have 32 x 32, 16 x 16 and 8 x 8 positions. Further layers
 * keep the size of the third.
 */
export class RecognitionNetwork {
  readonly stem: Conv2d;
  readonly stepSize: Tensor;
  readonly blocks: readonly Block[];
  readonly out: Linear;
  readonly imageSize: Grid;
  readonly #steps: readonly number[];

  constructor(options: RecognitionNetworkOptions = {}) {
    const { classes = 10, channels = 64, layers = 3, stepSize = 1, norm = "batch", imageSize = 32 } = options;
    const { rotatingDimensions = 4, timesteps = 3, coupling = "convolution" } = options;
    const { kernels = [9, 7, 5], readoutComponents = 2, omega = { shared: true } } = options;
    const { readoutKernel = 3 } = options;
    checkOdd("recognition network: readoutKernel", readoutKernel);
    const padding = (readoutKernel - 1) / 2;
    const each = <T>(value: PerLayer<T>): readonly T[] => perLayer(value, layers);
    const [n, kernel, components, couplings] = [
      each(rotatingDimensions),
      each(kernels),
      each(readoutComponents),
      each(coupling),
    ];
    this.imageSize = gridOf(imageSize);
    this.#steps = each(timesteps);
    this.stem = new Conv2d(3, channels, 3, { padding: 1, bias: false });
    this.stepSize = parameter([1], fill(stepSize), { trainable: false });
    this.blocks = Array.from({ length: layers }, (_, layer): Block => {
      const width = channels * 2 ** layer;
      const connectivity: KuramotoCouplingOptions =
        couplings[layer] === "attention"
          ? { type: "attention", heads: 8 }
          : { type: "convolution", kernel: kernel[layer]! };
      return {
        transition:
          layer === 0
            ? undefined
            : new Conv2d(width / 2, width, readoutKernel, { stride: layer < 3 ? 2 : 1, padding }),
        kuramoto: new KuramotoLayer({
          ...options,
          channels: width,
          rotatingDimensions: n[layer]!,
          coupling: connectivity,
          omega,
        }),
        readout: new ReadOutBlock({
          channels: width,
          components: components[layer]!,
          kernel: readoutKernel,
          norm,
        }),
      };
    });
    this.out = new Linear(channels * 2 ** (layers - 1), classes);
  }

  /**
   * Makes the graph input for the initial oscillators. `batch` is the batch size: a number, or a name if it
   * may vary.
   */
  noiseInput(batch: Dim, name = NOISE): Tensor {
    return input(name, [batch, this.stem.outputs, ...this.imageSize]);
  }

  /** Writes the graph of the network. Throws `StriateError` if the images have the wrong shape. */
  forward({ images, noise }: RecognitionInputs, pass?: TrainingPass): RecognitionOutput {
    let [x, c] = [noise, this.#stimulus(images)];
    const layers = this.blocks.map(({ transition, kuramoto, readout }, layer) =>
      scope(`layer${layer}`, () => {
        if (transition !== undefined) [x, c] = [transition.forward(x), transition.forward(c)];
        const trace = kuramoto.forward(x, c, { steps: this.#steps[layer]!, stepSize: this.stepSize });
        x = trace.last;
        c = readout.forward(x, pass);
        return trace;
      }),
    );
    return { logits: this.#logits(c), layers };
  }

  /**
   * Writes the graph of one timestep of the layers, which run one after another, and of the logits of the
   * last layer.
   */
  step(images: Tensor): StepInTurn & Pick<RecognitionOutput, "logits"> {
    const { blocks } = this;
    const read = (layer: number, x: Tensor) =>
      scope(`layer${layer}`, () => blocks[layer]!.readout.forward(x));
    const step = stepInTurn(
      blocks.map(({ kuramoto, transition }, layer) => ({
        kuramoto,
        steps: this.#steps[layer]!,
        begin: (from) => {
          if (transition === undefined) return { x: from, c: this.#stimulus(images) };
          const c = read(layer - 1, from);
          return scope(`layer${layer}`, () => ({ x: transition.forward(from), c: transition.forward(c) }));
        },
      })),
      this.noiseInput(images.shape[0]!).shape,
      this.stepSize,
    );
    return { ...step, logits: this.#logits(read(blocks.length - 1, step.states.at(-1)!)) };
  }

  #stimulus(images: Tensor): Tensor {
    const { imageSize } = this;
    checkShape("images", images.shape, ["batch", 3, ...imageSize]);
    return scope("stem", () => this.stem.forward(sub(mul(images, 2), 1)));
  }

  #logits(c: Tensor): Tensor {
    return scope("out", () => this.out.forward(flatten(globalAveragePool(c))));
  }
}

/** Runs the network once with each of the noise inputs `noises` and averages the logits. */
export function ensembleLogits(
  network: RecognitionNetwork,
  images: Tensor,
  noises: readonly Tensor[],
): Tensor {
  const logits = noises.map((noise) => network.forward({ images, noise }).logits);
  return mul(
    logits.reduce((a, b) => add(a, b)),
    1 / logits.length,
  );
}

/**
 * Makes a list with one value for each layer: `value` itself if it is a list of that length, otherwise its
 * first element for every layer.
 */
function perLayer<T>(value: PerLayer<T>, layers: number): readonly T[] {
  const list = (Array.isArray(value) ? value : [value]) as readonly T[];
  return list.length === layers ? list : Array.from({ length: layers }, () => list[0]!);
}
