/** Names of the networks that are trained from their beginning. */
export const BACKBONES = [
  "resnet18",
  "resnet34",
  "resnet50",
  "vgg11",
  "vgg13",
  "vgg16",
  "efficientnet-b0",
  "akorn",
] as const;

export type BackboneName = (typeof BACKBONES)[number];

/** Optimizers of a recipe. */
export const OPTIMIZERS = ["sgd", "adamw"] as const;
