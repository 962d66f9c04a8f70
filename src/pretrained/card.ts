/** Facts about a trained network that comes with Striate. A JSON file beside its weights has the same facts. */
export interface PretrainedCard {
  /** Name for `loadPretrained`. */
  readonly name: string;
  /** The published system, or the baseline of one. */
  readonly system: string;
  /** What the network does, in one sentence. */
  readonly summary: string;
  /** Source and required form of the input images. */
  readonly input: string;
  /** The command whose run trained the network. */
  readonly command: string;
  readonly seed: number;
  /** Number of images that were drawn for training. */
  readonly trainingImages: number;
  /** Figures that this run measured on held-out images. */
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
  /** Value in `unit`, such as percent. */
  readonly value: number;
  readonly unit: string;
  /** Number of images on which it was measured. */
  readonly images: number;
}
