import { useEffect, useRef } from "preact/hooks";
import { effect, useSignal } from "@preact/signals";

export interface CanvasProps {
  /** Pixels of the drawing, before the screen's density. */
  readonly width: number;
  readonly height: number;
  /** Description for readers who do not see the picture. */
  readonly label: string;
  /** Draws; runs again whenever a signal that it reads changes, and with every rendering of the component. */
  readonly draw: (context: CanvasRenderingContext2D) => void;
  readonly onHover?: (x: number | undefined, y: number) => void;
  readonly onPick?: (x: number, y: number) => void;
}

/** A canvas that follows signals. Positions given to its listeners are shares of its width and height, 0 to 1. */
export function Canvas({ width, height, label, draw, onHover, onPick }: CanvasProps) {
  const ref = useRef<HTMLCanvasElement>(null);
  const drawing = useSignal(draw);
  useEffect(() => {
    drawing.value = draw;
  });
  useEffect(() => {
    const canvas = ref.current!;
    const context = canvas.getContext("2d")!;
    const density = Math.min(2, devicePixelRatio);
    [canvas.width, canvas.height] = [width * density, height * density];
    return effect(() => {
      context.setTransform(density, 0, 0, density, 0, 0);
      context.clearRect(0, 0, width, height);
      context.imageSmoothingEnabled = false;
      drawing.value(context);
    });
  }, [width, height]);
  const shares = (event: MouseEvent): readonly [x: number, y: number] => {
    const box = ref.current!.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  return (
    <canvas
      ref={ref}
      role="img"
      aria-label={label}
      style={{ aspectRatio: `${width} / ${height}` }}
      onPointerMove={(event) => {
        onHover?.(...shares(event));
      }}
      onClick={(event) => {
        onPick?.(...shares(event));
      }}
      onPointerLeave={() => onHover?.(undefined, 0)}
    />
  );
}
