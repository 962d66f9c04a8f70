import type { ReadonlySignal } from "@preact/signals";
import type { Population } from "../compute/v1-frame.js";
import { SIGHT } from "../compute/v1-frame.js";
import { Canvas } from "../parts/canvas.js";
import { Handle } from "../parts/handle.js";
import { SIDE, drawField } from "./drawings.js";
import type { V1State } from "./state.js";
import { hasAngle } from "./state.js";
import { BAR_LENGTH, DIGIT_SIZE } from "./stimulus.js";

const SIZE = SIGHT.imageSize;
/** Distance between the centre of the stimulus and the handle that turns it, in pixels of the picture. */
const REACH = 22;
/** Steps of the arrow keys: degrees and pixels. */
const [TURN_STEP, MOVE_STEP] = [5, 1];

export interface StimulusEditorProps {
  readonly state: V1State;
  readonly pixels: ReadonlySignal<Float32Array | undefined>;
  readonly population: Population | undefined;
  readonly words: { readonly picture: string; readonly turn: string; readonly move: string };
  readonly onChange: (to: Partial<V1State>) => void;
}

/** The picture with the handles of its stimulus: one moves the bar or the digit, one turns the grating or the bar. */
export function StimulusEditor({ state, pixels, population, words, onChange }: StimulusEditorProps) {
  const isGrating = state.stimulus === "grating";
  const [x, y] = isGrating ? [SIZE / 2, SIZE / 2] : [state.x, state.y];
  const angle = (state.orientation * Math.PI) / 180;
  const inside = (value: number): number => Math.min(SIZE - 2, Math.max(2, Math.round(value * 10) / 10));
  const turnTo = (degrees: number): void => {
    onChange({ orientation: Math.round(((degrees % 180) + 180) % 180) });
  };
  const arrows = (event: KeyboardEvent): readonly [right: number, up: number] | undefined => {
    const found = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, 1],
      ArrowDown: [0, -1],
    } as const satisfies Record<string, readonly [number, number]>;
    if (!Object.hasOwn(found, event.key)) return undefined;
    event.preventDefault();
    return found[event.key as keyof typeof found];
  };
  const length =
    state.stimulus === "digit" ? DIGIT_SIZE * 0.7 : (BAR_LENGTH * SIZE) / SIGHT.visualDegrees / 2;
  return (
    <div class="editor">
      <Canvas
        width={SIDE}
        height={SIDE}
        label={words.picture}
        draw={(context) => {
          if (pixels.value === undefined) return;
          drawGrey(context, pixels.value);
          if (population === undefined) return;
          context.save();
          context.scale(SIDE / SIZE, SIDE / SIZE);
          drawField(context, population, state.cell, [
            state.column * SIGHT.stride + 0.5,
            state.row * SIGHT.stride + 0.5,
          ]);
          context.restore();
        }}
      />
      {(state.stimulus === "bar" || state.stimulus === "digit") && (
        <Handle
          picture={SIZE}
          label={`${words.move}, ${Math.round(x)}, ${Math.round(y)}`}
          className="move"
          x={x}
          y={y}
          width={length}
          height={length}
          onKey={(event) => {
            const by = arrows(event);
            if (by === undefined) return;
            onChange({ x: inside(x + MOVE_STEP * by[0]), y: inside(y - MOVE_STEP * by[1]) });
          }}
          onDrag={(toX, toY) => {
            onChange({ x: inside(toX), y: inside(toY) });
          }}
        />
      )}
      {hasAngle(state.stimulus) && (
        <Handle
          picture={SIZE}
          label={`${words.turn}, ${Math.round(state.orientation)}°`}
          className="turn"
          x={x + REACH * Math.cos(angle)}
          y={y - REACH * Math.sin(angle)}
          width={6}
          height={6}
          onKey={(event) => {
            const by = arrows(event);
            if (by !== undefined) turnTo(state.orientation + TURN_STEP * (by[1] - by[0]));
          }}
          onDrag={(toX, toY) => {
            turnTo((Math.atan2(y - toY, toX - x) * 180) / Math.PI);
          }}
        />
      )}
    </div>
  );
}

const scratch = new OffscreenCanvas(SIZE, SIZE);

/** Draws an image [64, 64] from -1 (black) to 1 (white). */
function drawGrey(context: CanvasRenderingContext2D, pixels: Float32Array): void {
  const image = new ImageData(SIZE, SIZE);
  pixels.forEach((value, i) => {
    image.data.fill(127.5 + 127.5 * value, 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  });
  scratch.getContext("2d")!.putImageData(image, 0, 0);
  context.drawImage(scratch, 0, 0, SIDE, SIDE);
}
