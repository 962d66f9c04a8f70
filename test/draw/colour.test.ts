import { describe, expect, it } from "vitest";
import * as fc from "fast-check";
import {
  CATEGORICAL,
  cssGradient,
  distance,
  DIVERGING,
  entry,
  GREY,
  hex,
  oklabToRgb,
  phaseColour,
  phaseIndex,
  rgbToOklab,
  scalarColour,
  SEQUENTIAL,
  TWO_HUE_CYCLE,
  UNIFORM_CYCLE,
} from "../../src/draw/index.js";
import type { CyclicMap, Oklab, Rgb } from "../../src/draw/index.js";

const indices = Array.from({ length: 256 }, (_, k) => k);
const colours = (map: CyclicMap): Oklab[] => indices.map((k) => rgbToOklab(entry(map.table, k)));

function steps(map: CyclicMap, stride: number): number[] {
  const list = colours(map);
  return indices.map((k) => distance(list[k]!, list[(k + stride) % 256]!));
}

const linear = (byte: number): number => {
  const v = byte / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
};
const encoded = (v: number): number => {
  const c = Math.min(1, Math.max(0, v));
  return Math.round(255 * (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055));
};

/** Full-strength colour-vision deficiencies (Machado, Oliveira, Fernandes 2009, table 1, severity 1). */
const DEFICIENCIES: Readonly<Record<string, readonly (readonly number[])[]>> = {
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function seenWith(matrix: readonly (readonly number[])[], colour: Rgb): Rgb {
  const light = colour.map(linear);
  const [r, g, b] = matrix.map((row) => encoded(row.reduce((sum, w, i) => sum + w * light[i]!, 0)));
  return [r!, g!, b!];
}

describe("OKLab", () => {
  it("brings every byte colour back", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(byte, byte, byte, (r, g, b) => {
        expect(oklabToRgb(rgbToOklab([r, g, b]))).toEqual([r, g, b]);
      }),
    );
  });

  it("gives the published values for white and red", () => {
    expect(rgbToOklab([255, 255, 255])[0]).toBeCloseTo(1, 4);
    const [lightness, a, b] = rgbToOklab([255, 0, 0]);
    expect(lightness).toBeCloseTo(0.628, 3);
    expect(a).toBeCloseTo(0.2249, 3);
    expect(b).toBeCloseTo(0.1258, 3);
  });
});

describe("uniform cyclic map", () => {
  it("has constant lightness and chroma up to the rounding to bytes", () => {
    const lightness = colours(UNIFORM_CYCLE).map(([l]) => l);
    const chroma = colours(UNIFORM_CYCLE).map(([, a, b]) => Math.hypot(a, b));
    expect(Math.max(...lightness) - Math.min(...lightness)).toBeLessThan(0.006);
    expect(Math.max(...chroma) - Math.min(...chroma)).toBeLessThan(0.006);
    expect(Math.min(...chroma)).toBeGreaterThan(0.1);
  });

  it("turns the hue monotonically, once around, at constant speed", () => {
    const hues = colours(UNIFORM_CYCLE).map(([, a, b]) => Math.atan2(b, a));
    const turns = indices.map((k) => {
      const turn = hues[(k + 1) % 256]! - hues[k]!;
      return turn < -Math.PI ? turn + 2 * Math.PI : turn > Math.PI ? turn - 2 * Math.PI : turn;
    });
    expect(Math.min(...turns)).toBeGreaterThan(0);
    expect(turns.reduce((sum, turn) => sum + turn, 0)).toBeCloseTo(2 * Math.PI, 6);
    const strides = steps(UNIFORM_CYCLE, 16);
    // What rounding to bytes leaves of it.
    expect(Math.max(...strides) / Math.min(...strides)).toBeLessThan(1.1);
  });
});

describe("two-hue cyclic map", () => {
  it("moves at constant OKLab speed", () => {
    const strides = steps(TWO_HUE_CYCLE, 8);
    expect(Math.max(...strides) / Math.min(...strides)).toBeLessThan(1.2);
  });

  it.each(Object.entries(DEFICIENCIES))("keeps phases apart with %s", (_, matrix) => {
    const seen = indices.map((k) => rgbToOklab(seenWith(matrix, entry(TWO_HUE_CYCLE.table, k))));
    const opposite = indices.map((k) => distance(seen[k]!, seen[(k + 128) % 256]!));
    const quarter = indices.map((k) => distance(seen[k]!, seen[(k + 64) % 256]!));
    expect(Math.min(...opposite)).toBeGreaterThan(0.15);
    expect(Math.min(...quarter)).toBeGreaterThan(0.1);
  });

  it("lies around its silent grey, so that no phase looks silent", () => {
    const silent = rgbToOklab(TWO_HUE_CYCLE.silent);
    expect(Math.min(...colours(TWO_HUE_CYCLE).map((colour) => distance(colour, silent)))).toBeGreaterThan(
      0.1,
    );
  });
});

