import { drawSudokuBoard, svg } from "../../draw/index.js";
import type { Html } from "../../report/html.js";
import { embeddedJson, markup, number, raw } from "../../report/html.js";
import { CONTROLS_SCRIPT } from "../../report/player-script.js";
import { base64 } from "../../report/png.js";
import { checkSome } from "../../util/check.js";
import { check } from "../../util/errors.js";
import type { SudokuSolution } from "./results.js";

const BOARD = 360;

const CHART = { width: 420, height: 190, left: 58, right: 8, top: 10, bottom: 34 };

/** Largest number of other draws whose curves the player shows. */
const MOST_OTHERS = 40;

const RIGHT = "var(--good)";

const WRONG = "var(--bad)";

/**
 * A player of one board: the board after every timestep, the energy, a slider and a film strip. The film
 * strip works without scripts, too. Given digits have a tinted background, and wrong digits are struck
 * through.
 *
 * @throws StriateError if there are no timesteps or a board does not have 81 cells
 */
export function sudokuPlayer(solution: SudokuSolution): Html {
  const { title, puzzle, steps, energies } = solution;
  checkSome(`Sudoku player "${title}"`, steps.length, "step");
  for (const { length } of [puzzle, solution.solution, ...steps.map(({ digits }) => digits)]) {
    check(length === 81, () => `Sudoku player "${title}": expected boards of 81 cells, got ${length}`);
  }
  const last = steps.length - 1;
  const blanks = puzzle.filter((digit) => digit === 0).length;
  return markup`<article class="player" data-sudoku>
    <header>
      <h3>${title}</h3>
      <p>${81 - blanks} given digits, ${blanks} blank cells</p>
    </header>
    <div style="display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr));gap:14px 28px;align-items:center">
      ${boardSvg(solution, last)} ${energies.length > 0 ? raw(energySvg(solution, last)) : null}
    </div>
    <div class="controls" hidden>
      <button type="button">Play</button>
      <input type="range" min="1" max="${steps.length}" value="${steps.length}" step="1" aria-label="Step">
      <output aria-live="off">step ${steps.length} of ${steps.length}</output>
    </div>
    <p class="readout">${describeStep(solution, last)}</p>
    ${filmStrip(solution)}
    <script type="application/json">
      ${embeddedJson({
        puzzle: puzzle.join(""),
        solution: solution.solution.join(""),
        digits: steps.map(({ digits }) => digits.join("")),
        confidence: base64(
          Uint8Array.from(
            steps.flatMap(({ confidence }) => confidence.map((value) => Math.round(255 * value))),
          ),
        ),
        energies,
        words: steps.map((_, t) => describeStep(solution, t)),
        markers: energies.length > 0 ? steps.map((_, t) => marker(solution, t)) : [],
      })}
    </script>
  </article>`;
}

/** A sentence on a timestep, such as "Step 12: 40 of 45 blank cells right; energy before this step −812." */
function describeStep({ puzzle, solution, steps, energies }: SudokuSolution, t: number): string {
  const { digits } = steps[t]!;
  const blank = [...puzzle.keys()].filter((cell) => puzzle[cell] === 0);
  const right = blank.filter((cell) => digits[cell] === solution[cell]).length;
  const energy = energies[t];
  return (
    `Step ${t + 1}: ${right} of ${blank.length} blank cells right${right === blank.length ? ": solved" : ""}` +
    (energy === undefined ? "." : `; energy before this step ${number(energy, 4).replace("-", "−")}.`)
  );
}

function boardSvg({ puzzle, solution, steps }: SudokuSolution, t: number): Html {
  const { digits, confidence } = steps[t]!;
  const board = svg({ width: BOARD, height: BOARD, label: "The board", margin: 3 }, (context) => {
    drawSudokuBoard(
      context,
      { givens: puzzle, answers: digits, solution, confidence },
      { size: BOARD, colours: { ink: "var(--ink)", given: "var(--tint)", right: RIGHT, wrong: WRONG } },
    );
  });
  return markup`<div class="board" style="width:100%;max-width:400px;margin:0 auto">${raw(board)}</div>`;
}

interface Frame {
  readonly x: (t: number) => number;
  readonly y: (energy: number) => number;
  readonly low: number;
  readonly high: number;
}

