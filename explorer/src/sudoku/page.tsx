import { useEffect, useMemo } from "preact/hooks";
import { startSudokuLab } from "../compute/sudoku-client.js";
import { PageFrame } from "../parts/page.js";
import { Player } from "../parts/player.js";
import { useAddress } from "../parts/use-address.js";
import { en } from "../texts/sudoku-en.js";
import { zh } from "../texts/sudoku-zh.js";
import { SUDOKU_ADDRESS } from "./state.js";
import "./sudoku.css";
import { SudokuView } from "./view.js";

const TEXTS = { en, zh } as const;

/** The view of AKOrN on Sudoku with all that it loads. */
export function SudokuPage() {
  const { state, ignored } = useAddress(SUDOKU_ADDRESS);
  const player = useMemo(() => new Player(startSudokuLab(), () => state.value.speed), []);
  const texts = TEXTS[state.value.language];
  useEffect(() => {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) player.clock.isPlaying.value = false;
  }, []);
  return (
    <PageFrame
      view="sudoku"
      state={state}
      ignored={ignored.value}
      problem={player.problem}
      tagline={texts.tagline}
      caption={texts.caption}
      source={texts.source}
    >
      <SudokuView player={player} state={state} texts={texts} />
    </PageFrame>
  );
}
