import { describe, expect, it } from "vitest";
import {
  DIVERGING,
  drawColourScale,
  entry,
  featureMaps,
  featureRanges,
  filterMaps,
  GREY,
  imageGrid,
  scalarColour,
  SEQUENTIAL,
  svg,
} from "../../src/draw/index.js";
import { elementsOf } from "../report/markup.js";

const pixel = ({ width, data }: { width: number; data: ArrayLike<number> }, x: number, y: number) =>
  Array.from({ length: 4 }, (_, c) => data[4 * (y * width + x) + c]);

describe("image grid", () => {
  const image = { width: 1, height: 1, data: Uint8ClampedArray.of(200, 100, 0, 128) };

  it("blends images over its background", () => {
    const grid = imageGrid([image, image, image], { columns: 2, gap: 1, background: [0, 0, 100] });
    expect([grid.width, grid.height]).toEqual([3, 3]);
    const alpha = 128 / 255;
    expect(pixel(grid, 0, 0)).toEqual([
      Math.round(200 * alpha),
      Math.round(100 * alpha),
      Math.round(100 * (1 - alpha)),
      255,
    ]);
    expect(pixel(grid, 1, 0)).toEqual([0, 0, 100, 255]);
    expect(pixel(grid, 2, 2)).toEqual([0, 0, 100, 255]);
    expect(pixel(imageGrid([image]), 0, 0)).toEqual([200, 100, 0, 128]);
  });

  it("refuses what does not fit", () => {
    expect(() => imageGrid([], { columns: 2 })).toThrow(/at least one image/);
    const wide = { width: 2, height: 1, data: new Uint8ClampedArray(8) };
    expect(() => imageGrid([image, wide], { columns: 2 })).toThrow(/expected 1 x 1 pixels, got 2 x 1/);
    expect(() => imageGrid([image], { columns: 0 })).toThrow(
      "image grid: columns: expected a whole number of at least 1, got 0",
    );
    expect(() => imageGrid([image], { gap: 0.5 })).toThrow(/gap/);
  });
});

describe("feature maps", () => {
  const maps = { channels: 3, height: 1, width: 2, values: [0, 1, -2, 4, 3, 3] };

  it("share one range, or have their own, or get one", () => {
    expect(featureRanges(maps)).toEqual(Array.from({ length: 3 }, () => ({ low: -2, high: 4 })));
    expect(featureRanges(maps, { range: "own", low: 0 }).map(({ low }) => low)).toEqual([0, 0, 0]);
    expect(featureRanges(maps, { range: "own" })).toEqual([
      { low: 0, high: 1 },
      { low: -2, high: 4 },
      { low: 3, high: 3 },
    ]);
    expect(featureRanges(maps, { range: "own", map: DIVERGING })[1]).toEqual({ low: -4, high: 4 });
    expect(featureRanges(maps, { channels: [1], range: { low: -1, high: 1 } })).toEqual([
      { low: -1, high: 1 },
    ]);
  });

  it("show the low end in the first colour and the high end in the last", () => {
    const picture = featureMaps(maps, { columns: 3, gap: 1, scale: 2, range: "own" });
    expect([picture.width, picture.height]).toEqual([14, 2]);
    expect(pixel(picture, 1, 1)).toEqual([...entry(SEQUENTIAL.table, 0), 255]);
    expect(pixel(picture, 3, 0)).toEqual([...entry(SEQUENTIAL.table, 255), 255]);
    expect(pixel(picture, 4, 0)).toEqual([0, 0, 0, 0]);
    // One value everywhere is no range: the low end.
    expect(pixel(picture, 10, 0)).toEqual([...entry(SEQUENTIAL.table, 0), 255]);
  });

  it("give a value and its negative mirrored places on a diverging map, and 0 the middle", () => {
    const own = { channels: 1, height: 1, width: 3, values: [-2, 0, 2] };
    const picture = featureMaps(own, { map: DIVERGING });
    expect(pixel(picture, 0, 0).slice(0, 3)).toEqual(scalarColour(DIVERGING, 0));
    expect(pixel(picture, 1, 0).slice(0, 3)).toEqual(scalarColour(DIVERGING, 0.5));
    expect(pixel(picture, 2, 0).slice(0, 3)).toEqual(scalarColour(DIVERGING, 1));
    const silent = featureMaps({ ...own, values: [0, 0, 0] }, { map: DIVERGING });
    expect(pixel(silent, 1, 0).slice(0, 3)).toEqual(scalarColour(DIVERGING, 0.5));
  });

  it("show grey images as they are, clip beyond a fixed range, and reuse their image", () => {
    const bytes = { channels: 1, height: 1, width: 3, values: [0, 77, 400] };
    const picture = featureMaps(bytes, { map: GREY, range: { low: 0, high: 255 } });
    expect([0, 1, 2].map((x) => pixel(picture, x, 0)[0])).toEqual([0, 77, 255]);
    const again = featureMaps(
      { ...bytes, values: [255, 0, 0] },
      { map: GREY, range: { low: 0, high: 255 }, into: picture },
    );
    expect(again).toBe(picture);
    expect([0, 1, 2].map((x) => pixel(picture, x, 0)[0])).toEqual([255, 0, 0]);
  });

  it("refuse what does not fit", () => {
    expect(() => featureMaps({ ...maps, channels: 2 })).toThrow("feature maps: expected 4 values, got 6");
    expect(() => featureMaps({ ...maps, width: 0 })).toThrow(
      "feature maps: width: expected a whole number of at least 1, got 0",
    );
    expect(() => featureMaps(maps, { channels: [3] })).toThrow(
      "feature maps: channel: expected a whole number from 0 to 2, got 3",
    );
    expect(() => featureMaps(maps, { channels: [] })).toThrow(/at least one image/);
    expect(() => featureMaps(maps, { range: { low: 1, high: 1 } })).toThrow(/got 1 to 1/);
    const broken = { ...maps, values: [0, 1, NaN, 4, 3, 3] };
    expect(() => featureMaps(broken)).toThrow("channel 1: expected finite numbers, got NaN");
    expect(() => featureMaps(broken, { range: { low: 0, high: 1 } })).toThrow(/channel 1/);
    const into = { width: 1, height: 1, data: new Uint8ClampedArray(4) };
    expect(() => featureMaps(maps, { into })).toThrow("feature maps into: expected 6 x 4 pixels, got 1 x 1");
  });
});