function frameOf({ energies, others }: SudokuSolution): Frame {
  // The first two energies, of states near the random start, are far above all others and would flatten the
  // rest of the curve.
  const all = [energies, ...others.map((other) => other.energies)].flatMap((list) =>
    list.slice(Math.min(2, list.length - 1)),
  );
  const [least, most] = all.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
  const room = Math.max(1e-6, 0.06 * (most - least));
  const [low, high] = [least - room, most + room];
  const { width, height, left, right, top, bottom } = CHART;
  const length = Math.max(1, energies.length - 1);
  return {
    x: (t) => left + (t / length) * (width - left - right),
    y: (energy) => {
      const part = Math.min(1, Math.max(0, (energy - low) / (high - low)));
      return height - bottom - part * (height - top - bottom);
    },
    low,
    high,
  };
}

/** Position of the marker after step t: it lies at the energy of the state before the step. */
function marker(solution: SudokuSolution, t: number): [number, number] {
  const { x, y } = frameOf(solution);
  return [Number(x(t).toFixed(1)), Number(y(solution.energies[t] ?? NaN).toFixed(1))];
}

function energySvg(solution: SudokuSolution, t: number): string {
  const { energies, others } = solution;
  const { x, y, low, high } = frameOf(solution);
  const path = (list: readonly number[]) =>
    list.map((energy, i) => `${i === 0 ? "M" : "L"}${x(i).toFixed(1)} ${y(energy).toFixed(1)}`).join("");
  const thin = others
    .slice(0, MOST_OTHERS)
    .map(
      ({ energies: own, solved }) =>
        `<path d="${path(own)}" stroke="${solved ? RIGHT : WRONG}" stroke-width="0.8" opacity="0.5"${solved ? "" : ' stroke-dasharray="4 2"'}/>`,
    );
  const { width, height, left, right, top, bottom } = CHART;
  const [cx, cy] = marker(solution, t);
  const label = (value: number) => number(Math.round(value), 4).replace("-", "−");
  const ticks = [high, low].map(
    (value, i) =>
      `<text x="${left - 6}" y="${i === 0 ? top + 8 : height - bottom + 3}" text-anchor="end" fill="currentColor" opacity="0.8">${label(value)}</text>`,
  );
  const steps = [1, energies.length].map(
    (step, i) =>
      `<text x="${i === 0 ? left : width - right}" y="${height - bottom + 15}" text-anchor="${i === 0 ? "start" : "end"}" fill="currentColor" opacity="0.8">${step}</text>`,
  );
  return `<svg class="energy" role="img" aria-label="Energy at each step" viewBox="0 0 ${width} ${height}" style="display:block;width:100%;max-width:520px" fill="none" font-size="11.5"><path d="M${left} ${top}V${height - bottom}H${width - right}" stroke="currentColor" opacity="0.35"/>${ticks.join("")}${steps.join("")}<text x="${(left + width - right) / 2}" y="${height - 4}" text-anchor="middle" fill="currentColor" font-weight="600">step</text><text transform="translate(12 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle" fill="currentColor" font-weight="600">energy</text>${thin.join("")}<path d="${path(energies)}" stroke="var(--accent)" stroke-width="2.2"/><circle class="now" cx="${cx}" cy="${cy}" r="5" fill="var(--accent)"/></svg>`;
}

/** The steps that the film strip shows: 1, 2, 4 and so on, and the last one. */
export function stripSteps(count: number): number[] {
  const list: number[] = [];
  for (let step = 1; step < count; step *= 2) list.push(step);
  return [...list, count];
}

function filmStrip(solution: SudokuSolution): Html {
  const { title, steps } = solution;
  const shown = stripSteps(steps.length);
  return markup`<div class="strip" role="region" tabindex="0" aria-label="Steps, ${title}">
    <table>
      <thead>
        <tr>
          ${shown.map((step) => markup`<th scope="col">${step}</th>`)}
        </tr>
      </thead>
      <tbody>
        <tr>
          ${shown.map((step) => markup`<td data-t="${step - 1}" style="min-width:84px">${raw(thumbnail(solution, step - 1))}</td>`)}
        </tr>
      </tbody>
    </table>
  </div>`;
}

