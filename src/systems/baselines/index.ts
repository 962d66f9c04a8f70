/**
 * Reference networks of any width, with torchvision's structure and parameter names. They can be trained.
 *
 * @module striate/baselines
 */
export * from "./classification-task.js";
export * from "./efficientnet.js";
export * from "./resnet.js";
export * from "./vgg.js";
