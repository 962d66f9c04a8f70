import { decode } from "fast-png";
import { describe, expect, it } from "vitest";
import { entry, phaseColour, phaseIndex, TWO_HUE_CYCLE, UNIFORM_CYCLE } from "../../src/report/colour.js";
import { colourWheel, polarScatter } from "../../src/report/phase-figures.js";
import {
  base64,
  channelImages,
  encodePng,
  greyImage,
  imageGrid,
  objectImage,
  objectOfPixel,
  phaseImage,
  pngDataUri,
  summarisePhases,
  upscale,
} from "../../src/report/phase-map.js";
import { elementsOf } from "./markup.js";

const field = {
  channels: 2,
  height: 1,
  width: 3,
  // Pixel 0: both channels at 1 rad across the cut; pixel 1: opposed and equal; pixel 2: silent.
  phases: [1, 0, 9, 1 + 2 * Math.PI, Math.PI, 9],
  amplitudes: [1, 2, 0, 3, 2, 0],
};

describe("summarisePhases", () => {
  it("takes the amplitude-weighted circular mean", () => {
    const plane = summarisePhases(field);
    expect(plane.phase[0]).toBeCloseTo(1, 5);
    expect([...plane.amplitude]).toEqual([4, 4, 0]);
    expect(plane.agreement[0]).toBeCloseTo(1, 5);
    expect(plane.agreement[1]).toBeCloseTo(0, 5);
    expect(plane.agreement[2]).toBe(0);
  });

  it("averages angles around ±π, not through 0", () => {
    const plane = summarisePhases({ ...field, width: 1, phases: [3.1, -3.1], amplitudes: [1, 1] });
    expect(Math.abs(plane.phase[0]!)).toBeCloseTo(Math.PI, 5);
  });

  it("weighs by amplitude", () => {
    const plane = summarisePhases({ ...field, width: 1, phases: [0, Math.PI / 2], amplitudes: [1, 3] });
    expect(plane.phase[0]).toBeCloseTo(Math.atan2(3, 1), 5);
  });

  it("names what does not fit", () => {
    expect(() => summarisePhases({ ...field, phases: [1] })).toThrow("phases: expected 6 values, got 1");
    expect(() => summarisePhases({ ...field, amplitudes: [1, 2, -1, 0, 0, 0] })).toThrow(
      /unit 2.*>= 0, got -1/,
    );
    expect(() => summarisePhases({ ...field, phases: [0, 0, 0, 0, 0, NaN] })).toThrow(/phase of unit 5/);
    expect(() => summarisePhases({ ...field, width: 0 })).toThrow(/width: expected at least 1, got 0/);
  });
});

