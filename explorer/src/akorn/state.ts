import type { PlacedTetromino } from "striate";
import { TETROMINOES, TETROMINO_COLOURS } from "striate";
import type { AddressFormat, ViewState } from "../address.js";
import { oneOf, readLanguage, within } from "../address.js";
import { SIDE } from "../compute/akorn-frame.js";

/** Side of the grid on which pieces lie, in its cells. */
export const GRID_CELLS = 7;

/** What the network sees: pieces, or the picture of the user. */
export const SOURCES = ["pieces", "own"] as const;

/** The complete state of the view. The address stores it, so that a link restores the same state. */
export interface ObjectState extends ViewState {
  /** The address says only that the picture was one's own; the picture itself is in no address. */
  readonly source: (typeof SOURCES)[number];
  readonly pieces: readonly PlacedTetromino[];
  /** Random seed of the initial oscillators. */
  readonly seed: number;
  /** gamma, the step size of the oscillators. */
  readonly rate: number;
  readonly timesteps: number;
  /** The timestep after which the oscillators around the chosen position are scrambled; 0 for never. */
  readonly scramble: number;
  /** The chosen position of the map. */
  readonly column: number;
  readonly row: number;
  /** Speed in timesteps per second. */
  readonly speed: number;
}

export const LIMITS = {
  seed: [1, 999],
  rate: [0.05, 2],
  timesteps: [1, 16],
  scramble: [0, 16],
  column: [0, SIDE - 1],
  row: [0, SIDE - 1],
  speed: [0.5, 10],
} as const;

/** A scene with three colours. The step size is smaller than in training, so that the oscillators can be watched. */
export const START: ObjectState = {
  source: "pieces",
  pieces: [
    { kind: 3, colour: 0, column: 1, row: 0 },
    { kind: 9, colour: 2, column: 4, row: 2 },
    { kind: 2, colour: 3, column: 1, row: 4 },
  ],
  seed: 1,
  rate: 0.3,
  timesteps: 12,
  scramble: 0,
  column: 5,
  row: 11,
  speed: 3,
  language: "en",
};

/** The settings with which the network was trained. */
export const TRAINED = { rate: 1, timesteps: 8 } as const;

/** The size of a piece in cells. */
export const sizeOf = (kind: number): readonly [columns: number, rows: number] => [
  TETROMINOES[kind]![0]!.length,
  TETROMINOES[kind]!.length,
];

const PIECE = /^(\d{1,2}),(\d),(\d),(\d)$/;

function readPieces(text: string): readonly PlacedTetromino[] | undefined {
  const found = (text === "" ? [] : text.split(";")).map((part) => PIECE.exec(part)?.slice(1).map(Number));
  if (found.length > 5) return undefined;
  const pieces = found.map((numbers) => {
    const [kind = -1, colour = -1, column = 0, row = 0] = numbers ?? [];
    if (TETROMINOES[kind] === undefined || TETROMINO_COLOURS[colour] === undefined) return undefined;
    const [columns, rows] = sizeOf(kind);
    return column + columns <= GRID_CELLS && row + rows <= GRID_CELLS
      ? { kind, colour, column, row }
      : undefined;
  });
  return pieces.includes(undefined) ? undefined : (pieces as readonly PlacedTetromino[]);
}

export const OBJECT_ADDRESS: AddressFormat<ObjectState> = {
  start: START,
  readers: {
    source: oneOf(SOURCES),
    pieces: readPieces,
    seed: within(LIMITS.seed, true),
    rate: within(LIMITS.rate),
    timesteps: within(LIMITS.timesteps, true),
    scramble: within(LIMITS.scramble, true),
    column: within(LIMITS.column, true),
    row: within(LIMITS.row, true),
    speed: within(LIMITS.speed),
    language: readLanguage,
  },
  textOf: (state, key) =>
    key === "pieces"
      ? state.pieces.map(({ kind, colour, column, row }) => [kind, colour, column, row].join()).join(";")
      : String(state[key]),
};
