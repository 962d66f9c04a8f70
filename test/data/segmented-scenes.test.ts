import { describe, expect, it } from "vitest";
import { multiDsprites } from "../../src/data/scenes/multi-dsprites.js";
import {
  sceneLabels,
  scenePicture,
  scenePictures,
  segmentedScenes,
  sliceScenes,
} from "../../src/data/scenes/segmented-scenes.js";
import type { SegmentedScenes } from "../../src/data/scenes/segmented-scenes.js";
import { renderShapes, shapesScenes } from "../../src/data/scenes/shapes.js";
import { TETROMINOES, TETROMINO_COLOURS, tetrominoes } from "../../src/data/scenes/tetrominoes.js";

const generators = [
  ["Tetrominoes", tetrominoes, 32, 3],
  ["multi-dSprites", multiDsprites, 64, 5],
  ["Shapes", shapesScenes, 40, 4],
] as const;

/** Pixels of an object. */
function pixelsOf(labels: ArrayLike<number>, object: number): number[] {
  return Array.from(labels).flatMap((label, i) => (label === object ? [i] : []));
}

describe.each(generators)("procedural %s", (name, generate, size, objects) => {
  it("follows from seed, stream and number alone", () => {
    const scenes = generate({ count: 4, seed: 7 });
    expect(scenes).toMatchObject({ name: `${name} train`, count: 4, size, objects });
    // Vitest's own comparison takes seconds for a million bytes.
    const images = (of: SegmentedScenes) => Buffer.from(of.images).toString("base64");
    const labels = (of: SegmentedScenes) => Buffer.from(of.labels).toString("base64");
    const again = generate({ count: 4, seed: 7 });
    expect([images(again), labels(again)]).toEqual([images(scenes), labels(scenes)]);
    expect(images(generate({ count: 2, seed: 7 }))).toBe(images(sliceScenes(scenes, 0, 2)));
    expect(images(generate({ count: 4, seed: 8 }))).not.toBe(images(scenes));
    expect(labels(generate({ count: 4, seed: 7, stream: "test" }))).not.toBe(labels(scenes));
    expect(segmentedScenes(scenes).count).toBe(4);
    expect(() => generate({ count: 0, seed: 7 })).toThrow(
      `${name}: count: expected a whole number of at least 1, got 0`,
    );
  });
});