describe("pictures", () => {
  it("show phase as colour and amplitude / maximum as opacity", () => {
    const plane = summarisePhases({ ...field, channels: 1, phases: [1, -2, 0], amplitudes: [4, 1, 0] });
    const image = phaseImage(plane);
    expect([...image.data.slice(0, 4)]).toEqual([...phaseColour(UNIFORM_CYCLE, 1), 255]);
    expect([...image.data.slice(4, 8)]).toEqual([...phaseColour(UNIFORM_CYCLE, -2), 64]);
    expect(image.data[11]).toBe(0);
    const other = phaseImage(plane, { map: TWO_HUE_CYCLE, maximum: 8 });
    expect([...other.data.slice(0, 4)]).toEqual([...entry(TWO_HUE_CYCLE.table, phaseIndex(1)), 128]);
  });

  it("give every channel its own maximum", () => {
    const [one, two] = channelImages(field);
    expect([3, 7, 11].map((i) => one!.data[i])).toEqual([128, 255, 0]);
    expect([3, 7, 11].map((i) => two!.data[i])).toEqual([255, 170, 0]);
  });

  it("survive the way through PNG", () => {
    const image = channelImages(field)[0]!;
    const back = decode(encodePng(image));
    expect([back.width, back.height, back.channels]).toEqual([3, 1, 4]);
    expect([...back.data]).toEqual([...image.data]);
    const uri = pngDataUri(image);
    expect(uri.startsWith("data:image/png;base64,")).toBe(true);
    expect([...Buffer.from(uri.split(",")[1]!, "base64")]).toEqual([...encodePng(image)]);
  });

  it("encode long byte strings", () => {
    const bytes = Uint8Array.from({ length: 20_001 }, (_, i) => (i * 7) % 256);
    expect(base64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
  });

  it("enlarge by repeating pixels", () => {
    const image = greyImage([0, 255, 128, 64], 2, 2, 255);
    const big = upscale(image, 3);
    expect([big.width, big.height]).toEqual([6, 6]);
    for (let y = 0; y < 6; y++) {
      for (let x = 0; x < 6; x++) {
        const from = 4 * (Math.floor(y / 3) * 2 + Math.floor(x / 3));
        expect(big.data[4 * (y * 6 + x)]).toBe(image.data[from]);
      }
    }
    expect(() => upscale(image, 1.5)).toThrow(/upscale factor/);
  });

  it("stand in a grid over a background", () => {
    const image = { width: 1, height: 1, data: Uint8ClampedArray.of(200, 100, 0, 128) };
    const grid = imageGrid([image, image, image], { columns: 2, gap: 1, background: [0, 0, 100] });
    expect([grid.width, grid.height]).toEqual([3, 3]);
    const alpha = 128 / 255;
    expect([...grid.data.slice(0, 4)]).toEqual([
      Math.round(200 * alpha),
      Math.round(100 * alpha),
      Math.round(100 * (1 - alpha)),
      255,
    ]);
    expect([...grid.data.slice(4, 8)]).toEqual([0, 0, 100, 255]);
    expect(() => imageGrid([], { columns: 2 })).toThrow(/at least one image/);
    expect(() => imageGrid([image, { ...image, width: 2 }], { columns: 2 })).toThrow(/expected 1x1, got 2x1/);
  });

  it("tell objects and their overlap apart", () => {
    const objects = objectOfPixel(
      [
        [0, 1, 1],
        [0, 0, 1],
      ],
      3,
    );
    expect([...objects]).toEqual([0, 1, 3]);
    const image = objectImage(objects, 1, 3, [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
    expect([...image.data]).toEqual([0, 0, 0, 0, 1, 2, 3, 255, 7, 8, 9, 255]);
    expect(() => objectOfPixel([[0, 1]], 3)).toThrow("mask 1: expected 3 values, got 2");
  });
});

describe("colour wheel", () => {
  it("is well-formed, with labels and the map's own colours in place", () => {
    const elements = elementsOf(colourWheel());
    expect(elements.filter(({ name }) => name === "text").map(({ text }) => text)).toEqual([
      "0",
      "π/2",
      "±π",
      "−π/2",
    ]);
    const wedges = elements.filter(({ name }) => name === "path");
    expect(wedges).toHaveLength(96);
    // The middle wedge starts at phase 0, on the right.
    const middle = wedges[48]!;
    expect(middle.attributes.d).toMatch(/^M66 66L111 66A/);
    expect(middle.attributes.fill).toBe(
      `#${[...phaseColour(UNIFORM_CYCLE, 0.03)].map((v) => v.toString(16).padStart(2, "0")).join("")}`,
    );
  });

  it("differs between the maps and names its gradient apart", () => {
    const [one, other] = [colourWheel(), colourWheel({ map: TWO_HUE_CYCLE })];
    expect(one).toContain('id="wheel-uniform"');
    expect(other).toContain("url(#wheel-two-hue)");
  });
});

describe("polar scatter", () => {
  const plane = summarisePhases({
    channels: 1,
    height: 1,
    width: 4,
    phases: [0, Math.PI / 2, Math.PI, 0],
    amplitudes: [4, 2, 4, 0.1],
  });

  it("puts phase on the angle and amplitude on the radius, per object", () => {
    const elements = elementsOf(polarScatter(plane, { objects: [1, 1, 2, 2], objectCount: 2 }));
    const path = (object: number) =>
      elements.find(({ attributes }) => attributes.class === `object-${object}`)!.attributes.d;
    expect(path(1)).toBe("M112 60h0M60 34h0");
    expect(path(2)).toBe("M8 60h0");
    expect(path(0)).toBe("M0 0");
  });

  it("refuses objects that do not fit", () => {
    expect(() => polarScatter(plane, { objects: [1] })).toThrow("expected 4 values, got 1");
    expect(() => polarScatter(plane, { objects: [1, 9, 1, 1], objectCount: 2 })).toThrow(
      /expected 0..3, got 9/,
    );
  });
});