describe("colour scale", () => {
  it("names its ends, and 0 on a diverging map", () => {
    const draw = (map: typeof SEQUENTIAL, low: number, high: number) =>
      elementsOf(
        svg({ width: 180, height: 28, label: "Scale" }, (context) => {
          drawColourScale(context, { low, high }, { map });
        }),
      );
    const texts = (list: ReturnType<typeof draw>) =>
      list.filter(({ name }) => name === "text").map(({ text }) => text);
    const elements = draw(SEQUENTIAL, -0.12345, 2);
    expect(texts(elements)).toEqual(["−0.123", "2"]);
    expect(elements.find(({ name }) => name === "rect")!.attributes.fill).toMatch(/^#[0-9a-f]{6}$/);
    expect(texts(draw(DIVERGING, -3, 3))).toEqual(["−3", "3", "0"]);
    expect(() => draw(SEQUENTIAL, 0, Infinity)).toThrow(/finite range/);
  });
});

describe("filters", () => {
  const bank = { count: 2, height: 1, width: 2, kernels: [1, -0.5, 0, 4] };

  it("are symmetric around 0, each on a scale of its own or all on one", () => {
    const own = filterMaps(bank, { columns: 2, gap: 0 });
    const colour = (part: number) => [...scalarColour(DIVERGING, part), 255];
    expect([0, 1, 2, 3].map((x) => pixel(own, x, 0))).toEqual([1, 0.25, 0.5, 1].map(colour));
    const shared = filterMaps(bank, { columns: 2, gap: 0, range: "shared" });
    expect([0, 1, 2, 3].map((x) => pixel(shared, x, 0))).toEqual([0.625, 0.4375, 0.5, 1].map(colour));
    expect(filterMaps(bank, { filters: [1] }).width).toBe(2);
  });

  it("of three channels show their own colours around mid grey", () => {
    const colours = { count: 1, channels: 3, height: 1, width: 1, kernels: [2, 0, -2] } as const;
    expect(pixel(filterMaps(colours), 0, 0)).toEqual([255, 128, 0, 255]);
  });

  it("are tinted in the channel that they see", () => {
    const picture = filterMaps(bank, { columns: 2, gap: 0, seenChannel: [0, 2] });
    expect(pixel(picture, 0, 0)).toEqual([250, 196, 196, 255]);
    expect(pixel(picture, 2, 0)).toEqual([122, 122, 122, 255]);
    expect(pixel(picture, 3, 0)).toEqual([196, 196, 250, 255]);
  });

  it("refuse what does not fit", () => {
    expect(() => filterMaps({ ...bank, count: 3 })).toThrow(/expected 6 values, got 4/);
    expect(() => filterMaps(bank, { seenChannel: [0] })).toThrow(/seenChannel: expected 2 values, got 1/);
    expect(() => filterMaps(bank, { seenChannel: [0, 1], filters: [2] })).toThrow(/from 0 to 1, got 2/);
    expect(() => filterMaps({ ...bank, kernels: [1, Infinity, 0, 0] }, { seenChannel: [0, 1] })).toThrow(
      /filter 0: expected finite weights/,
    );
  });
});
