import { fromData, torchDefault } from "../../nn/init.js";
import type { Tensor } from "../../graph/index.js";
import { conv, parameter, relu, scope } from "../../graph/index.js";
import type { KomplexNetConfig } from "./config.js";
import { FILTERS } from "./config.js";

/** Options of a bank of Gabor functions. Lengths are in pixels. */
export interface GaborOptions {
  /** Number of filters, with orientations k pi / filters for k from 0. Default 8. */
  readonly filters?: number;
  /** Side of the square filter, an odd number. Default 5. */
  readonly size?: number;
  /** Standard deviation of the Gaussian envelope across the stripes. Default 1.5. */
  readonly sigma?: number;
  readonly wavelength?: number;
  /** Ratio of the envelope's width across the stripes to its width along them. Default 0.5. */
  readonly aspect?: number;
  /** Phase of the carrier in radians. Default 0, which gives even filters. */
  readonly phase?: number;
}

/**
 * Computes Gabor functions of evenly spaced orientations, [filters, 1, size, size]. Each is scaled to unit L2
 * norm; its mean is not removed:
 *
 *     g = exp(-(x'^2 + gamma^2 y'^2) / (2 sigma^2)) cos(2 pi x' / lambda + psi)
 *     x' = x cos theta + y sin theta,  y' = -x sin theta + y cos theta,  theta = k pi / filters
 *
 * x runs along the width and y along the height; gamma is `aspect`, lambda `wavelength` and psi `phase`. The
 * authors' own filters are not public. The defaults were chosen because the authors' published coupling
 * kernels synchronise digits best with them.
 */
export function gaborBank(options: GaborOptions = {}): Float32Array {
  const { filters = FILTERS, size = 5, sigma = 1.5, wavelength = 4, aspect = 0.5, phase = 0 } = options;
  const bank = new Float32Array(filters * size * size);
  const reach = (size - 1) / 2;
  for (let k = 0; k < filters; k++) {
    const theta = (k * Math.PI) / filters;
    const values: number[] = [];
    for (let y = -reach; y <= reach; y++) {
      for (let x = -reach; x <= reach; x++) {
        const across = x * Math.cos(theta) + y * Math.sin(theta);
        const along = -x * Math.sin(theta) + y * Math.cos(theta);
        const envelope = Math.exp(-(across ** 2 + aspect ** 2 * along ** 2) / (2 * sigma ** 2));
        values.push(envelope * Math.cos((2 * Math.PI * across) / wavelength + phase));
      }
    }
    const norm = Math.hypot(...values);
    values.forEach((value, i) => (bank[k * size * size + i] = value / norm));
  }
  return bank;
}

/**
 * The real-valued front end. It computes amplitudes relu(W * image), where * is a convolution with 8 filters,
 * "same" padding and no bias.
 */
export class FrontEnd {
  readonly weight: Tensor;
  readonly #padding: number;

  constructor(config: Pick<KomplexNetConfig, "frontEnd" | "inChannels">, trainable: boolean) {
    const { frontEnd, inChannels } = config;
    const size = frontEnd === "gabor" ? 5 : 3;
    const initialiser = frontEnd === "gabor" ? fromData(repeatedBank(inChannels)) : torchDefault();
    this.weight = parameter([FILTERS, inChannels, size, size], initialiser, { trainable });
    this.#padding = (size - 1) / 2;
  }

  /**
   * Maps images [batch, inChannels, height, width] to amplitudes [batch, 8, height, width], which are 0 or
   * more.
   */
  amplitude(images: Tensor): Tensor {
    return scope("frontEnd", () => relu(conv(images, this.weight, undefined, { padding: this.#padding })));
  }
}

/** Repeats the filters for each input channel, so that the responses to red, green and blue are added. */
function repeatedBank(inChannels: number): Float32Array {
  const bank = gaborBank();
  const size = bank.length / FILTERS;
  return Float32Array.from({ length: bank.length * inChannels }, (_, i) => {
    const filter = Math.floor(i / (size * inChannels));
    return bank[filter * size + (i % size)]!;
  });
}
