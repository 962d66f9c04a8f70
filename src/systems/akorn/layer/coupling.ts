import type { Tensor } from "../../../graph/index.js";

/** What a coupling needs in addition to the oscillators. */
export interface FieldOptions {
  /** Number of components of an oscillator. */
  readonly n: number;
  /** Step size gamma, a number or a tensor [1]. */
  readonly gain: Tensor | number;
  /** Omega as a matrix [channels, channels]; undefined if there are no natural frequencies. */
  readonly rotation: Tensor | undefined;
}

/**
 * A coupling that has been prepared for one call of a layer. Values that do not change over the steps are
 * already computed.
 */
export interface CouplingField {
  /** The axis of a field that is the batch. */
  readonly batchAxis: 0 | 1;
  /**
   * Converts a map [batch, channels, ...space] to a field, which has four axes and the n components of each
   * oscillator on axis 2.
   */
  toField(map: Tensor): Tensor;
  /** Converts a field back to a map [batch, channels, ...space]. */
  toMap(field: Tensor): Tensor;
  /** Computes gamma (Conn(x) + Omega x) for a field x, without the coupling's bias. */
  coupledInput(field: Tensor): Tensor;
  /** The coupling's bias, in a shape that broadcasts to a field. */
  readonly bias: Tensor;
}

/** The coupling between oscillators: Conn of the generalised Kuramoto model. */
export interface Coupling {
  readonly channels: number;
  /**
   * Prepares the coupling for one call with maps like `map`. Throws `StriateError` if the map does not fit
   * the coupling.
   */
  field(map: Tensor, options: FieldOptions): CouplingField;
}
