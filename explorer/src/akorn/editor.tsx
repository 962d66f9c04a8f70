import { useEffect, useRef } from "preact/hooks";
import type { PlacedTetromino } from "striate";
import { TETROMINOES, TETROMINO_COLOURS, tetrominoScene } from "striate";
import { PICTURE } from "../compute/akorn-frame.js";
import { Handle } from "../parts/handle.js";
import { putPixels } from "../parts/pixels.js";
import { FIGURE } from "./drawings.js";
import { GRID_CELLS, sizeOf } from "./state.js";

/** Side of a cell of the grid in pixels of the picture, whose first row and column are cropped by one pixel. */
const CELL = 5;

export interface ObjectEditorProps {
  readonly pieces: readonly PlacedTetromino[];
  readonly pieceWord: string;
  readonly onChange: (pieces: readonly PlacedTetromino[]) => void;
}

/** The picture, whose pieces are dragged, or moved, reshaped and recoloured by the keyboard. */
export function ObjectEditor({ pieces, pieceWord, onChange }: ObjectEditorProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const { image } = tetrominoScene(pieces);
    const data = new Uint8ClampedArray(4 * PICTURE * PICTURE).fill(255);
    for (let i = 0; i < PICTURE * PICTURE; i++)
      for (let c = 0; c < 3; c++) data[4 * i + c] = image[c * PICTURE * PICTURE + i]!;
    putPixels(context, { data, width: PICTURE, height: PICTURE }, FIGURE);
  }, [pieces]);
  const change = (index: number, to: Partial<PlacedTetromino>): void => {
    const changed = inside({ ...pieces[index]!, ...to });
    const same = (Object.keys(changed) as (keyof PlacedTetromino)[]).every(
      (key) => changed[key] === pieces[index]![key],
    );
    if (!same) onChange(pieces.map((piece, i) => (i === index ? changed : piece)));
  };
  const onKey = (event: KeyboardEvent, index: number): void => {
    const { kind, colour, column, row } = pieces[index]!;
    const to = {
      ArrowLeft: { column: column - 1 },
      ArrowRight: { column: column + 1 },
      ArrowUp: { row: row - 1 },
      ArrowDown: { row: row + 1 },
      k: { kind: (kind + 1) % TETROMINOES.length },
      c: { colour: (colour + 1) % TETROMINO_COLOURS.length },
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    change(index, to);
  };
  return (
    <div class="editor">
      <canvas ref={canvas} width={FIGURE} height={FIGURE} />
      {pieces.map((piece, index) => {
        const [columns, rows] = sizeOf(piece.kind);
        const [width, height] = [columns * CELL, rows * CELL];
        return (
          <Handle
            key={index}
            picture={PICTURE}
            label={`${pieceWord} ${index + 1}, ${piece.column + 1}, ${piece.row + 1}`}
            x={piece.column * CELL - 1 + width / 2}
            y={piece.row * CELL - 1 + height / 2}
            width={width}
            height={height}
            onKey={(event) => {
              onKey(event, index);
            }}
            onDrag={(x, y) => {
              change(index, {
                column: Math.round((x - width / 2 + 1) / CELL),
                row: Math.round((y - height / 2 + 1) / CELL),
              });
            }}
          />
        );
      })}
    </div>
  );
}

/** A piece moved to the nearest place where it lies on the grid. */
function inside(piece: PlacedTetromino): PlacedTetromino {
  const [columns, rows] = sizeOf(piece.kind);
  return {
    ...piece,
    column: Math.min(GRID_CELLS - columns, Math.max(0, piece.column)),
    row: Math.min(GRID_CELLS - rows, Math.max(0, piece.row)),
  };
}
