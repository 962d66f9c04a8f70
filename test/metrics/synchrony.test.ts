import { existsSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type SynchronyInput, type SynchronyOptions, synchrony } from "../../src/metrics/index.js";
import { Random } from "../../src/util/random.js";
import { readSafetensors } from "../../src/util/safetensors-node.js";

const folder = resolve(import.meta.dirname, "../../../shared/goldens/komplexnet");
const present = existsSync(folder);
if (!present) console.log(`skipped: synchrony of the reference, no folder ${folder}`);

describe.skipIf(!present)("synchrony of the reference, silent units at phase 0", () => {
  it.each(["op_synch_loss_2obj", "op_synch_loss_3obj_bg"])("%s", async (name) => {
    const { tensors, metadata } = await readSafetensors(resolve(folder, `${name}.safetensors`));
    const tolerance = JSON.parse(metadata.tolerance_abs_by_tensor!) as Record<string, number>;
    const { bg_kernel: background } = JSON.parse(metadata.config!) as { bg_kernel: boolean };
    const tensor = (key: string): Float32Array => tensors.get(key)!.data as Float32Array;
    const [batch, channels, height, width] = tensors.get("input.phases")!.shape as [
      number,
      number,
      number,
      number,
    ];
    const maskChannels = tensors.get("input.masks")!.shape[1]!;
    const { order, desynchrony } = synchrony(
      {
        phases: tensor("input.phases"),
        amplitudes: tensor("input.amp"),
        masks: tensor("input.masks"),
        batch,
        channels,
        maskChannels,
        pixels: height * width,
      },
      { background, silentUnits: "phaseZero" },
    );
    const near = (key: string, ours: number): void => {
      expect(Math.abs(ours - tensor(key)[0]!), key).toBeLessThanOrEqual(tolerance[key]!);
    };
    near("output.synch", 1 - order);
    near("output.desynch", desynchrony);
    const objects = maskChannels - (background ? 0 : 1);
    let harmonics = 0;
    for (let m = 1; m <= Math.floor(objects / 2); m++) harmonics += 1 / (m * m);
    near("output.loss", (1 - order + desynchrony) / (1 + (objects / 2) * harmonics));
  });
});

const PIXELS = 24;

/** One sample of `objects` equal stripes (the first stripe background), phases by object, every third unit silent. */
function stripes(objects: number, phaseOf: (object: number, unit: number) => number): SynchronyInput {
  const [channels, maskChannels] = [2, 1 + objects];
  const stripe = PIXELS / maskChannels;
  const masks = new Float32Array(maskChannels * PIXELS);
  const phases = new Float64Array(channels * PIXELS);
  const amplitudes = new Float32Array(channels * PIXELS);
  for (let p = 0; p < PIXELS; p++) {
    const owner = Math.floor(p / stripe);
    masks[owner * PIXELS + p] = 1;
    for (let c = 0; c < channels; c++) {
      const silent = p % 3 === 0;
      amplitudes[c * PIXELS + p] = silent ? 0 : 0.5;
      phases[c * PIXELS + p] = silent ? 1.234 * p : phaseOf(owner - 1, c * PIXELS + p);
    }
  }
  return { phases, amplitudes, masks, batch: 1, channels, maskChannels, pixels: PIXELS };
}

describe("synchrony over active units", () => {
  it("is perfect for one phase per object, evenly spread, whatever silent units do", () => {
    for (const objects of [2, 3]) {
      const result = synchrony(stripes(objects, (object) => 0.3 + (2 * Math.PI * object) / objects));
      expect(result.order).toBeCloseTo(1, 12);
      expect(result.desynchrony).toBeCloseTo(0, 12);
      expect(result.separation).toBeCloseTo((2 * Math.PI) / objects, 12);
      expect(result.meanPhase[0]).toBeCloseTo(0.3, 12);
    }
    expect(
      synchrony(
        stripes(2, (o) => o * Math.PI),
        { silentUnits: "phaseZero" },
      ).order,
    ).toBeLessThan(0.9);
  });

  it("has the largest desynchrony for one phase for all: G/2 for one harmonic", () => {
    expect(synchrony(stripes(2, () => 1)).desynchrony).toBeCloseTo(1, 12);
    expect(synchrony(stripes(3, () => 1)).desynchrony).toBeCloseTo(1.5, 12);
    expect(synchrony(stripes(2, () => 1)).separation).toBeCloseTo(0, 7);
  });

  it("has order 0 for phases that cancel", () => {
    const { order, orderByObject } = synchrony(stripes(3, (_, unit) => (unit % 3 === 1 ? 0 : Math.PI)));
    expect(order).toBeCloseTo(0, 12);
    expect(Math.max(...orderByObject)).toBeCloseTo(0, 12);
  });

  it("does not change when all phases turn, or by whole turns", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.double({ min: -10, max: 10, noNaN: true }),
        fc.constantFrom(2, 3),
        (seed, turn, objects) => {
          const values = Array.from({ length: 2 * PIXELS }, (_, i) =>
            Random.derive(seed, i).uniformRange(-3, 3),
          );
          const plain = synchrony(stripes(objects, (_, unit) => values[unit]!));
          const turned = synchrony(
            stripes(objects, (_, unit) => values[unit]! + turn + 2 * Math.PI * (unit % 5)),
          );
          expect(turned.order).toBeCloseTo(plain.order, 9);
          expect(turned.desynchrony).toBeCloseTo(plain.desynchrony, 9);
          expect(plain.order >= 0 && plain.order <= 1).toBe(true);
        },
      ),
    );
  });

  it("leaves out the overlap channel, and counts the background when asked", () => {
    const input = stripes(3, (object) => object * Math.PI);
    const two = synchrony(input, { overlapChannel: true });
    expect(two.orderByObject).toHaveLength(2);
    expect(two.separation).toBeCloseTo(Math.PI, 12);
    expect(synchrony(input, { background: true }).orderByObject).toHaveLength(4);
  });

  it("leaves out objects without active units instead of guessing", () => {
    const input = stripes(2, (object) => object);
    const silentSecond = {
      ...input,
      amplitudes: Float32Array.from(input.amplitudes, (a, i) => (i % PIXELS >= 16 ? 0 : a)),
    };
    const result = synchrony(silentSecond);
    expect(Array.from(result.orderByObject, Number.isNaN)).toEqual([false, true]);
    expect(result.order).toBeCloseTo(1, 12);
    expect(result.desynchrony).toBeNaN();
    const silent = { ...input, amplitudes: new Float32Array(2 * PIXELS) };
    expect(synchrony(silent).order).toBeNaN();
  });

  it("names what does not fit", () => {
    const input = stripes(2, () => 0);
    const run = (change: Partial<SynchronyInput>, options?: SynchronyOptions) => () =>
      synchrony({ ...input, ...change }, options);
    expect(run({ pixels: 5 })).toThrow("synchrony: phases: expected 10 values, got 48");
    expect(run({ masks: [1] })).toThrow("synchrony: masks: expected 72 values, got 1");
    expect(run({ maskChannels: 1, masks: input.masks })).toThrow(
      "synchrony: masks: expected 24 values, got 72",
    );
    expect(run({ maskChannels: 1, masks: new Float32Array(PIXELS) })).toThrow(
      /expected at least one mask channel for an object, got 1/,
    );
    expect(run({ phases: new Float64Array(48).fill(NaN) })).toThrow(
      /sample 0, channel 0 is not a finite number/,
    );
  });
});
