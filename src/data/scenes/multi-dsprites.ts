import { checkWhole } from "../../util/check.js";
import { StriateError } from "../../util/errors.js";
import { Random } from "../../util/random.js";
import type { SegmentedScenes } from "./segmented-scenes.js";
import type { GeneratedScenesOptions } from "./tetrominoes.js";

const SIZE = 64;
/** Side in pixels of a square of scale 1. */
const SIDE = 22;
const MOST_SPRITES = 5;
const SCALES = 6;
const ORIENTATIONS = 40;
const POSITIONS = 32;
/**
 * The centres of sprites lie in the middle half of the image, so that every sprite fits in any orientation.
 */
const [FIRST_CENTRE, LAST_CENTRE] = [SIZE / 4, (3 * SIZE) / 4] as const;
const TRIES = 100;

/**
 * For each shape, a test whether a point is inside it. In these coordinates x points to the right and y down,
 * and the square reaches from -1 to 1.
 */
const SHAPES: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => Math.abs(x) <= 1 && Math.abs(y) <= 1,
  (x, y) => (x / 0.7) ** 2 + (y / 1.2) ** 2 <= 1,
  heart,
];
/** Largest distance of a point of any shape from the shape's centre. */
const REACH = Math.SQRT2;

/**
 * Whether a point is inside the heart curve (x^2 + y^2 - 1)^3 = x^2 y^3, with the cusp at the top, scaled by
 * 1 / 1.15 and centred.
 */
function heart(x: number, y: number): boolean {
  const u = 1.15 * x;
  const v = 0.12 - 1.15 * y;
  return (u * u + v * v - 1) ** 3 <= u * u * v ** 3;
}

/**
 * Makes scenes like those of multi-dSprites in its variant with coloured sprites on grey (Kabra et al. 2019,
 * Multi-Object Datasets). An image has 64 x 64 pixels and two to five sprites (squares, ellipses and hearts)
 * on a uniform grey, with 6 scales from 0.5 to 1, 40 orientations and 32 x 32 positions. Later sprites hide
 * earlier ones, but every sprite has at least one visible pixel. Sprites are drawn without antialiasing. The
 * distribution of colours is not published; here hues are uniform, and saturation and value are uniform in
 * [0.5, 1]. Scene i depends only on the random seed, the stream and i.
 *
 * @throws StriateError for an invalid count.
 */
export function multiDsprites(options: GeneratedScenesOptions): SegmentedScenes {
  const { count, seed, stream = "train" } = options;
  checkWhole("multi-dSprites: count", count);
  const plane = SIZE * SIZE;
  const images = new Uint8Array(count * 3 * plane);
  const labels = new Int8Array(count * plane);
  const colours = new Uint8Array(3 * (MOST_SPRITES + 1));
  for (let n = 0; n < count; n++) {
    const random = Random.derive(seed, "multi-dsprites", stream, n);
    const map = labels.subarray(n * plane, (n + 1) * plane);
    drawScene(map, colours, random);
    for (let c = 0; c < 3; c++) {
      const to = (3 * n + c) * plane;
      for (let i = 0; i < plane; i++) images[to + i] = colours[3 * map[i]! + c]!;
    }
  }
  return { name: `multi-dSprites ${stream}`, count, size: SIZE, objects: MOST_SPRITES, images, labels };
}

function drawScene(map: Int8Array, colours: Uint8Array, random: Random): void {
  for (let tries = 0; tries < TRIES; tries++) {
    map.fill(0);
    const sprites = random.integer(2, MOST_SPRITES + 1);
    colours.fill(random.integer(0, 256), 0, 3);
    for (let label = 1; label <= sprites; label++) {
      drawSprite(map, label, random);
      writeHsv(colours, 3 * label, random.uniform(), 0.5 + random.uniform() / 2, 0.5 + random.uniform() / 2);
    }
    const visible = new Set(map);
    visible.delete(0);
    if (visible.size === sprites) return;
  }
  throw new StriateError(`multi-dSprites: a sprite was hidden in each of ${TRIES} attempts`);
}

function drawSprite(map: Int8Array, label: number, random: Random): void {
  const inside = SHAPES[random.integer(0, SHAPES.length)]!;
  const scale = 0.5 + (0.5 * random.integer(0, SCALES)) / (SCALES - 1);
  const angle = (2 * Math.PI * random.integer(0, ORIENTATIONS)) / (ORIENTATIONS - 1);
  const place = () =>
    FIRST_CENTRE + ((LAST_CENTRE - FIRST_CENTRE) * random.integer(0, POSITIONS)) / (POSITIONS - 1);
  const [centreX, centreY] = [place(), place()];
  const half = (scale * SIDE) / 2;
  const [cos, sin] = [Math.cos(angle) / half, Math.sin(angle) / half];
  const reach = REACH * half;
  const [top, bottom] = [Math.floor(centreY - reach), Math.ceil(centreY + reach)];
  const [left, right] = [Math.floor(centreX - reach), Math.ceil(centreX + reach)];
  for (let y = Math.max(0, top); y < Math.min(SIZE, bottom); y++) {
    for (let x = Math.max(0, left); x < Math.min(SIZE, right); x++) {
      const [dx, dy] = [x + 0.5 - centreX, y + 0.5 - centreY];
      if (inside(cos * dx + sin * dy, cos * dy - sin * dx)) map[y * SIZE + x] = label;
    }
  }
}

/** Writes the bytes of a colour in HSV coordinates; hue, saturation and value are from 0 to 1. */
function writeHsv(out: Uint8Array, at: number, hue: number, saturation: number, value: number): void {
  for (const [c, offset] of [5, 3, 1].entries()) {
    const k = (offset + 6 * hue) % 6;
    out[at + c] = Math.round(255 * value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1))));
  }
}
