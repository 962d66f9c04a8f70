import { useMemo } from "preact/hooks";
import { startSudokuLab } from "../compute/sudoku-client.js";
import { PageFrame } from "../parts/page.js";
import { Player } from "../parts/player.js";
import { useAddress } from "../parts/use-address.js";
import type { SudokuTexts } from "../texts/sudoku-en.js";
import { en } from "../texts/sudoku-en.js";
import { translations } from "../texts/translations.js";
import { conflictsIn, filled } from "./judge.js";
import { SUDOKU_ADDRESS, boardText, digitsOf } from "./state.js";
import "./sudoku.css";
import { SudokuView } from "./view.js";

const textsOf = translations<SudokuTexts>(en, async () => (await import("../texts/sudoku-zh.js")).zh);

/** The view of AKOrN on Sudoku with all that it loads. */
export function SudokuPage() {
  const { state, ignored } = useAddress(SUDOKU_ADDRESS);
  const player = useMemo(() => new Player(startSudokuLab(), () => state.value.speed), []);
  const texts = textsOf(state.value.language);
  return (
    <PageFrame
      view="sudoku"
      state={state}
      ignored={ignored.value}
      problem={player.problem}
      tagline={texts.tagline}
      caption={texts.caption}
      source={texts.source}
      table={() => ({
        columns: ["timestep", "start", "energy", "cells_in_conflict", "board"],
        rows: player.frames.value.flatMap(({ timestep, starts }) =>
          starts.map(({ energy, digits }, start) => {
            const puzzle = digitsOf(state.value.board);
            const board = boardText(filled(puzzle, digits));
            return [timestep, start + 1, energy, conflictsIn(puzzle, digits), board];
          }),
        ),
      })}
    >
      <SudokuView player={player} state={state} texts={texts} />
    </PageFrame>
  );
}
