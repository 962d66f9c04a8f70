import type { SegmentedScenes } from "../../data/scenes/segmented-scenes.js";
import { sceneLabels, scenePicture } from "../../data/scenes/segmented-scenes.js";
import { agglomerativeClusters } from "../../metrics/hierarchical-clustering.js";
import { foregroundAri, meanBestOverlap } from "../../metrics/segmentation.js";

/** Images with more colours than this count as photographs, for which this control is meaningless. */
const MOST_COLOURS = 64;

/**
 * Scores of a control without a network: every colour of an image is a segment, and if there are more than `clusters`
 * colours, the nearest ones are joined. Undefined if a scene has too many colours.
 */
export function colourControl(
  scenes: SegmentedScenes,
  clusters: number,
): { readonly foregroundAri: number; readonly bestOverlap: number } | undefined {
  let [score, overlap, withObjects] = [0, 0, 0];
  for (let n = 0; n < scenes.count; n++) {
    const found = colourSegments(scenePicture(scenes, n).data, clusters);
    if (found === undefined) return undefined;
    const truth = sceneLabels(scenes, n);
    score += foregroundAri(truth, found);
    const best = meanBestOverlap(truth, found);
    if (best === undefined) continue;
    overlap += best;
    withObjects += 1;
  }
  return { foregroundAri: score / scenes.count, bestOverlap: overlap / withObjects };
}

function colourSegments(rgb: Uint8Array, clusters: number): Int32Array | undefined {
  const numbers = new Map<number, number>();
  const pixels = new Int32Array(rgb.length / 3);
  for (let i = 0; i < pixels.length; i++) {
    const colour = colourAt(rgb, i);
    const number = numbers.get(colour) ?? numbers.size;
    numbers.set(colour, number);
    pixels[i] = number;
  }
  if (numbers.size > MOST_COLOURS) return undefined;
  const points = [...numbers.keys()].flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]);
  const labels = agglomerativeClusters(points, numbers.size, 3, clusters);
  return pixels.map((number) => labels[number]!);
}

const colourAt = (rgb: Uint8Array, i: number): number =>
  rgb[3 * i]! * 65536 + rgb[3 * i + 1]! * 256 + rgb[3 * i + 2]!;

/** Whether two objects of a scene have the same colour. The first pixel of an object decides its colour. */
export function sharesColours(scenes: SegmentedScenes, index: number): boolean {
  const { data } = scenePicture(scenes, index);
  const colours = new Map<number, number>();
  sceneLabels(scenes, index).forEach((label, i) => {
    if (label > 0 && !colours.has(label)) colours.set(label, colourAt(data, i));
  });
  return new Set(colours.values()).size < colours.size;
}