describe.each([UNIFORM_CYCLE, TWO_HUE_CYCLE])("cyclic map $id", (map) => {
  it("has the same colour difference from each entry to the next, all the way round", () => {
    const differences = indices.map((k) => distance(map.oklab[k]!, map.oklab[(k + 1) % 256]!));
    expect(Math.max(...differences) / Math.min(...differences)).toBeLessThan(1.01);
    for (const k of indices) expect(oklabToRgb(map.oklab[k]!)).toEqual(entry(map.table, k));
  });

  it("closes: the step over the end is like every other step", () => {
    const every = steps(map, 1);
    expect(map.table).toHaveLength(768);
    expect(every[255]).toBeLessThanOrEqual(Math.max(...every.slice(0, 255)));
  });

  it("gives phases that differ by whole turns the same colour", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), fc.integer({ min: -50, max: 50 }), (k, turns) => {
        const phase = -Math.PI + (2 * Math.PI * (k + 0.5)) / 256;
        expect(phaseColour(map, phase + 2 * Math.PI * turns)).toEqual(entry(map.table, k));
      }),
    );
  });
});

describe("phaseIndex", () => {
  it("starts at -π and treats π as -π", () => {
    expect(phaseIndex(-Math.PI)).toBe(0);
    expect(phaseIndex(Math.PI)).toBe(0);
    expect(phaseIndex(0)).toBe(128);
    expect(phaseIndex(-Math.PI - 1e-17)).toBe(0);
  });

  it("refuses what is no angle", () => {
    expect(() => phaseIndex(Number.NaN)).toThrow(/finite angle in radians, got NaN/);
  });
});

describe("scalars", () => {
  it("get lighter evenly", () => {
    const lightness = indices.map((k) => rgbToOklab(entry(SEQUENTIAL.table, k))[0]);
    for (let k = 8; k < 256; k++) expect(lightness[k]! - lightness[k - 8]!).toBeGreaterThan(0.01);
  });

  it("are clipped to the ends, and must be numbers", () => {
    expect(scalarColour(SEQUENTIAL, -3)).toEqual(scalarColour(SEQUENTIAL, 0));
    expect(scalarColour(SEQUENTIAL, 7)).toEqual(scalarColour(SEQUENTIAL, 1));
    expect(() => scalarColour(SEQUENTIAL, Infinity)).toThrow(/finite number/);
    expect(scalarColour(GREY, 0.2)).toEqual([51, 51, 51]);
  });

  it("look equally strong on both sides of 0", () => {
    const diverging = indices.map((k) => rgbToOklab(entry(DIVERGING.table, k)));
    for (const [k, [lightness]] of diverging.entries())
      expect(Math.abs(lightness - diverging[255 - k]![0])).toBeLessThan(0.004);
    const strides = indices.slice(0, 240).map((k) => distance(diverging[k]!, diverging[k + 16]!));
    const oneSided = strides.filter((_, k) => k + 16 <= 127 || k >= 128);
    expect(Math.max(...oneSided) / Math.min(...oneSided)).toBeLessThan(1.1);
  });

  it.each(Object.entries(DEFICIENCIES))("tell signs apart with %s", (_, matrix) => {
    for (const k of [0, 40, 80]) {
      const [low, high] = [k, 255 - k].map((at) => rgbToOklab(seenWith(matrix, entry(DIVERGING.table, at))));
      expect(distance(low!, high!)).toBeGreaterThan(0.05);
    }
  });
});

describe("page colours", () => {
  const luminance = (colour: string): number => {
    const [r, g, b] = [1, 3, 5].map((i) => linear(parseInt(colour.slice(i, i + 2), 16)));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const contrast = (one: string, other: string): number => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light! + 0.05) / (dark! + 0.05);
  };

  it.each(CATEGORICAL)("%s stands out from light and dark cards", (colour) => {
    expect(contrast(colour, "#ffffff")).toBeGreaterThanOrEqual(3);
    expect(contrast(colour, "#171a20")).toBeGreaterThanOrEqual(3);
  });

  it("prints CSS", () => {
    expect(hex([1, 171, 255])).toBe("#01abff");
    const gradient = cssGradient(UNIFORM_CYCLE, 4);
    expect(gradient.match(/#[0-9a-f]{6}/g)).toHaveLength(5);
    expect(gradient.match(/#[0-9a-f]{6}/g)![0]).toBe(gradient.match(/#[0-9a-f]{6}/g)![4]);
  });
});
