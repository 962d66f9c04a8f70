import { Random } from "striate";
import type { MemoryData } from "striate";

/** Gratings of four orientations with noise; image i is always the same. */
export function gratings(count: number, size: number, seed: number): MemoryData {
  return {
    count,
    fill: (indices, fields) => {
      Array.from(indices, (index, n) => {
        const random = Random.derive(seed, index);
        const label = index % 4;
        const [angle, phase, frequency] = [
          (label * Math.PI) / 4,
          2 * Math.PI * random.uniform(),
          0.6 + 0.4 * random.uniform(),
        ];
        if (fields.labels) fields.labels[n] = label;
        for (let i = 0; i < size * size; i++) {
          const [x, y] = [i % size, Math.floor(i / size)];
          const wave = Math.sin(frequency * (x * Math.cos(angle) + y * Math.sin(angle)) + phase);
          if (fields.images) fields.images[n * size * size + i] = wave + 0.5 * random.normal();
        }
      });
    },
  };
}
