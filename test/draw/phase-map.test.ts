import { decode } from "fast-png";
import { describe, expect, it } from "vitest";
import {
  channelPhases,
  enlarge,
  entry,
  maximumAmplitude,
  meanPhases,
  overBackground,
  phaseColour,
  phaseIndex,
  phaseMap,
  scalarColour,
  SEQUENTIAL,
  timeStrip,
  TWO_HUE_CYCLE,
  UNIFORM_CYCLE,
} from "../../src/draw/index.js";
import { base64, encodePng, pngDataUri } from "../../src/report/png.js";

const field = {
  channels: 2,
  height: 1,
  width: 3,
  // Pixel 0: both channels at 1 rad across the cut; pixel 1: opposed and equal; pixel 2: silent.
  phases: [1, 0, 9, 1 + 2 * Math.PI, Math.PI, 9],
  amplitudes: [1, 2, 0, 3, 2, 0],
};
const pixel = ({ width, data }: { width: number; data: ArrayLike<number> }, x: number, y: number) =>
  Array.from({ length: 4 }, (_, c) => data[4 * (y * width + x) + c]);

describe("mean phases", () => {
  it("are amplitude-weighted circular means", () => {
    const plane = meanPhases(field);
    expect(plane.phase[0]).toBeCloseTo(1, 5);
    expect([...plane.amplitude]).toEqual([4, 4, 0]);
    expect(plane.agreement[0]).toBeCloseTo(1, 5);
    expect(plane.agreement[1]).toBeCloseTo(0, 5);
    expect(plane.agreement[2]).toBe(0);
  });

  it("go around ±π, not through 0", () => {
    const plane = meanPhases({ ...field, width: 1, phases: [3.1, -3.1], amplitudes: [1, 1] });
    expect(Math.abs(plane.phase[0]!)).toBeCloseTo(Math.PI, 5);
  });

  it("weigh by amplitude", () => {
    const plane = meanPhases({ ...field, width: 1, phases: [0, Math.PI / 2], amplitudes: [1, 3] });
    expect(plane.phase[0]).toBeCloseTo(Math.atan2(3, 1), 5);
  });

  it("name what does not fit", () => {
    expect(() => meanPhases({ ...field, phases: [1] })).toThrow("phases: expected 6 values, got 1");
    expect(() => meanPhases({ ...field, amplitudes: [1, 2, -1, 0, 0, 0] })).toThrow(
      "amplitude of unit 2: expected a number of at least 0, got -1",
    );
    expect(() => meanPhases({ ...field, amplitudes: [1, 2, NaN, 0, 0, 0] })).toThrow(/unit 2.*got NaN/);
    expect(() => meanPhases({ ...field, phases: [0, 0, 0, 0, 0, NaN] })).toThrow(/phase of unit 5/);
    expect(() => meanPhases({ ...field, width: 0 })).toThrow(
      "phase field: width: expected a whole number of at least 1, got 0",
    );
    expect(() => meanPhases({ ...field, channels: 1.5 })).toThrow(
      "phase field: channels: expected a whole number of at least 1, got 1.5",
    );
    expect(() => channelPhases(field, 2)).toThrow("channel: expected a whole number from 0 to 1, got 2");
    expect(() => meanPhases({ ...field, width: 1, channels: 6 }, meanPhases(field))).toThrow(
      "mean phases into: expected 1 x 1 pixels, got 3 x 1",
    );
  });
});

