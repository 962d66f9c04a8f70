import type { Initialiser, Tensor } from "../../graph/index.js";
import { parameter } from "../../graph/index.js";
import { fromData, uniform } from "../../nn/init.js";
import type { KomplexNetConfig } from "./config.js";

/**
 * Computes one plane, [size, size], of the default coupling: exp(-(r - mean)^2 / (2 deviation^2)), where r is
 * the distance from the centre in units of half the side. With the defaults, the plane is nearly flat: 1 at
 * the centre and 0.895 in the corners.
 */
export function gaussianCoupling(size = 13, mean = 0, deviation = 3): Float32Array {
  const position = (i: number) => (size === 1 ? -1 : -1 + (2 * i) / (size - 1));
  return Float32Array.from({ length: size * size }, (_, i) => {
    const r = Math.hypot(position(Math.floor(i / size)), position(i % size));
    return Math.exp(-((r - mean) ** 2) / (2 * deviation ** 2));
  });
}

/**
 * Makes the parameter K[to, from, dy, dx]: the strengths of the coupling from the oscillators "from" at
 * offset (dy, dx) to the oscillators "to".
 */
export function couplingParameter(config: KomplexNetConfig): Tensor {
  const { oscillators, coupling, kuramotoMode } = config;
  const shape = [oscillators, oscillators, coupling.size, coupling.size];
  return parameter(shape, couplingInitialiser(coupling), { trainable: kuramotoMode === "endtoend" });
}

function couplingInitialiser({
  kernel,
  size,
  mean,
  deviation,
  values,
}: KomplexNetConfig["coupling"]): Initialiser {
  if (kernel === "random") return uniform(0, 1);
  if (kernel === "learnt" && values) return fromData(values.data as Float32Array);
  return (shape, random) => {
    const plane = gaussianCoupling(size, mean, deviation);
    const pairs = shape[0]! * shape[1]!;
    const all = new Float32Array(pairs * plane.length);
    for (let pair = 0; pair < pairs; pair++) all.set(plane, pair * plane.length);
    return fromData(all)(shape, random);
  };
}
