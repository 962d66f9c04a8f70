import { CATEGORICAL, SEQUENTIAL, drawSudokuBoard, scalarColour } from "striate/draw";
import type { SudokuFrame } from "../compute/sudoku-frame.js";
import { CELLS, DIGITS } from "../compute/sudoku-frame.js";
import type { ChartLine } from "../parts/chart.js";
import { putPixels } from "../parts/pixels.js";

type Context = CanvasRenderingContext2D;

export const BOARD = 360;
export const FIGURE = 256;
export const CHART_HEIGHT = 128;
/** Room in pixels around the board, so that its outer lines are not cut. */
const ROOM = 2;
/** The energies of the first timesteps are far from the others and would flatten the rest of the curve. */
export const SKIPPED = 4;

export interface BoardDrawing {
  readonly puzzle: Uint8Array;
  readonly solution: Uint8Array | undefined;
  /** The answers and their probabilities; undefined before the first run. */
  readonly answer: { readonly digits: Uint8Array; readonly probabilities: Float32Array } | undefined;
  readonly cell: number;
}

/** Draws the board with the answers, and a frame around the chosen cell. */
export function drawBoard(context: Context, { puzzle, solution, answer, cell }: BoardDrawing): void {
  const style = getComputedStyle(context.canvas);
  const ink = style.color;
  context.save();
  context.translate(ROOM, ROOM);
  const size = BOARD - 2 * ROOM;
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  drawSudokuBoard(
    context,
    {
      givens: puzzle,
      ...(solution !== undefined && { solution }),
      ...(answer !== undefined && {
        answers: answer.digits,
        confidence: Float32Array.from(
          answer.digits,
          (digit, i) => answer.probabilities[i * DIGITS + digit - 1]!,
        ),
      }),
    },
    {
      size,
      conflicts: true,
      colours: isDark
        ? { ink, given: "#34343e", right: "#4fc79b", wrong: "#ff9d66", conflict: "#ff9d66" }
        : { ink },
    },
  );
  context.strokeStyle = CATEGORICAL[0];
  context.lineWidth = 3;
  const side = size / 9;
  context.strokeRect((cell % 9) * side + 1, Math.floor(cell / 9) * side + 1, side - 2, side - 2);
  context.restore();
}

/** The colours of the oscillators of 81 cells at a time between two frames. */
export function drawOscillators(
  context: Context,
  frames: readonly SudokuFrame[],
  time: number,
  start: number,
): void {
  const [before, after] = [frames[Math.floor(time)]!, frames[Math.ceil(time)]!].map(
    ({ starts }) => starts[start]!.colours,
  ) as [Uint8Array, Uint8Array];
  const share = time - Math.floor(time);
  const data = new Uint8ClampedArray(4 * CELLS).fill(255);
  for (let i = 0; i < CELLS; i++)
    for (let c = 0; c < 3; c++)
      data[4 * i + c] = (1 - share) * before[3 * i + c]! + share * after[3 * i + c]!;
  putPixels(context, { data, width: 9, height: 9 }, FIGURE);
}

/** Probability of each digit in one cell over the timesteps, and a line at the current time. */
export function drawOpinion(
  context: Context,
  frames: readonly SudokuFrame[],
  time: number,
  start: number,
  cell: number,
): void {
  const [left, height] = [20, FIGURE - 4];
  const ink = getComputedStyle(context.canvas).color;
  const data = new Uint8ClampedArray(4 * DIGITS * frames.length);
  frames.forEach(({ starts }, t) => {
    for (let digit = 0; digit < DIGITS; digit++)
      data.set(
        [...scalarColour(SEQUENTIAL, 1 - starts[start]!.probabilities[cell * DIGITS + digit]!), 255],
        4 * (digit * frames.length + t),
      );
  });
  context.save();
  context.translate(left, 2);
  putPixels(context, { data, width: frames.length, height: DIGITS }, FIGURE - left, height);
  context.restore();
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = ink;
  context.textAlign = "center";
  for (let digit = 0; digit < DIGITS; digit++)
    context.fillText(String(digit + 1), left / 2, 2 + ((digit + 0.5) * height) / DIGITS + 4);
  context.strokeStyle = CATEGORICAL[1];
  context.lineWidth = 2;
  const x = left + ((time + 0.5) / frames.length) * (FIGURE - left);
  context.beginPath();
  context.moveTo(x, 2);
  context.lineTo(x, 2 + height);
  context.stroke();
}

/** The energies of all starts without the first timesteps, the shown start last and in colour. */
export function energyLines(frames: readonly SudokuFrame[], shown: number): readonly ChartLine[] {
  const count = frames[0]?.starts.length ?? 0;
  const order = [...Array(count).keys()].sort((a, b) => Number(a === shown) - Number(b === shown));
  return order.map((start) => ({
    values: frames.slice(SKIPPED).map(({ starts }) => starts[start]!.energy),
    colour: start === shown ? CATEGORICAL[1] : "#8886",
  }));
}