describe("phase map", () => {
  const plane = {
    height: 1,
    width: 3,
    phase: Float32Array.of(1, -2, 0),
    amplitude: Float32Array.of(4, 1, 0),
  };

  it("shows phase as colour and amplitude / maximum as opacity", () => {
    const image = phaseMap(plane);
    expect(pixel(image, 0, 0)).toEqual([...phaseColour(UNIFORM_CYCLE, 1), 255]);
    expect(pixel(image, 1, 0)).toEqual([...phaseColour(UNIFORM_CYCLE, -2), 64]);
    expect(image.data[11]).toBe(0);
    const other = phaseMap(plane, { map: TWO_HUE_CYCLE, maximum: 8 });
    expect(pixel(other, 0, 0)).toEqual([...entry(TWO_HUE_CYCLE.table, phaseIndex(1)), 128]);
  });

  it("draws one channel, with its own maximum", () => {
    const plane = channelPhases(field, 0);
    expect(channelPhases(field, 1, plane)).toBe(plane);
    expect(plane).toEqual(channelPhases(field, 1));
    const alphas = [0, 1].map((channel) => {
      const { data } = phaseMap(channelPhases(field, channel));
      return [3, 7, 11].map((i) => data[i]);
    });
    expect(alphas).toEqual([
      [128, 255, 0],
      [255, 170, 0],
    ]);
  });

  it("repeats pixels by whole factors, as enlarging it does", () => {
    const large = phaseMap(plane, { scale: 3 });
    expect(large).toEqual(enlarge(phaseMap(plane), 3));
    expect([large.width, large.height]).toEqual([9, 3]);
    expect(() => phaseMap(plane, { scale: 1.5 })).toThrow(
      "phase map: scale: expected a whole number of at least 1, got 1.5",
    );
    expect(() => enlarge(large, 0)).toThrow(/factor/);
  });

  it("is opaque over a background", () => {
    const background = [10, 20, 30] as const;
    expect(phaseMap(plane, { background })).toEqual(overBackground(phaseMap(plane), background));
    expect(pixel(phaseMap(plane, { background }), 2, 0)).toEqual([10, 20, 30, 255]);
  });

  it("draws into the image that it is given, and into no other size", () => {
    const image = phaseMap(plane);
    const next = { ...plane, phase: Float32Array.of(0, 1, 2) };
    expect(phaseMap(next, { into: image })).toBe(image);
    expect(image).toEqual(phaseMap(next));
    expect(() => phaseMap(plane, { scale: 2, into: image })).toThrow(
      "phase map into: expected 6 x 2 pixels, got 3 x 1",
    );
  });

  it("is transparent if everything is silent", () => {
    const silent = { ...plane, amplitude: new Float32Array(3) };
    expect(maximumAmplitude(silent)).toBe(1);
    expect([3, 7, 11].map((i) => phaseMap(silent).data[i])).toEqual([0, 0, 0]);
  });

  it("refuses what does not fit", () => {
    expect(() => phaseMap({ ...plane, height: 2 })).toThrow("phase map phases: expected 6 values, got 3");
    expect(() => phaseMap({ ...plane, width: 0 })).toThrow(
      "phase map: width: expected a whole number of at least 1, got 0",
    );
    expect(() => phaseMap({ ...plane, phase: Float32Array.of(0, NaN, 0) })).toThrow(/finite angle/);
    expect(() => phaseMap(plane, { maximum: 0 })).toThrow(/maximum amplitude: .* got 0/);
  });

  it("survives the way through PNG", () => {
    const image = phaseMap(plane);
    const back = decode(encodePng(image));
    expect([back.width, back.height, back.channels]).toEqual([3, 1, 4]);
    expect([...back.data]).toEqual([...image.data]);
    const uri = pngDataUri(image);
    expect(uri.startsWith("data:image/png;base64,")).toBe(true);
    expect([...Buffer.from(uri.split(",")[1]!, "base64")]).toEqual([...encodePng(image)]);
  });

  it("encodes long byte strings", () => {
    const bytes = Uint8Array.from({ length: 20_001 }, (_, i) => (i * 7) % 256);
    expect(base64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
  });
});

describe("time strip", () => {
  const series = {
    timesteps: 2,
    positions: 3,
    phases: [0, 1, 2, 3, -1, -2],
    amplitudes: [1, 2, 0, 4, 4, 4],
  };
  const cell = { width: 2, height: 1 };

  it("has a row for each position and goes from left to right", () => {
    const strip = timeStrip(series, { cell });
    expect([strip.width, strip.height]).toEqual([4, 3]);
    expect(pixel(strip, 1, 1)).toEqual([...phaseColour(UNIFORM_CYCLE, 1), 128]);
    expect(pixel(strip, 2, 2)).toEqual([...phaseColour(UNIFORM_CYCLE, -2), 255]);
    expect(pixel(strip, 0, 2)[3]).toBe(0);
  });

  it("shows chosen positions, opaque without amplitudes", () => {
    const strip = timeStrip({ timesteps: 2, positions: 3, phases: series.phases }, { cell, rows: [2, 0] });
    expect([strip.width, strip.height]).toEqual([4, 2]);
    expect(pixel(strip, 0, 0)).toEqual([...phaseColour(UNIFORM_CYCLE, 2), 255]);
    expect(pixel(strip, 3, 1)).toEqual([...phaseColour(UNIFORM_CYCLE, 3), 255]);
  });

  it("shows amplitudes alone", () => {
    const strip = timeStrip(series, { cell, show: "amplitude", maximum: 4 });
    expect(pixel(strip, 0, 1)).toEqual([...scalarColour(SEQUENTIAL, 0.5), 255]);
    expect(pixel(strip, 0, 2)).toEqual([...scalarColour(SEQUENTIAL, 0), 255]);
  });

  it("refuses what does not fit", () => {
    expect(() => timeStrip({ ...series, timesteps: 3 })).toThrow("expected 9 values, got 6");
    expect(() => timeStrip({ ...series, positions: 0 })).toThrow(/positions/);
    expect(() => timeStrip({ ...series, amplitudes: [1] })).toThrow(/amplitudes: expected 6 values, got 1/);
    expect(() => timeStrip(series, { rows: [3] })).toThrow(/from 0 to 2, got 3/);
    expect(() => timeStrip(series, { rows: [] })).toThrow(/at least one row/);
  });
});
