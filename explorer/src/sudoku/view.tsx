import type { Signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { CATEGORICAL } from "striate/draw";
import type { SudokuFacts, SudokuFrame, SudokuRequest } from "../compute/sudoku-frame.js";
import { STARTS } from "../compute/sudoku-frame.js";
import { Canvas } from "../parts/canvas.js";
import { drawChart } from "../parts/chart.js";
import { Figure, Slider } from "../parts/controls.js";
import type { Player } from "../parts/player.js";
import { Lesson } from "../parts/lesson.js";
import { Action, Folded, RunTime, WhatYouSee, runFacts, useRun } from "../parts/run-view.js";
import type { SudokuTexts } from "../texts/sudoku-en.js";
import { codeOf } from "./code.js";
import {
  BOARD,
  CHART_HEIGHT,
  FIGURE,
  SKIPPED,
  drawBoard,
  drawOpinion,
  drawOscillators,
  energyLines,
} from "./drawings.js";
import { conflictsIn, energySums, shownStart, uniqueSolution } from "./judge.js";
import type { SudokuState } from "./state.js";
import { HARD_BOARD, LIMITS, START, boardText, digitsOf, followsRules, newBoard } from "./state.js";

export type SudokuPlayer = Player<SudokuRequest, SudokuFrame, SudokuFacts>;

export interface SudokuViewProps {
  readonly player: SudokuPlayer;
  readonly state: Signal<SudokuState>;
  readonly texts: SudokuTexts;
}

/** The figures of a run, its clock and its settings. */
export function SudokuView({ player, state, texts }: SudokuViewProps) {
  const { board, seed, timesteps, cell } = state.value;
  const change = (to: Partial<SudokuState>): void => {
    state.value = { ...state.value, ...to };
  };
  const puzzle = useMemo(() => digitsOf(board), [board]);
  const solution = useMemo(() => uniqueSolution(board), [board]);
  useRun(player, { puzzle, seed, timesteps }, [puzzle, seed, timesteps]);
  const frames = player.frames.value;
  const shown = useMemo(
    () => shownStart(frames, puzzle, state.value.start),
    [frames, puzzle, state.value.start],
  );
  const answer = player.current.value?.starts[shown];
  const conflicts = useMemo(
    () => frames.map(({ starts }) => conflictsIn(puzzle, starts[shown]!.digits)),
    [frames, puzzle, shown],
  );
  const now = conflicts[player.index.value];
  const place = `${texts.row} ${Math.floor(cell / 9) + 1}, ${texts.column} ${(cell % 9) + 1}`;

  return (
    <>
      {solution === undefined && (
        <p role="status" class="notice">
          {followsRules(board) ? texts.notUnique : texts.breaksRules}
        </p>
      )}
      <div class="figures" aria-busy={player.isBusy.value}>
        <Figure title={texts.board} help={texts.boardHelp}>
          <Board
            state={state.value}
            label={`${texts.cell} ${place}: ${puzzle[cell] === 0 ? texts.blank : puzzle[cell]}`}
            blank={texts.blank}
            change={change}
          >
            <Canvas
              width={BOARD}
              height={BOARD}
              label={`${texts.board}, ${texts.timestep} ${player.current.value?.timestep ?? 0}: ${now ?? 81} ${texts.inConflict}`}
              draw={(context) => {
                drawBoard(context, { puzzle, solution, answer, cell });
              }}
            />
          </Board>
        </Figure>
        <Figure title={texts.oscillators} help={texts.oscillatorsHelp}>
          <Canvas
            width={FIGURE}
            height={FIGURE}
            label={`${texts.oscillators}, ${texts.timestep} ${player.current.value?.timestep ?? 0}`}
            draw={(context) => {
              const list = player.frames.value;
              if (list.length > 0) drawOscillators(context, list, player.clock.time.value, shown);
            }}
          />
        </Figure>
        <Figure title={texts.opinion} help={`${place}. ${texts.opinionHelp}`}>
          <Canvas
            width={FIGURE}
            height={FIGURE}
            label={`${texts.opinion}: ${place}, ${answer?.digits[cell] ?? ""}`}
            draw={(context) => {
              const list = player.frames.value;
              if (list.length > 0) drawOpinion(context, list, player.clock.time.value, shown, cell);
            }}
          />
        </Figure>
        <Figure title={texts.conflicts} help={texts.conflictsHelp}>
          <p class="response">
            <output>{now === 0 ? texts.solved : now}</output>
          </p>
          <Canvas
            width={FIGURE}
            height={CHART_HEIGHT}
            label={`${texts.conflicts}: ${now ?? ""}`}
            draw={(context) => {
              drawChart(context, {
                width: FIGURE,
                height: CHART_HEIGHT,
                lines: [{ values: conflicts, colour: CATEGORICAL[0] }],
                range: [0, Math.max(1, ...conflicts)],
                time: player.clock.time.value,
                format: (value) => value.toFixed(0),
              });
            }}
          />
        </Figure>
        <Figure title={texts.energy} help={texts.energyHelp}>
          <p class="response">
            <output>{answer?.energy.toFixed(0)}</output>
          </p>
          <Canvas
            width={FIGURE}
            height={CHART_HEIGHT}
            label={`${texts.energy} ${answer?.energy.toFixed(0) ?? ""}`}
            draw={(context) => {
              const list = player.frames.value;
              const lines = energyLines(list, shown);
              const all = lines.flatMap(({ values }) => values);
              drawChart(context, {
                width: FIGURE,
                height: CHART_HEIGHT,
                lines,
                range: [Math.min(...all), Math.max(...all)],
                time: Math.max(0, player.clock.time.value - SKIPPED),
                format: (value) => value.toFixed(0),
              });
            }}
          />
        </Figure>
        <Figure title={texts.starts} help={texts.startsHelp}>
          <Starts {...{ frames, puzzle, shown, texts, change }} chosen={state.value.start} />
        </Figure>
      </div>
      <RunTime player={player} texts={texts} />
      <section class="controls">
        {slider("timesteps", texts.timesteps)}
        {slider("speed", texts.speed)}
        {button(texts.easy, () => ({ board: newBoard(36, Date.now()) }))}
        {button(texts.hard, () => ({ board: newBoard(26, Date.now()) }))}
        {button(texts.again, () => ({ seed: (seed % LIMITS.seed[1]) + 1 }))}
        {button(texts.clear, () => ({ board: ".".repeat(81) }))}
        {button(texts.reset, () => ({ ...START, language: state.value.language }))}
      </section>
      <WhatYouSee texts={texts} />
      <Lesson<SudokuState>
        texts={texts}
        states={[{ timesteps: 16 }, {}, { board: HARD_BOARD }, { board: START.board.replace("9", "4") }]}
        onShow={(to) => {
          change({ ...START, language: state.value.language, ...to });
          player.clock.replay();
        }}
      />
      <Folded
        title={texts.equations}
        help={texts.equationHelp}
        code={`y_i = c_i + Σ_j J_ij x_j\nx_i ← normalise(x_i + γ (Ω x_i + y_i − ⟨x_i, y_i⟩ x_i))\nE = − Σ_i ⟨x_i, y_i⟩`}
      />
      <Folded title={texts.code} code={codeOf(state.value)} />
      <p class="facts">{factsOf(player, texts)}</p>
    </>
  );

  function slider(key: "timesteps" | "speed", label: string) {
    return (
      <Slider
        label={label}
        value={state.value[key]}
        range={LIMITS[key]}
        step={1}
        onInput={(value) => {
          change({ [key]: value });
        }}
      />
    );
  }

  function button(label: string, to: () => Partial<SudokuState>) {
    return (
      <Action
        label={label}
        onClick={() => {
          change(to());
          player.clock.replay();
        }}
      />
    );
  }
}

interface BoardProps {
  readonly state: SudokuState;
  readonly label: string;
  readonly blank: string;
  readonly change: (to: Partial<SudokuState>) => void;
  readonly children: preact.ComponentChildren;
}

/** A board whose cells are chosen by clicks or arrow keys and filled by keys or buttons. */
function Board({ state: { board, cell }, label, blank, change, children }: BoardProps) {
  const put = (digit: number): void => {
    const digits = digitsOf(board);
    digits[cell] = digit;
    change({ board: boardText(digits) });
  };
  return (
    <>
      <div class="board">
        {children}
        <button
          type="button"
          class="cells"
          aria-label={label}
          onClick={(event) => {
            if (event.detail === 0) return;
            const box = event.currentTarget.getBoundingClientRect();
            const part = (position: number, length: number): number =>
              Math.min(8, Math.max(0, Math.floor((9 * position) / length)));
            change({
              cell: 9 * part(event.clientY - box.top, box.height) + part(event.clientX - box.left, box.width),
            });
          }}
          onKeyDown={(event) => {
            const [row, column] = [Math.floor(cell / 9), cell % 9];
            const to = {
              ArrowLeft: 9 * row + ((column + 8) % 9),
              ArrowRight: 9 * row + ((column + 1) % 9),
              ArrowUp: (cell + 72) % 81,
              ArrowDown: (cell + 9) % 81,
            }[event.key];
            if (to !== undefined) change({ cell: to });
            else if (/^[0-9]$/.test(event.key)) put(Number(event.key));
            else if (event.key === "Delete" || event.key === "Backspace") put(0);
            else return;
            event.preventDefault();
          }}
        />
      </div>
      <div class="keys">
        {[1, 2, 3, 4, 5, 6, 7, 8, 9, 0].map((digit) => (
          <button
            key={digit}
            type="button"
            aria-label={digit === 0 ? blank : String(digit)}
            onClick={() => {
              put(digit);
            }}
          >
            {digit === 0 ? "×" : digit}
          </button>
        ))}
      </div>
    </>
  );
}

interface StartsProps {
  readonly frames: readonly SudokuFrame[];
  readonly puzzle: Uint8Array;
  readonly shown: number;
  /** The chosen start, from 1; 0 for the fewest conflicts. */
  readonly chosen: number;
  readonly texts: SudokuTexts;
  readonly change: (to: Partial<SudokuState>) => void;
}

/** How every start ended, and buttons that choose one. */
function Starts({ frames, puzzle, shown, chosen, texts, change }: StartsProps) {
  const last = frames.at(-1);
  const sums = useMemo(() => energySums(frames), [frames]);
  const lowest = sums.indexOf(Math.min(...sums));
  return (
    <ul class="starts">
      {Array.from({ length: STARTS }, (_, start) => {
        const conflicts = last && conflictsIn(puzzle, last.starts[start]!.digits);
        return (
          <li key={start}>
            <button
              type="button"
              aria-pressed={start === shown}
              onClick={() => {
                change({ start: start + 1 === chosen ? 0 : start + 1 });
              }}
            >
              {`${texts.start} ${start + 1}`}
              {conflicts !== undefined &&
                `: ${conflicts === 0 ? texts.solved : `${conflicts} ${texts.inConflict}`}, ${texts.energySum} ${sums[start]!.toFixed(0)}`}
              {start === lowest && last !== undefined ? ` (${texts.vote})` : ""}
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function factsOf({ milliseconds, facts }: SudokuPlayer, texts: SudokuTexts): string {
  const figures = facts.value?.map(({ name, value }) => `${name}: ${value} %`);
  return runFacts(milliseconds.value?.toFixed(1), figures, texts);
}
