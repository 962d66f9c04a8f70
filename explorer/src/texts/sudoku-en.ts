/** All text of the Sudoku view in English. A translation is a file with the same keys. */
export const en = {
  tagline: "AKOrN: oscillators that solve Sudoku, and solve more boards the longer they run.",
  caption:
    "Every cell of the board has 16 oscillators. The cells pull at each other until the board settles. Eight random starts run side " +
    "by side; the one that ends with the fewest conflicts is shown. Watch the digits change, then edit the board.",
  board: "The board",
  boardHelp:
    "Click a cell, then type a digit, or Delete for a blank; arrow keys move. Grey cells are given. Pale digits are uncertain, struck-out ones wrong.",
  cell: "cell",
  row: "row",
  column: "column",
  blank: "blank",
  oscillators: "Oscillators",
  oscillatorsHelp:
    "Cells with similar oscillators have similar colours (the first three principal components as red, green and blue).",
  opinion: "What the chosen cell thinks",
  opinionHelp: "Probability of each digit over the timesteps: white is 0, dark is 1.",
  conflicts: "Cells in conflict",
  conflictsHelp:
    "Number of cells whose digit occurs twice in a row, column or box. At 0, the board is solved.",
  energy: "Energy",
  energyHelp:
    "One line for each random start, the shown one in colour. The first timesteps, far from the others, are left out.",
  starts: "Eight random starts",
  startsHelp:
    "The state after the last timestep. Click a start to see it. The vote by energy takes the start with the lowest sum of energies.",
  vote: "lowest energy",
  start: "start",
  solved: "solved",
  inConflict: "cells in conflict",
  energySum: "sum of energies",
  notUnique: "The board has no solution, or several: digits are not marked as right or wrong.",
  breaksRules: "The board breaks the rules. The network runs all the same.",
  timestep: "timestep",
  play: "Play",
  pause: "Pause",
  step: "Next timestep",
  timesteps: "timesteps",
  speed: "timesteps per second",
  easy: "New board, 36 given digits",
  hard: "New board, 26 given digits",
  again: "Eight other starts",
  clear: "Empty board",
  reset: "Reset",
  whatTitle: "What you see",
  what1:
    "The network learnt from solved boards with 31 to 42 given digits, at 16 timesteps. It was never told the rules. Run for longer " +
    "than in training, it solves more boards, because wrong digits go on being pulled at until all cells agree.",
  what2:
    "Boards with fewer given digits are harder, and it solves fewer of them. Different starts then end differently. In the paper, the start with " +
    "the lowest energy is right more often than the others. This small network does not gain: of 60 boards with 28 given digits, one start " +
    "solved 35 % on average, the vote 32 %. But a board can be checked, and in 43 % at least one of eight starts had no conflict left.",
  what3:
    "Solved boards come to rest. Put a wrong digit into the board: now no state satisfies all cells, and on most boards the digits go on changing.",
  equations: "The equations",
  equationHelp:
    "x_i is an oscillator, a vector of length 1 with four components, Ω its natural rotation, J the coupling between cells, here self-attention. " +
    'Oscillators of given cells start at the embedding of their digit, those of blank cells at random. c_i is the embedding of the cell\'s digit, or of "blank".',
  code: "Show the code",
  device: "Computed in this tab on",
  perStep: "ms per timestep of eight boards",
  figures: "On 250 new boards:",
  opening: "The network is loading…",
  source:
    "Network: Miyato, Löwe, Geiger, Welling, ICLR 2025 (arXiv:2410.13821), here with an eighth of the published number of channels. Weights, " +
    "boards and figures: made and measured by Striate (striate models).",
} as const;

export type SudokuTexts = { readonly [K in keyof typeof en]: string };
