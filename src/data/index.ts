export { augMix } from "./augmentation/aug-mix.js";
export { jitterColours } from "./augmentation/colour.js";
export type { ColourJitter } from "./augmentation/colour.js";
export * from "./augmentation/flip-and-move.js";
export { mixBatch } from "./augmentation/mix.js";
export type { MixOptions } from "./augmentation/mix.js";
export { randAugment } from "./augmentation/rand-augment.js";
export type { RandAugmentOptions } from "./augmentation/rand-augment.js";
export { drawCrop, randomResizedCrop } from "./augmentation/random-crop.js";
export type { Box, CropRanges } from "./augmentation/random-crop.js";
export { simclrView, simclrViews } from "./augmentation/simclr.js";
export type { SimclrOptions } from "./augmentation/simclr.js";
export { strongAugmentation } from "./augmentation/strong.js";
export * from "./scenes/backgrounds.js";
export * from "./batches.js";
export { IMAGENET_CLASSES, parseClassNames } from "./images/class-names.js";
export type { ClassName, ClassOrder } from "./images/class-names.js";
export * from "./dataset.js";
export * from "./scenes/digit-images.js";
export { fetchMnist } from "./sets/fetch-mnist.js";
export type { FetchMnistOptions } from "./sets/fetch-mnist.js";
export type { ClassOptions, ImageFolderOptions } from "./images/sources/image-folder.js";
export { idxDigits, parseIdx } from "./formats/idx.js";
export type { IdxArray, IdxOptions, IdxPair } from "./formats/idx.js";
export * from "./images/image-source.js";
export { imageFiles, imagesFromFiles } from "./images/sources/images-from-files.js";
export type {
  ImagesFromFiles,
  ImagesFromFilesOptions,
  PictureFile,
} from "./images/sources/images-from-files.js";
export type { MnistPart } from "./sets/mnist-files.js";
export { multiDsprites } from "./scenes/multi-dsprites.js";
export * from "./scenes/multi-mnist.js";
export * from "./noise.js";
export { parseNpy } from "./formats/npy.js";
export type { NpyArray } from "./formats/npy.js";
export * from "./prefetch.js";
export { imageBatch, imageData, pictureOf, prepareImages } from "./images/prepared-images.js";
export type { PrepareOptions, PreparedImages } from "./images/prepared-images.js";
export * from "./images/preprocessing.js";
export * from "./images/resize.js";
export { splitByName } from "./images/split-by-name.js";
export type { ImageTransform } from "./images/transform.js";
export { transformImage } from "./images/transform.js";
export { centreCrop, checkImage, crop } from "./images/rgb-image.js";
export type { RgbImage } from "./images/rgb-image.js";
export type { MaskSampling, SceneCanvas } from "./scenes/scene-render.js";
export { writeSceneImage, writeSceneMasks } from "./scenes/scene-render.js";
export { overlapRatio, type OverlapRule, type PlacedDigit } from "./scenes/scene-placement.js";
export * from "./scenes/segmented-scenes.js";
export { SHAPE_TEMPLATES, renderShapes, shapesScenes } from "./scenes/shapes.js";
export type { ShapesDraw, ShapesScene } from "./scenes/shapes.js";
export * from "./shifts.js";
export { checkBoard, checkSolution, formatBoard, givensOf, parseBoard } from "./sudoku/boards.js";
export type { Boards } from "./sudoku/boards.js";
export { SUDOKU_GIVENS, generateSudoku } from "./sudoku/generator.js";
export type { GenerateSudokuOptions } from "./sudoku/generator.js";
export { solutionsOf } from "./sudoku/solver.js";
export { drawSymmetry, transformBoard } from "./sudoku/symmetry.js";
export type { Symmetry } from "./sudoku/symmetry.js";
export {
  placeTetrominoes,
  TETROMINOES,
  TETROMINO_COLOURS,
  tetrominoes,
  tetrominoScene,
} from "./scenes/tetrominoes.js";
export type { GeneratedScenesOptions, PlacedTetromino } from "./scenes/tetrominoes.js";
