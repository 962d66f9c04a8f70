/**
 * Reference networks, laid out and named as torchvision's, trainable here, of any width.
 *
 * @module striate/baselines
 */
export * from "./classification-task.js";
export * from "./efficientnet.js";
export * from "./resnet.js";
export * from "./vgg.js";
