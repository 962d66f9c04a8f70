/**
 * Draws phases, masks, feature maps, filters, Sudoku boards and calibration, in a browser and in Node,
 * without dependencies. Maps become RGBA pixels ({@link RgbaImage}, in the format of `new ImageData`). Line
 * drawings are made on a canvas context or, by `svg`, as SVG text. Arrays hold plain numbers in row-major
 * order; the documentation of each function gives their shapes.
 *
 * @module striate/draw
 */
export { StriateError } from "../util/errors.js";
export { distance, entry, hex, oklabToRgb, rgbToOklab } from "./colours/colour.js";
export type { Oklab, Rgb } from "./colours/colour.js";
export { componentColours } from "./colours/component-colours.js";
export { drawColourScale } from "./colours/colour-scale.js";
export type { ColourScaleOptions } from "./colours/colour-scale.js";
export { FONT } from "./context.js";
export type { DrawingContext } from "./context.js";
export { cssGradient, phaseColour, phaseIndex, TWO_HUE_CYCLE, UNIFORM_CYCLE } from "./colours/cyclic-maps.js";
export type { CyclicMap } from "./colours/cyclic-maps.js";
export { featureMaps, featureRanges } from "./feature-maps.js";
export type { FeatureMapOptions, FeatureMaps, ScaleOptions, ColourRange } from "./feature-maps.js";
export { filterMaps } from "./filter-maps.js";
export type { FilterMapOptions, Filters } from "./filter-maps.js";
export { imageGrid } from "./image-grid.js";
export type { GridOptions } from "./image-grid.js";
export { labelMap, labelsOfMasks, maskOverlay } from "./label-map.js";
export type { LabelMapOptions, LabelPlane, MaskOverlayOptions } from "./label-map.js";
export { matchLabels } from "./match-labels.js";
export { BACKGROUND, CATEGORICAL, IGNORED, labelColour, SHARED } from "./colours/palette.js";
export { phaseMap } from "./phase-map.js";
export type { PhaseLooks, PhaseMapOptions } from "./phase-map.js";
export { drawPhaseWheel } from "./phase-wheel.js";
export type { PhaseWheelOptions } from "./phase-wheel.js";
export { channelPhases, maximumAmplitude, meanPhases } from "./phases.js";
export type { MeanPhases, PhaseField, PhasePlane } from "./phases.js";
export { dotColour, drawPolarPlot, ORDER_RING, POLAR_RADIUS, POLAR_THRESHOLD } from "./polar-plot.js";
export type { PolarPlotOptions } from "./polar-plot.js";
export { drawReliabilityDiagram } from "./reliability-diagram.js";
export type { ReliabilityDiagramOptions } from "./reliability-diagram.js";
export { enlarge, fromRgb, overBackground } from "./rgba-image.js";
export type { MapSize, ReuseOptions, RgbaImage } from "./rgba-image.js";
export { DIVERGING, GREY, scalarColour, SEQUENTIAL } from "./colours/scalar-maps.js";
export type { ScalarMap } from "./colours/scalar-maps.js";
export { answerOpacity, drawSudokuBoard, sudokuConflicts } from "./sudoku-board.js";
export type { SudokuBoard, SudokuBoardOptions, SudokuColours } from "./sudoku-board.js";
export { svg } from "./svg.js";
export type { SvgOptions } from "./svg.js";
export { timeStrip } from "./time-strip.js";
export type { PhaseSeries, TimeStripOptions } from "./time-strip.js";
export { orderParameters } from "../metrics/order-parameter.js";
export type { OrderParameter, OrderParameterOptions } from "../metrics/order-parameter.js";
