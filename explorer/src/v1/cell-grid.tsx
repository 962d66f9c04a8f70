import type { ReadonlySignal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import { filterMaps } from "striate/draw";
import type { Population } from "../compute/v1-frame.js";
import { Canvas } from "../parts/canvas.js";
import type { Kind } from "./drawings.js";
import { colourOf } from "./drawings.js";

const [COLUMNS, GAP] = [8, 4];

export interface CellGridProps {
  readonly population: Population;
  /** Response of each cell as a share of a full response, 0 to 1. */
  readonly strengths: ReadonlySignal<readonly number[]>;
  readonly chosen: number;
  readonly labelOf: (cell: number) => string;
  readonly titles: { readonly all: string; readonly simple: string; readonly complex: string };
  readonly onChoose: (cell: number) => void;
}

/**
 * The receptive fields of all cells as radio buttons, sorted by orientation: simple cells above complex
 * cells. Arrow keys choose a neighbouring cell.
 */
export function CellGrid({ population, strengths, chosen, labelOf, titles, onChoose }: CellGridProps) {
  const group = useRef<HTMLDivElement>(null);
  const kinds = useMemo(() => {
    const { simple, complex, orientation } = population;
    const sorted = (from: number, count: number): readonly number[] =>
      Array.from({ length: count }, (_, i) => from + i).sort((a, b) => orientation[a]! - orientation[b]!);
    return [
      ["simple", sorted(0, simple)],
      ["complex", sorted(simple, complex)],
    ] as const;
  }, [population]);
  const order = kinds.flatMap(([, cells]) => cells);
  const choose = (place: number): void => {
    const cell = order[(place + order.length) % order.length]!;
    onChoose(cell);
    group.current!.querySelector<HTMLButtonElement>(`[data-cell="${cell}"]`)!.focus();
  };
  const onKey = (event: KeyboardEvent, cell: number): void => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS };
    if (!Object.hasOwn(steps, event.key)) return;
    event.preventDefault();
    choose(order.indexOf(cell) + steps[event.key as keyof typeof steps]);
  };
  return (
    <div role="radiogroup" aria-label={titles.all} ref={group}>
      {kinds.map(([kind, cells]) => (
        <div key={kind}>
          <h3 style={{ "--mark": colourOf(kind) }} class={kind}>
            {titles[kind]}
          </h3>
          <div class="cells">
            <FieldImages
              population={population}
              kind={kind}
              cells={cells}
              strengths={strengths}
              label={titles[kind]}
            />
            {cells.map((cell, place) => (
              <button
                key={cell}
                type="button"
                role="radio"
                data-cell={cell}
                aria-checked={cell === chosen}
                aria-label={labelOf(cell)}
                title={labelOf(cell)}
                style={{ gridArea: `${Math.floor(place / COLUMNS) + 1} / ${(place % COLUMNS) + 1}` }}
                tabIndex={cell === chosen ? 0 : -1}
                onClick={() => {
                  onChoose(cell);
                }}
                onKeyDown={(event) => {
                  onKey(event, cell);
                }}
              />
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}

interface FieldImagesProps {
  readonly population: Population;
  readonly kind: Kind;
  readonly cells: readonly number[];
  readonly strengths: ReadonlySignal<readonly number[]>;
  readonly label: string;
}

/** The first filters of some cells, each in a frame that is as bright as its cell's response is strong. */
function FieldImages({ population, kind, cells, strengths, label }: FieldImagesProps) {
  const { kernels, kernelSize, orientation } = population;
  const picture = useMemo(() => {
    const image = filterMaps(
      { count: orientation.length, height: kernelSize, width: kernelSize, kernels },
      { filters: cells, columns: COLUMNS, gap: GAP },
    );
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext("2d")!.putImageData(new ImageData(image.data, image.width, image.height), 0, 0);
    return canvas;
  }, [population, cells]);
  const step = kernelSize + GAP;
  return (
    <Canvas
      width={picture.width + GAP}
      height={picture.height + GAP}
      label={label}
      draw={(context) => {
        const half = GAP / 2;
        context.drawImage(picture, half, half);
        const ground = getComputedStyle(context.canvas).backgroundColor;
        cells.forEach((cell, place) => {
          const strength = strengths.value[cell] ?? 0;
          const [x, y] = [half + (place % COLUMNS) * step, half + Math.floor(place / COLUMNS) * step];
          context.fillStyle = ground;
          context.globalAlpha = 0.3 * (1 - strength);
          context.fillRect(x, y, kernelSize, kernelSize);
          context.globalAlpha = strength;
          context.strokeStyle = colourOf(kind);
          context.lineWidth = GAP - 1;
          context.strokeRect(x, y, kernelSize, kernelSize);
          context.globalAlpha = 1;
        });
      }}
    />
  );
}
