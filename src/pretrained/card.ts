/**
 * Facts about a trained network that comes with Striate. A JSON file beside the weights contains the same
 * facts.
 */
export interface PretrainedCard {
  /** The name to pass to `loadPretrained`. */
  readonly name: string;
  /** The published system that the network implements or to which it is a baseline. */
  readonly system: string;
  /** What the network does, in one sentence. */
  readonly summary: string;
  /** The form that the input must have: shape, range of values, and appearance. */
  readonly input: string;
  /** The command whose run trained the network. */
  readonly command: string;
  readonly seed: number;
  /** Number of training samples (images or Sudoku boards), counted again each time that one is used. */
  readonly trainingImages: number;
  /** Figures that the training run measured on held-out samples. */
  readonly figures: readonly PretrainedFigure[];
  /** Licence of the weights, and the licence and source of the training data. */
  readonly licence: string;
  /** Name of the file in the package's folder `pretrained/`. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A measured figure of a trained network. */
export interface PretrainedFigure {
  readonly name: string;
  /** Value in the unit given by `unit`, such as percent. */
  readonly value: number;
  readonly unit: string;
  /** Number of images or Sudoku boards on which it was measured. */
  readonly images: number;
}
