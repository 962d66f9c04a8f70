import { CATEGORICAL } from "striate/draw";
import type { OwnFrame } from "../../compute/own-network-frame.js";
import { FIGURE } from "../drawings.js";

/** Number of classes that are shown. */
const SHOWN = 5;
const ROW = 34;
export const ANSWERS_HEIGHT = SHOWN * ROW;

/** The classes that are most probable at any timestep, those of the last timestep first. */
export function shownClasses(frames: readonly OwnFrame[]): readonly number[] {
  const last = frames.at(-1)?.probabilities;
  if (last === undefined) return [];
  const most = last.map((_, i) => Math.max(...frames.map(({ probabilities }) => probabilities[i]!)));
  const indices = Array.from(most.keys()).sort((a, b) => most[b]! - most[a]!);
  return indices.slice(0, SHOWN).sort((a, b) => last[b]! - last[a]!);
}

/** The probabilities of some classes as bars with their names; outlines are those of timestep 0. */
export function drawClasses(
  context: CanvasRenderingContext2D,
  classes: readonly number[],
  now: OwnFrame,
  first: OwnFrame,
  nameOf: (index: number) => string,
): void {
  const ink = getComputedStyle(context.canvas).color;
  context.font = "12px system-ui, sans-serif";
  classes.forEach((index, i) => {
    const top = i * ROW;
    const width = (frame: OwnFrame): number => Math.max(1, (FIGURE - 2) * frame.probabilities[index]!);
    context.fillStyle = CATEGORICAL[i % CATEGORICAL.length]!;
    context.fillRect(1, top + 17, width(now), 11);
    context.strokeStyle = ink;
    context.setLineDash([3, 2]);
    context.strokeRect(1, top + 17, width(first), 11);
    context.setLineDash([]);
    context.fillStyle = ink;
    context.textAlign = "right";
    const share = `${Math.round(100 * now.probabilities[index]!)} %`;
    context.fillText(share, FIGURE - 1, top + 13);
    context.textAlign = "left";
    context.fillText(fitted(context, nameOf(index), FIGURE - 50), 1, top + 13);
  });
}

/** A name, shortened so that it is not wider than a number of pixels. */
function fitted(context: CanvasRenderingContext2D, name: string, width: number): string {
  if (context.measureText(name).width <= width) return name;
  let length = name.length;
  while (length > 1 && context.measureText(`${name.slice(0, length)}…`).width > width) length--;
  return `${name.slice(0, length)}…`;
}
