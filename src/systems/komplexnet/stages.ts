import type { Tensor } from "../../graph/index.js";
import { flatten, scope } from "../../graph/index.js";
import type { Complex, Polar } from "./complex-layers.js";
import { ComplexConv, ComplexLinear, ComplexReadout } from "./complex-layers.js";
import type { KomplexNetConfig } from "./config.js";

/** Outputs of the complex layers at one timestep. */
export interface StageOutputs {
  /** Output of the complex convolution, [batch, channels, imageSize / 2, imageSize / 2]. */
  readonly convolution: Polar;
  /** Output of the complex hidden layer, [batch, hidden]. */
  readonly hidden: Polar;
  /** Output of the complex read-out, [batch, classes]. Its magnitudes may be negative. */
  readonly readout: Polar;
  /** [batch, classes]. */
  readonly logits: Tensor;
}

/**
 * The complex layers of the network, which follow the phases: a complex convolution of stride 2, a complex
 * hidden layer, a complex read-out, and the logits.
 */
export class ComplexStages {
  readonly convolution: ComplexConv;
  readonly hidden: ComplexLinear;
  readonly readout: ComplexReadout;

  constructor(config: KomplexNetConfig, inChannels: number) {
    const { channels, hidden, classes, imageSize, biases, singularGradients } = config;
    const common = { biases, singularGradients };
    this.convolution = new ComplexConv({
      ...common,
      inChannels,
      outChannels: channels,
      stride: 2,
      padding: 1,
    });
    const inFeatures = channels * Math.ceil(imageSize / 2) ** 2;
    this.hidden = new ComplexLinear({ ...common, inFeatures, outFeatures: hidden });
    this.readout = new ComplexReadout({ ...common, inFeatures: hidden, outFeatures: classes });
  }

  /**
   * Computes the outputs of all complex layers.
   *
   * @param chi `convolution.map.forward(z.magnitude)`, if it is already known
   */
  forward(z: Complex, chi?: Tensor): StageOutputs {
    const convolution = scope("convolution", () => this.convolution.forward(z, chi));
    const hidden = scope("hidden", () => this.hidden.forward(flat(convolution)));
    const { logits, complex: readout } = scope("readout", () => this.readout.forward(hidden));
    return { convolution, hidden, readout, logits };
  }
}

function flat(z: Complex): Complex {
  return { real: flatten(z.real), imaginary: flatten(z.imaginary), magnitude: flatten(z.magnitude) };
}
