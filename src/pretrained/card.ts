/** What is known of a trained network that comes with Striate. The same facts stand in a JSON file beside its weights. */
export interface PretrainedCard {
  /** What `loadPretrained` calls it. */
  readonly name: string;
  /** The published system, or the baseline of one. */
  readonly system: string;
  /** What the network does, in one sentence. */
  readonly summary: string;
  /** Where its pixels come from and what they must be like. */
  readonly input: string;
  /** The command whose run trained it. */
  readonly command: string;
  readonly seed: number;
  /** Images that training drew. */
  readonly trainingImages: number;
  /** Measured by that run on images which training never saw. */
  readonly figures: readonly PretrainedFigure[];
  /** Of the weights, and whose data they were trained on. */
  readonly licence: string;
  /** The file in the folder `pretrained/` of the package. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** One measured figure of a trained network. */
export interface PretrainedFigure {
  readonly name: string;
  /** In `unit`, such as percent. */
  readonly value: number;
  readonly unit: string;
  /** Number of images that it was measured on. */
  readonly images: number;
}
