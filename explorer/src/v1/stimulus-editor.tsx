import type { ReadonlySignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Population } from "../compute/v1-frame.js";
import { SIGHT } from "../compute/v1-frame.js";
import { Canvas } from "../parts/canvas.js";
import { SIDE, drawField } from "./drawings.js";
import type { V1State } from "./state.js";
import { BAR_LENGTH, DIGIT_SIZE } from "./stimulus.js";

const SIZE = SIGHT.imageSize;
/** Distance of the handle that turns the stimulus from its centre, in pixels of the picture. */
const REACH = 22;
/** Steps of the keyboard: degrees and pixels. */
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
  const box = useRef<HTMLDivElement>(null);
  const isGrating = state.stimulus === "grating";
  const [x, y] = isGrating ? [SIZE / 2, SIZE / 2] : [state.x, state.y];
  const angle = (state.orientation * Math.PI) / 180;
  const position = (event: PointerEvent): readonly [x: number, y: number] => {
    const { left, top, width, height } = box.current!.getBoundingClientRect();
    return [((event.clientX - left) / width) * SIZE, ((event.clientY - top) / height) * SIZE];
  };
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
    <div class="editor" ref={box}>
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
      {!isGrating && (
        <Handle
          label={`${words.move}, ${Math.round(x)}, ${Math.round(y)}`}
          className="move"
          x={x}
          y={y}
          size={length}
          onKey={(event) => {
            const by = arrows(event);
            if (by === undefined) return;
            onChange({ x: inside(x + MOVE_STEP * by[0]), y: inside(y - MOVE_STEP * by[1]) });
          }}
          positionOf={position}
          onDrag={(toX, toY) => {
            onChange({ x: inside(toX), y: inside(toY) });
          }}
        />
      )}
      {state.stimulus !== "digit" && (
        <Handle
          label={`${words.turn}, ${Math.round(state.orientation)}°`}
          className="turn"
          x={x + REACH * Math.cos(angle)}
          y={y - REACH * Math.sin(angle)}
          size={6}
          onKey={(event) => {
            const by = arrows(event);
            if (by !== undefined) turnTo(state.orientation + TURN_STEP * (by[1] - by[0]));
          }}
          positionOf={position}
          onDrag={(toX, toY) => {
            turnTo((Math.atan2(y - toY, toX - x) * 180) / Math.PI);
          }}
        />
      )}
    </div>
  );
}

interface HandleProps {
  readonly label: string;
  readonly className: string;
  /** Centre and side in pixels of the picture. */
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly onKey: (event: KeyboardEvent) => void;
  /** The position of a pointer in pixels of the picture. */
  readonly positionOf: (event: PointerEvent) => readonly [x: number, y: number];
  /** Called with the new centre. */
  readonly onDrag: (x: number, y: number) => void;
}

function Handle({ label, className, x, y, size, onKey, positionOf, onDrag }: HandleProps) {
  const grip = useRef<{ readonly dx: number; readonly dy: number } | undefined>(undefined);
  const percent = (pixels: number): string => `${(100 * pixels) / SIZE}%`;
  return (
    <button
      type="button"
      class={className}
      aria-label={label}
      style={{
        left: percent(x - size / 2),
        top: percent(y - size / 2),
        width: percent(size),
        height: percent(size),
      }}
      onKeyDown={onKey}
      onPointerDown={(event) => {
        const [px, py] = positionOf(event);
        grip.current = { dx: x - px, dy: y - py };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (grip.current === undefined) return;
        const [px, py] = positionOf(event);
        onDrag(px + grip.current.dx, py + grip.current.dy);
      }}
      onPointerUp={() => {
        grip.current = undefined;
      }}
    />
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