describe("Tetrominoes", () => {
  it("has 17 pieces of four connected cells, all different", () => {
    expect(TETROMINOES).toHaveLength(17);
    expect(new Set(TETROMINOES.map((rows) => rows.join("/"))).size).toBe(17);
    for (const rows of TETROMINOES) {
      expect(rows.join("").replaceAll(" ", "")).toBe("####");
      expect(new Set(rows.map((row) => row.length)).size).toBe(1);
      expect(`${rows[0]!}${rows.at(-1)!}`).toMatch(/#.*#/);
    }
  });

  it("shows three whole pieces in full colours on black, all pieces and colours as often", () => {
    const COUNT = 600;
    const scenes = tetrominoes({ count: COUNT, seed: 1 });
    const colours = new Map<string, number>();
    const shapes = new Map<string, number>();
    let strange = 0;
    for (let n = 0; n < COUNT; n++) {
      const labels = sceneLabels(scenes, n);
      const { data } = scenePicture(scenes, n);
      const colourAt = (i: number) =>
        `${data[3 * i]! / 255},${data[3 * i + 1]! / 255},${data[3 * i + 2]! / 255}`;
      for (const i of pixelsOf(labels, 0)) if (colourAt(i) !== "0,0,0") strange++;
      for (let object = 1; object <= 3; object++) {
        const pixels = pixelsOf(labels, object);
        const colour = colourAt(pixels[0]!);
        if (pixels.some((i) => colourAt(i) !== colour)) strange++;
        colours.set(colour, (colours.get(colour) ?? 0) + 1);
        // Cells of 5 pixels; the first row and column and the last two are cut off.
        const cell = (pixel: number) => Math.floor((pixel + 1) / 5);
        const cells = [...new Set(pixels.map((i) => 10 * cell(Math.floor(i / 32)) + cell(i % 32)))];
        if (cells.length !== 4) strange++;
        const top = Math.min(...cells.map((at) => Math.floor(at / 10)));
        const left = Math.min(...cells.map((at) => at % 10));
        const shape = cells
          .map((at) => at - 10 * top - left)
          .sort((x, y) => x - y)
          .join();
        shapes.set(shape, (shapes.get(shape) ?? 0) + 1);
      }
    }
    expect(strange).toBe(0);
    expect(new Set(colours.keys())).toEqual(new Set(TETROMINO_COLOURS.map((colour) => colour.join())));
    for (const seen of colours.values()) expect(Math.abs(seen / (3 * COUNT) - 1 / 6)).toBeLessThan(0.04);
    expect(shapes.size).toBe(17);
    // Pieces that need more room are refused more often.
    for (const seen of shapes.values()) expect(Math.abs(seen / (3 * COUNT) - 1 / 17)).toBeLessThan(0.03);
  });

  it("makes a thousand scenes in far less than a second", () => {
    const before = process.cpuUsage();
    tetrominoes({ count: 1000, seed: 2 });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(0.5);
  });
});

describe("multi-dSprites", () => {
  it("shows two to five sprites of one colour each on grey, every one visible and whole", () => {
    const COUNT = 100;
    const scenes = multiDsprites({ count: COUNT, seed: 1 });
    const counts = new Map<number, number>();
    let strange = 0;
    for (let n = 0; n < COUNT; n++) {
      const labels = sceneLabels(scenes, n);
      const { data } = scenePicture(scenes, n);
      const sprites = Math.max(...labels);
      counts.set(sprites, (counts.get(sprites) ?? 0) + 1);
      const colourAt = (i: number) => data.subarray(3 * i, 3 * i + 3).join();
      for (let object = 0; object <= sprites; object++) {
        const pixels = pixelsOf(labels, object);
        if (new Set(pixels.map(colourAt)).size !== 1) strange++;
        if (object === 0 && new Set(colourAt(pixels[0]!).split(",")).size !== 1) strange++;
      }
      labels.forEach((label, i) => {
        const border = i < 64 || i % 64 === 0 || i % 64 === 63 || i >= 63 * 64;
        if (border && label !== 0) strange++;
      });
    }
    expect(strange).toBe(0);
    expect([...counts.keys()].sort()).toEqual([2, 3, 4, 5]);
    for (const seen of counts.values()) expect(seen / COUNT).toBeGreaterThan(0.15);
  });
});

describe("Shapes", () => {
  it("marks what shapes share, in classes and instances", () => {
    const square = { id: 2, row: 3, column: 4 };
    const { image, classes, instances } = renderShapes({ background: 0.25, shapes: [square, square] });
    expect(new Set(classes)).toEqual(new Set([0, -1]));
    expect(instances).toEqual(classes);
    expect(new Set(image)).toEqual(new Set([0.25, 1]));
    expect(() => renderShapes({ background: 0, shapes: [{ ...square, id: 5 }] })).toThrow(
      "expected shapes 1 to 4, got 5",
    );
    expect(() => renderShapes({ background: 0, shapes: [{ ...square, row: 23 }] })).toThrow(
      "Shapes: row and column: expected whole numbers from 0 to 22, got 23 at position 0",
    );
  });

  it("has two to four white shapes on a grey from 0.1 to 0.6", () => {
    const scenes = shapesScenes({ count: 100, seed: 1 });
    const most = new Set<number>();
    let strange = 0;
    for (let n = 0; n < scenes.count; n++) {
      const labels = sceneLabels(scenes, n);
      const { data } = scenePicture(scenes, n);
      most.add(Math.max(...labels));
      labels.forEach((label, i) => {
        const grey = data[3 * i]!;
        if (label === 0 ? grey < 25 || grey > 153 : grey !== 255) strange++;
      });
    }
    expect(strange).toBe(0);
    expect(most).toEqual(new Set([2, 3, 4]));
  });
});

describe("scenes", () => {
  const images = Uint8Array.from({ length: 2 * 3 * 4 }, (_, i) => 10 * i);
  const labels = Int8Array.from([0, 1, 2, -1, 0, 0, 0, 0]);
  const parts = { name: "mine", size: 2, objects: 2, images, labels };
  const scenes: SegmentedScenes = segmentedScenes(parts);

  it("give images pixel by pixel, or as numbers plane by plane", () => {
    expect(scenes.count).toBe(2);
    expect([...scenePicture(scenes, 1).data]).toEqual([
      120, 160, 200, 130, 170, 210, 140, 180, 220, 150, 190, 230,
    ]);
    const numbers = scenePictures(scenes, [1, 0]);
    expect([...numbers]).toEqual(
      [...images.subarray(12), ...images.subarray(0, 12)].map((v) => Math.fround(v / 255)),
    );
    expect([...sceneLabels(scenes, 0)]).toEqual([0, 1, 2, -1]);
    expect(sliceScenes(scenes, 1)).toMatchObject({ count: 1, images: images.subarray(12) });
  });

  it("are refused when their parts do not fit", () => {
    expect(() => segmentedScenes({ ...parts, labels: labels.subarray(0, 7) })).toThrow(
      "mine: expected masks of 2 x 2 for 2 images of that size, together 8 labels, got 7",
    );
    expect(() => segmentedScenes({ ...parts, images: images.subarray(1) })).toThrow(
      "expected whole images of 3 x 2 x 2 bytes",
    );
    expect(() => segmentedScenes({ ...parts, objects: 1 })).toThrow(
      "mask 0: expected labels from -1 to 1, got 2",
    );
    expect(() => segmentedScenes({ ...parts, size: 1.5 })).toThrow(
      "mine: size: expected a whole number of at least 1, got 1.5",
    );
    expect(() => scenePicture(scenes, 2)).toThrow(
      "mine: sample numbers: expected whole numbers from 0 to 1, got 2 at position 0",
    );
    expect(() => sliceScenes(scenes, 1, 3)).toThrow(
      "mine: scenes: expected 0 <= start <= end <= 2, got 1 and 3",
    );
    expect(() => scenePictures(scenes, [0], new Float32Array(11))).toThrow("expected room for 12 numbers");
  });
});
