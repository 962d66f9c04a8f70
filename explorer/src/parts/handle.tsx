import { useRef } from "preact/hooks";

export interface HandleProps {
  /** Side of the square picture. All lengths here have the same unit. */
  readonly picture: number;
  /** Centre of the handle. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly label: string;
  readonly className?: string;
  readonly onKey: (event: KeyboardEvent) => void;
  /** Called with the new centre. */
  readonly onDrag: (x: number, y: number) => void;
}

/** A button above a picture that is dragged by a pointer or moved by keys. Its parent element has the size of the picture. */
export function Handle({ picture, x, y, width, height, label, className, onKey, onDrag }: HandleProps) {
  const grip = useRef<{ readonly dx: number; readonly dy: number } | undefined>(undefined);
  const percent = (length: number): string => `${(100 * length) / picture}%`;
  const position = (event: PointerEvent): readonly [x: number, y: number] => {
    const box = (event.currentTarget as HTMLElement).parentElement!.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * picture,
      ((event.clientY - box.top) / box.height) * picture,
    ];
  };
  return (
    <button
      type="button"
      class={className}
      aria-label={label}
      style={{
        left: percent(x - width / 2),
        top: percent(y - height / 2),
        width: percent(width),
        height: percent(height),
      }}
      onKeyDown={onKey}
      onPointerDown={(event) => {
        const [px, py] = position(event);
        grip.current = { dx: x - px, dy: y - py };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (grip.current === undefined) return;
        const [px, py] = position(event);
        onDrag(px + grip.current.dx, py + grip.current.dy);
      }}
      // Also called if the browser takes the pointer away, for example to scroll.
      onLostPointerCapture={() => {
        grip.current = undefined;
      }}
    />
  );
}
