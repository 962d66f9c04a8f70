import type { TensorData } from "../../../graph/index.js";
import type { ViewingGeometry } from "../v1/receptive-fields.js";
import type { CentreSurround } from "./gaussians.js";
import { centreSurround, centreSurroundKernels, poolKernels, poolWindow } from "./gaussians.js";
import type { Opponency, Pathway } from "./pathways.js";
import { PATHWAY_CONSTANTS, opponenciesOf, pathwaySizes } from "./pathways.js";

/** The Gaussians of a pathway in images of a given size and visual angle. */
export interface PathwayKernels {
  readonly pathway: Pathway;
  readonly cells: readonly Opponency[];
  readonly field: CentreSurround;
  /** The pool of the contrast normalisation along one axis. */
  readonly poolWindow: Float64Array;
}

/** Computes the Gaussians of a pathway with `cells` cells. Throws `StriateError` if the geometry is invalid. */
export function pathwayKernels(pathway: Pathway, cells: number, geometry: ViewingGeometry): PathwayKernels {
  const sizes = pathwaySizes(pathway, geometry);
  return {
    pathway,
    cells: opponenciesOf(pathway, cells),
    field: centreSurround(sizes, PATHWAY_CONSTANTS[pathway].ratio),
    poolWindow: poolWindow(sizes.poolRadius, sizes.pool),
  };
}

/** The tensors of a pathway, by the authors' names. Those of the contrast normalisation may be missing. */
export interface PathwayTensors<T> {
  /** Kernels of the cells, [cells, colours, side, side]. */
  readonly dog: T;
  /** Factor of the responses, [1, cells, 1, 1]. */
  readonly kExc: T;
  /** Pool of the contrast normalisation, [cells, 1, side, side]. */
  readonly pool?: T | undefined;
  /** Semi-saturation of the contrast normalisation, [1, cells, 1, 1]. */
  readonly c50?: T | undefined;
  /** Exponent of the contrast normalisation, [1, cells, 1, 1]. */
  readonly n?: T | undefined;
}

/** The tensors of a pathway with contrast normalisation. */
export type CompleteTensors = { readonly [K in keyof PathwayTensors<TensorData>]-?: TensorData };

/** The tensors of a pathway as the authors' code stores them, computed from its Gaussians. */
export function tensorsOf(kernels: PathwayKernels, colours: number): CompleteTensors {
  const { pathway, cells, field } = kernels;
  const { semiSaturation, exponent, gain } = PATHWAY_CONSTANTS[pathway];
  const repeated = (value: number): TensorData => ({
    dtype: "float32",
    shape: [1, cells.length, 1, 1],
    data: new Float32Array(cells.length).fill(value),
  });
  return {
    dog: centreSurroundKernels(field, cells, colours),
    kExc: repeated(gain),
    pool: poolKernels(kernels.poolWindow, cells.length),
    c50: repeated(semiSaturation),
    n: repeated(exponent),
  };
}
