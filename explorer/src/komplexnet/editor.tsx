import { useEffect, useRef } from "preact/hooks";
import { SAMPLE, labelOf } from "../parts/digits.js";
import { Handle } from "../parts/handle.js";
import { CANVAS } from "./image.js";
import { drawScene } from "./scene.js";
import type { PlacedDigit } from "./state.js";

const SCALE = 6;

export interface EditorProps {
  readonly samples: ImageBitmap;
  readonly digits: readonly PlacedDigit[];
  readonly digitWord: string;
  readonly onChange: (digits: readonly PlacedDigit[]) => void;
}

/**
 * The picture with its digits. Each digit is a button above the canvas. It can be dragged, or moved and
 * turned with the keyboard.
 */
export function Editor({ samples, digits, digitWord, onChange }: EditorProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    drawScene(canvas.current!.getContext("2d")!, samples, digits, SCALE);
  }, [samples, digits]);
  const change = (index: number, to: Partial<PlacedDigit>): void => {
    const inside = (value: number) => Math.min(CANVAS - 6, Math.max(6, Math.round(value * 10) / 10));
    onChange(
      digits.map((digit, i) => {
        const moved = { ...digit, ...(i === index && to) };
        return { ...moved, x: inside(moved.x), y: inside(moved.y) };
      }),
    );
  };
  const onKey = (event: KeyboardEvent, index: number): void => {
    const { x, y, angle } = digits[index]!;
    const to = {
      ArrowLeft: { x: x - 1 },
      ArrowRight: { x: x + 1 },
      ArrowUp: { y: y - 1 },
      ArrowDown: { y: y + 1 },
      r: { angle: angle + 15 },
      R: { angle: angle - 15 },
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    change(index, to);
  };
  return (
    <div class="editor">
      <canvas ref={canvas} width={CANVAS * SCALE} height={CANVAS * SCALE} />
      {digits.map(({ sample, x, y }, index) => (
        <Handle
          key={index}
          picture={CANVAS}
          label={`${digitWord} ${labelOf(sample)}, ${Math.round(x)}, ${Math.round(y)}`}
          x={x}
          y={y}
          width={(2 * SAMPLE) / 3}
          height={(2 * SAMPLE) / 2.6}
          onKey={(event) => {
            onKey(event, index);
          }}
          onDrag={(toX, toY) => {
            change(index, { x: toX, y: toY });
          }}
        />
      ))}
    </div>
  );
}
