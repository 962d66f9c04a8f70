import { metrics } from "striate";
import { componentColours } from "striate/draw";

/**
 * The first three principal components of the oscillators of a whole run, as red, green and blue. Each map holds one
 * vector for each position, [positions, channels], and gets the colours of its positions, [positions, 3].
 */
export function runColours(maps: readonly Float32Array[], channels: number): Uint8Array[] {
  const length = maps[0]!.length;
  const positions = length / channels;
  const vectors = new Float32Array(maps.length * length);
  maps.forEach((map, i) => {
    vectors.set(map, i * length);
  });
  const bytes = componentColours(metrics.principalComponents(vectors, maps.length * positions, channels, 3));
  return maps.map((_, i) => bytes.slice(3 * i * positions, 3 * (i + 1) * positions));
}
