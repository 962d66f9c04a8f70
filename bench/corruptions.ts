import type { RgbImage } from "../src/data/images/rgb-image.js";
import type { CorruptionName } from "../src/robustness/corruptions/index.js";
import { CORRUPTIONS, SEVERITIES, corrupt, frostTexture } from "../src/robustness/corruptions/index.js";
import type { BenchCase } from "./measure.js";

const SIDE = 224;

/** A picture with smooth parts, edges and texture. */
function picture(): RgbImage {
  const texture = frostTexture(4);
  const data = new Uint8Array(SIDE * SIDE * 3);
  for (let y = 0, i = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const inside = (x - 120) ** 2 + (y - 100) ** 2 < 4000;
      for (let c = 0; c < 3; c++, i++) data[i] = inside ? 40 + 70 * c : texture.data[(y * 640 + x) * 3 + c]!;
    }
  }
  return { width: SIDE, height: SIDE, data };
}

/** Every severity of some corruptions, on one core, without re-encoding. */
function severities(names: readonly CorruptionName[]): BenchCase["open"] {
  return () => {
    const image = picture();
    let index = 0;
    const run = () => {
      index++;
      for (const name of names) {
        for (const severity of SEVERITIES) corrupt(image, name, severity, { index, reencode: false });
      }
      return Promise.resolve();
    };
    return Promise.resolve({ run, close: () => Promise.resolve() });
  };
}

/** The corruptions for which the published Python code takes longest. */
const SLOWEST: readonly CorruptionName[] = ["glass_blur", "elastic_transform", "zoom_blur"];

/**
 * Corruptions of images of 224 x 224 pixels. SciPy runs the same steps with the same constants
 * (bench/scipy_peer.py).
 */
export function corruptionCases(): BenchCase[] {
  return [
    ...SLOWEST.map((name): BenchCase => ({
      name: `${name}, 5 severities`,
      amount: SEVERITIES.length,
      unit: "images/s",
      bar: 3,
      peer: { of: "scipy", name, options: {} },
      open: severities([name]),
    })),
    {
      name: "all 19 corruptions, 5 severities",
      amount: CORRUPTIONS.length * SEVERITIES.length,
      unit: "images/s",
      open: severities(CORRUPTIONS),
    },
  ];
}
