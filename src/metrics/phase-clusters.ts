import { checkLength } from "../util/check.js";
import { adjustedRandIndex, circularClusters } from "./clustering.js";
import type { SynchronyInput, SynchronyOptions } from "./synchrony.js";

/**
 * Measures how well phases alone separate the objects. In each sample, `circularClusters` groups the active
 * units inside the objects' masks by phase, into as many clusters as the sample has objects. Then
 * `adjustedRandIndex` compares the clusters with the masks. The result is 1 if every object has its own
 * phase, and 0 if phases carry no information. Returns one number per sample, NaN if fewer than two of the
 * sample's objects have active units.
 *
 * Units with amplitude 0 are ignored. Throws `StriateError` if an array does not match the sizes or a phase
 * is not finite.
 */
export function phaseClusterAri(
  input: SynchronyInput,
  options: Pick<SynchronyOptions, "background" | "overlapChannel"> = {},
): Float64Array {
  const { phases, amplitudes, masks, batch, channels, maskChannels, pixels } = input;
  const { background = false, overlapChannel = false } = options;
  const planes = { phases: channels, amplitudes: channels, masks: maskChannels };
  for (const [name, count] of Object.entries(planes))
    checkLength(`phase clusters: ${name}`, input[name as keyof typeof planes], batch * count * pixels);
  const first = background ? 0 : 1;
  const objects = maskChannels - first - (overlapChannel ? 1 : 0);
  return Float64Array.from({ length: batch }, (_, sample) => {
    const units: number[] = [];
    const owners: number[] = [];
    let present = 0;
    for (let object = 0; object < objects; object++) {
      const mask = (sample * maskChannels + first + object) * pixels;
      const before = units.length;
      for (let pixel = 0; pixel < pixels; pixel++) {
        if (masks[mask + pixel] === 0) continue;
        for (let channel = 0; channel < channels; channel++) {
          const at = (sample * channels + channel) * pixels + pixel;
          if (amplitudes[at] === 0) continue;
          units.push(phases[at]!);
          owners.push(present);
        }
      }
      if (units.length > before) present++;
    }
    return present < 2 ? NaN : adjustedRandIndex(circularClusters(units, present), owners);
  });
}
