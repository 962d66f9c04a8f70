import type { Tensor } from "../../../graph/index.js";

/** What a coupling's pull on the oscillators depends on, besides their state. */
export interface FieldOptions {
  /** Components of an oscillator. */
  readonly n: number;
  /** Step size gamma, [1] or scalar. */
  readonly gain: Tensor | number;
  /** Omega, [channels, channels]. */
  readonly rotation: Tensor | undefined;
}

/** A coupling made ready for the maps of one layer call: what does not change over the steps is computed once. */
export interface CouplingField {
  /** The axis of a field that is the batch. */
  readonly batchAxis: 0 | 1;
  /** [batch, channels, ...space] as a field of four axes, the n components of an oscillator on axis 2. */
  toField(map: Tensor): Tensor;
  /** The way back. */
  toMap(field: Tensor): Tensor;
  /** gamma (Conn(x) + Omega x) without the coupling's bias. */
  coupledInput(field: Tensor): Tensor;
  /** The coupling's bias as something that adds to a field. */
  readonly bias: Tensor;
}

/** How oscillators act on each other: Conn of the generalised Kuramoto model. */
export interface Coupling {
  readonly channels: number;
  /** Throws `StriateError` where the maps do not fit the coupling. */
  field(map: Tensor, options: FieldOptions): CouplingField;
}
