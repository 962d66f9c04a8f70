import { useEffect, useRef } from "preact/hooks";
import { SAMPLE, labelOf } from "../parts/digits.js";
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

/** The picture, whose digits are dragged, or moved and turned by the keyboard: each is a button above the canvas. */
export function Editor({ samples, digits, digitWord, onChange }: EditorProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dragged = useRef<{ readonly index: number; readonly dx: number; readonly dy: number } | undefined>(
    undefined,
  );
  useEffect(() => {
    drawScene(canvas.current!.getContext("2d")!, samples, digits, SCALE);
  }, [samples, digits]);
  const position = (event: PointerEvent): readonly [x: number, y: number] => {
    const box = canvas.current!.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * CANVAS,
      ((event.clientY - box.top) / box.height) * CANVAS,
    ];
  };
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
        <button
          key={index}
          type="button"
          aria-label={`${digitWord} ${labelOf(sample)}, ${Math.round(x)}, ${Math.round(y)}`}
          style={{
            left: `${(100 * (x - SAMPLE / 3)) / CANVAS}%`,
            top: `${(100 * (y - SAMPLE / 2.6)) / CANVAS}%`,
            width: `${(200 * SAMPLE) / 3 / CANVAS}%`,
            height: `${(200 * SAMPLE) / 2.6 / CANVAS}%`,
          }}
          onKeyDown={(event) => {
            onKey(event, index);
          }}
          onPointerDown={(event) => {
            const [px, py] = position(event);
            dragged.current = { index, dx: x - px, dy: y - py };
            event.currentTarget.setPointerCapture(event.pointerId);
          }}
          onPointerMove={(event) => {
            const drag = dragged.current;
            if (drag === undefined) return;
            const [px, py] = position(event);
            change(drag.index, { x: px + drag.dx, y: py + drag.dy });
          }}
          onPointerUp={() => {
            dragged.current = undefined;
          }}
        />
      ))}
    </div>
  );
}
