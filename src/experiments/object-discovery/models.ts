/** The networks that are compared. */
export const MODELS = [
  "akorn-attn",
  "akorn-conv",
  "itrsa",
  "itrconv",
  "akorn-attn-2",
  "akorn-attn-large",
  "itrsa-2",
  "vit",
] as const;
export type ModelName = (typeof MODELS)[number];

export interface ModelDescription {
  readonly id: ModelName;
  readonly label: string;
  /** One line: what makes it different. */
  readonly description: string;
  readonly kind: "oscillators" | "iterative";
  readonly mixing: "attention" | "convolution";
  /** Where it is not the set's. */
  readonly layers?: number;
  readonly timesteps?: number;
  /** Times the set's. */
  readonly widening?: number;
}

const OSCILLATORS = "Kuramoto oscillators of 4 dimensions";

export const MODEL_TEXTS: Readonly<Record<ModelName, ModelDescription>> = {
  "akorn-attn": {
    id: "akorn-attn",
    label: "AKOrN (attn)",
    description: `${OSCILLATORS}, coupled by self-attention.`,
    kind: "oscillators",
    mixing: "attention",
  },
  "akorn-conv": {
    id: "akorn-conv",
    label: "AKOrN (conv)",
    description: `${OSCILLATORS}, coupled by a convolution.`,
    kind: "oscillators",
    mixing: "convolution",
  },
  itrsa: {
    id: "itrsa",
    label: "ItrSA",
    description: "The control: the same self-attention repeated with a residual, no oscillators.",
    kind: "iterative",
    mixing: "attention",
  },
  itrconv: {
    id: "itrconv",
    label: "own ItrConv",
    description: "The same convolution repeated with a residual. The authors' code for it is not public.",
    kind: "iterative",
    mixing: "convolution",
  },
  "akorn-attn-2": {
    id: "akorn-attn-2",
    label: "AKOrN (attn, L = 2)",
    description: `Two layers of ${OSCILLATORS}, coupled by self-attention.`,
    kind: "oscillators",
    mixing: "attention",
    layers: 2,
  },
  "akorn-attn-large": {
    id: "akorn-attn-large",
    label: "Large AKOrN (attn, L = 2)",
    description: "Two layers, twice as many channels.",
    kind: "oscillators",
    mixing: "attention",
    layers: 2,
    widening: 2,
  },
  "itrsa-2": {
    id: "itrsa-2",
    label: "ItrSA (L = 2)",
    description: "Two blocks of repeated self-attention.",
    kind: "iterative",
    mixing: "attention",
    layers: 2,
  },
  vit: {
    id: "vit",
    label: "ViT",
    description: "Eight blocks, each once. The depth is our choice: it is not published.",
    kind: "iterative",
    mixing: "attention",
    layers: 8,
    timesteps: 1,
  },
};