/** A small board of coloured squares: given, right and wrong cells. */
function thumbnail({ puzzle, solution, steps }: SudokuSolution, t: number): string {
  const { digits } = steps[t]!;
  const squares = (keep: (cell: number) => boolean) =>
    [...puzzle.keys()]
      .filter(keep)
      .map((cell) => `M${cell % 9} ${Math.floor(cell / 9)}h.9v.9h-.9Z`)
      .join("");
  const isRight = (cell: number) => digits[cell] === solution[cell];
  const wrong = squares((cell) => puzzle[cell] === 0 && !isRight(cell));
  const count = wrong.split("M").length - 1;
  return `<svg role="img" aria-label="Step ${t + 1}: ${count} cells wrong" viewBox="0 0 9 9" style="display:block;width:100%"><path d="${squares((cell) => puzzle[cell]! > 0)}" fill="var(--line)"/><path d="${squares((cell) => puzzle[cell] === 0 && isRight(cell))}" fill="${RIGHT}"/><path d="${wrong}" fill="${WRONG}"/></svg>`;
}

/**
 * The script that plays the boards, in plain browser JavaScript. Without it, the page shows the last step and the film
 * strips.
 */
export const SUDOKU_SCRIPT = `
(() => {
  "use strict";
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  document.querySelectorAll("[data-sudoku]").forEach((root) => {
    const data = JSON.parse(root.querySelector("script").textContent);
    const confidence = Uint8Array.from(atob(data.confidence), (c) => c.charCodeAt(0));
    const cells = Array.from(root.querySelectorAll('.board [class^="cell-"]'), (node) => ({
      node,
      cell: Number(node.getAttribute("class").slice(5)),
    }));
    // The script strikes the digits themselves through, so it removes the separate strike lines.
    root.querySelectorAll(".board .strike").forEach((line) => line.remove());
    const marker = root.querySelector(".energy .now");
    const controls = root.querySelector(".controls");
    const [button, slider, output] = ["button", "input", "output"].map((name) => controls.querySelector(name));
    const readout = root.querySelector(".readout");
    const strip = Array.from(root.querySelectorAll(".strip td[data-t]"));
    const steps = data.digits.length;
    controls.hidden = false;
    let now = steps - 1;
    let timer = 0;
    let wanted = !calm.matches;

    function show(t) {
      now = t;
      slider.value = String(t + 1);
      output.textContent = "step " + (t + 1) + " of " + steps;
      slider.setAttribute("aria-valuetext", data.words[t]);
      readout.textContent = data.words[t];
      for (const { node, cell } of cells) {
        const right = data.digits[t][cell] === data.solution[cell];
        node.textContent = data.digits[t][cell];
        node.setAttribute("fill", right ? "${RIGHT}" : "${WRONG}");
        node.setAttribute("text-decoration", right ? "none" : "line-through");
        node.setAttribute("opacity", (0.3 + 0.7 * confidence[81 * t + cell] / 255).toFixed(2));
      }
      if (marker) {
        marker.setAttribute("cx", data.markers[t][0]);
        marker.setAttribute("cy", data.markers[t][1]);
      }
      const last = strip.filter((cell) => Number(cell.dataset.t) <= t).at(-1);
      for (const cell of strip) cell.style.boxShadow = cell === last ? "inset 0 -3px var(--accent)" : "";
    }
    function pause() {
      clearTimeout(timer);
      timer = 0;
      button.textContent = "Play";
    }
    function play() {
      button.textContent = "Pause";
      // Early steps change most: they are shown longer.
      const wait = () => (now === steps - 1 ? 2600 : now < 16 ? 380 : 90);
      const step = () => {
        show((now + 1) % steps);
        timer = setTimeout(step, wait());
      };
      timer = setTimeout(step, 300);
    }
${CONTROLS_SCRIPT}
    calm.addEventListener("change", () => {
      if (!calm.matches) return;
      wanted = false;
      pause();
    });
    new IntersectionObserver(([seen]) => {
      if (!seen.isIntersecting) pause();
      else if (wanted && !timer) play();
    }, { threshold: 0.25 }).observe(root.querySelector(".board"));
    show(now);
  });
})();
`;
