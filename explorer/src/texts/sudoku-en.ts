/** All text of the Sudoku view in English. A translation is a file with the same keys. */
export const en = {
  tagline: "AKOrN: oscillators that solve Sudoku, and solve more boards if they run longer than in training.",
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
  opinionHelp: "Probability of each digit over the timesteps: pale is 0, dark is 1.",
  conflicts: "Cells in conflict",
  conflictsHelp:
    "Number of cells whose digit occurs twice in a row, column or box. At 0, the board is solved.",
  energy: "Energy",
  energyHelp:
    "One line for each random start, the one shown in colour. The energy can rise as well as fall, because the oscillators also rotate and the coupling changes. The first four timesteps, whose energies are far from the rest, are left out.",
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
    "The network learnt from solved boards with 31 to 42 given digits, at 16 timesteps. It was never told the rules. If it runs for longer than in training, it solves more boards: the cells go on pulling at a wrong digit until it changes.",
  what2:
    "Boards with fewer given digits are harder, and it solves fewer of them. Different starts then often end differently. In the paper, the start with " +
    "the lowest energy is right more often than the others. This small network does not gain from the vote: of 60 boards with 28 given digits, one start " +
    "solved 35 % on average, the vote 32 %. But a board can be checked, and in 43 % at least one of eight starts had no conflict left.",
  what3:
    "A solved board usually stays as it is. Put a wrong digit into the board: now no state satisfies all cells, and on most boards the digits go on changing.",
  equations: "The equations",
  equationHelp:
    "x_i is an oscillator, a vector of length 1 with four components, Ω its natural rotation, y_i the total pull on it, γ the step size, J the coupling between cells, here self-attention. " +
    'Oscillators of given cells start at the embedding of their digit, those of blank cells at random. c_i is the embedding of the cell\'s digit, or of "blank".',
  code: "Show the code",
  device: "Computed in this tab on",
  perStep: "ms per timestep of eight boards",
  figures: "On 250 new boards:",
  opening: "The network is loading…",
  lesson: "Lesson: thinking longer (20 minutes)",
  lesson1:
    "The network was trained with 16 timesteps. This run has 16, too: how many of the eight starts solve the board?",
  lesson2:
    'Now the run has 64. At which timestep does the start shown reach 0 conflicts? In "Eight random starts", click one that fails, and find its cells in conflict: why are they hard to repair?',
  lesson3:
    "A board with 28 given digits. Choose a blank cell and follow what it thinks: when does it change its mind, and what changed in its row, column and box just before?",
  lesson4:
    "The given 9 in row 1 is now a 4. No rule is broken yet, but no solution exists. Watch the digits of the last 20 timesteps. Does the energy show that the board is impossible?",
  lessonQuestion:
    "Nobody told the network the rules. How could you find out which rules it has learnt, and which it has not?",
  lessonAnswer:
    "Count conflicts by kind over many boards: rows, columns and boxes separately. Or use boards on which a digit follows from one rule alone, and look at the probability of that digit. A high average does not show that every rule is known.",
  lessonShow: "Show step",
  lessonSolution: "An answer",
  source:
    "Network: Miyato, Löwe, Geiger, Welling, ICLR 2025 (arXiv:2410.13821), here with an eighth of the published number of channels. Weights, " +
    "boards and figures: made and measured by Striate (striate models).",
} as const;

export type SudokuTexts = { readonly [K in keyof typeof en]: string };
