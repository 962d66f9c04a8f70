import { checkEveryWhole, checkWhole } from "../../util/check.js";
import { check } from "../../util/errors.js";
import { Random } from "../../util/random.js";
import type { SegmentedScenes } from "./segmented-scenes.js";
import type { GeneratedScenesOptions } from "./tetrominoes.js";

const SIZE = 40;
const PLANE = SIZE * SIZE;
/** Side of a template in pixels. */
const SIDE = 18;
const CENTRE = 8;
const MOST_SHAPES = 4;
const HIGHEST_CORNER = SIZE - SIDE;

/**
 * For each of the hollow shapes (triangle, square, ring, diamond): whether the template's pixel (row, column)
 * is drawn.
 */
const INSIDE: readonly ((row: number, column: number) => boolean)[] = [
  (row, column) => triangle(row, column, 4, 11) && !triangle(row, column, 6, 9),
  (row, column) => within(row, column, 3, 12) && !within(row, column, 5, 10),
  (row, column) => disc(row, column, 7) && !disc(row, column, 5),
  (row, column) => diamond(row, column, 6) && !diamond(row, column, 4),
];

function triangle(row: number, column: number, top: number, bottom: number): boolean {
  return row >= top && row <= bottom && Math.abs(column - CENTRE) <= row - top;
}

function within(row: number, column: number, low: number, high: number): boolean {
  return row >= low && row <= high && column >= low && column <= high;
}

function disc(row: number, column: number, radius: number): boolean {
  return (row - CENTRE) ** 2 + (column - CENTRE) ** 2 < radius ** 2;
}

function diamond(row: number, column: number, radius: number): boolean {
  return Math.abs(row - CENTRE) + Math.abs(column - CENTRE) <= radius;
}

/** The four templates, each `[18, 18]` with values 0 and 1. */
export const SHAPE_TEMPLATES: readonly Uint8Array[] = INSIDE.map((inside) =>
  Uint8Array.from({ length: SIDE * SIDE }, (_, i) => (inside(Math.floor(i / SIDE), i % SIDE) ? 1 : 0)),
);

/** The random choices of one scene. */
export interface ShapesDraw {
  /** Grey value of the background, 0 to 1. */
  readonly background: number;
  readonly shapes: readonly {
    /** Kind of shape: 1 triangle, 2 square, 3 ring, 4 diamond. */
    readonly id: number;
    /** Upper left corner of the template, 0 to 22 pixels. */
    readonly row: number;
    readonly column: number;
  }[];
}

/** An image of simple shapes, with the shape to which each pixel belongs. */
export interface ShapesScene {
  /** Grey image `[40, 40]`, 0 to 1. */
  readonly image: Float64Array;
  /**
   * The kind of shape at each pixel, `[40, 40]`: 0 for the background, 1 to 4 for a shape, -1 for a pixel at
   * which shapes overlap.
   */
  readonly classes: Int8Array;
  /** The same as `classes`, but with the shape's number in the scene (counted from 1) instead of its kind. */
  readonly instances: Int8Array;
}

/** Draws a scene. Throws `StriateError` for shapes that do not exist or do not fit into the image. */
export function renderShapes({ background, shapes }: ShapesDraw): ShapesScene {
  const image = new Float64Array(PLANE).fill(background);
  const classes = new Int8Array(PLANE);
  const instances = new Int8Array(PLANE);
  for (const [i, { id, row, column }] of shapes.entries()) {
    const template = SHAPE_TEMPLATES[id - 1];
    check(template, () => `Shapes: expected shapes 1 to ${SHAPE_TEMPLATES.length}, got ${id}`);
    checkEveryWhole("Shapes: row and column", [row, column], { from: 0, to: HIGHEST_CORNER });
    for (let pixel = 0; pixel < template.length; pixel++) {
      if (template[pixel] === 0) continue;
      const at = (row + Math.floor(pixel / SIDE)) * SIZE + column + (pixel % SIDE);
      const free = instances[at] === 0;
      image[at] = 1;
      classes[at] = free ? id : -1;
      instances[at] = free ? i + 1 : -1;
    }
  }
  return { image, classes, instances };
}

/**
 * Makes scenes of the Shapes set (Reichert & Serre 2014), as Loewe et al. 2022 and the authors of AKOrN make
 * them. An image has 40 x 40 pixels, three equal channels, and two to four white hollow shapes on a uniform
 * grey between 0.1 and 0.6. Pixels at which shapes overlap have the label -1, which metrics ignore. Scene i
 * depends only on the random seed, the stream and i.
 *
 * @throws StriateError for an invalid count.
 */
export function shapesScenes(options: GeneratedScenesOptions): SegmentedScenes {
  const { count, seed, stream = "train" } = options;
  checkWhole("Shapes: count", count);
  const images = new Uint8Array(count * 3 * PLANE);
  const labels = new Int8Array(count * PLANE);
  for (let n = 0; n < count; n++) {
    const { image, instances } = renderShapes(drawShapes(Random.derive(seed, "shapes", stream, n)));
    labels.set(instances, n * PLANE);
    const grey = Uint8Array.from(image, (value) => 255 * value);
    for (let c = 0; c < 3; c++) images.set(grey, (3 * n + c) * PLANE);
  }
  return { name: `Shapes ${stream}`, count, size: SIZE, objects: MOST_SHAPES, images, labels };
}

function drawShapes(random: Random): ShapesDraw {
  const background = random.uniformRange(0.1, 0.6);
  const count = random.integer(2, MOST_SHAPES + 1);
  const shapes = Array.from({ length: count }, () => ({
    id: random.integer(1, SHAPE_TEMPLATES.length + 1),
    row: random.integer(0, HIGHEST_CORNER + 1),
    column: random.integer(0, HIGHEST_CORNER + 1),
  }));
  return { background, shapes };
}
