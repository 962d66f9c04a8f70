import type { ReadonlySignal, Signal } from "@preact/signals";
import { computed, useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { Population } from "../compute/v1-frame.js";
import { ORIENTATIONS, PHASES, POSITIONS } from "../compute/v1-frame.js";
import { Canvas } from "../parts/canvas.js";
import { Figure } from "../parts/controls.js";
import { everyFrame } from "../parts/every-frame.js";
import { OwnPictureNotices, useOwnPicture } from "../parts/own-picture.js";
import { Lesson } from "../parts/lesson.js";
import type { V1Texts } from "../texts/v1-en.js";
import { CellGrid } from "./cell-grid.js";
import { V1Controls } from "./controls.js";
import {
  CURVE_HEIGHT,
  POLAR_HEIGHT,
  SIDE,
  colourOf,
  drawCurve,
  drawPreferences,
  drawResponseMap,
  fullResponse,
  kindOf,
  nearestCell,
  responseAt,
  strengthOf,
} from "./drawings.js";
import { Explanations } from "./explanations.js";
import type { V1Run } from "./run.js";
import { LIMITS, START, hasAngle } from "./state.js";
import type { V1State } from "./state.js";
import { StimulusEditor } from "./stimulus-editor.js";
import { stimulusImage } from "./stimulus.js";

export interface V1ViewProps {
  readonly run: V1Run;
  readonly state: Signal<V1State>;
  readonly samples: ImageBitmap;
  readonly texts: V1Texts;
}

export function V1View({ run, state, samples, texts }: V1ViewProps) {
  const phase = useSignal(state.value.phase);
  const pixels = useSignal<Float32Array | undefined>(undefined);
  const change = (to: Partial<V1State>): void => {
    state.value = { ...state.value, ...to };
  };
  const own = useOwnPicture(() => {
    change({ stimulus: "own" });
  });
  // If the picture of a link is not here, the view shows the grating with which it starts.
  const shown = useComputed<V1State>(() =>
    state.value.stimulus === "own" && own.bitmap.value === undefined
      ? { ...state.value, stimulus: START.stimulus }
      : state.value,
  );
  useLiveStimulus(run, shown, samples, own.bitmap, phase, pixels);

  const population = run.population.value;
  const { stimulus } = shown.value;
  const isSettled = useComputed(
    () =>
      state.value.drift > 0 || run.asked.value === undefined || run.asked.value === run.answer.value?.pixels,
  );
  const strengths = useMemo(
    () =>
      computed(() => {
        const [cells, answer] = [run.population.value, run.answer.value];
        if (cells === undefined || answer === undefined) return [];
        const { column, row } = state.value;
        return Array.from(cells.orientation, (_, one) =>
          strengthOf(cells, one, responseAt(answer.responses, one, column, row)),
        );
      }),
    [run],
  );
  const response = useComputed(() => {
    const { cell, column, row } = state.value;
    return run.answer.value && responseAt(run.answer.value.responses, cell, column, row);
  });

  return (
    <>
      <OwnPictureNotices own={own} isWanted={state.value.stimulus === "own"} texts={texts} />
      <div class="columns" aria-busy={!isSettled.value}>
        <div>
          <Figure
            title={texts.picture}
            help={
              stimulus === "own"
                ? texts.ownHelp
                : stimulus === "grating"
                  ? texts.gratingHelp
                  : texts.movedHelp
            }
          >
            <StimulusEditor
              state={shown.value}
              pixels={pixels}
              population={population}
              words={texts}
              onChange={change}
            />
          </Figure>
          <V1Controls state={state} phase={phase} population={population} own={own} texts={texts} />
        </div>
        {population !== undefined && (
          <CellFigures {...{ run, state: shown, population, phase, strengths, response, texts, change }} />
        )}
      </div>
      <Lesson<V1State>
        texts={texts}
        states={[{}, { drift: 0, cell: 12 }, { drift: 0, cell: 41 }, { variant: "unif1" }]}
        onShow={(to) => {
          change({ ...START, language: state.value.language, ...to });
        }}
      />
      <Explanations state={state.value} texts={texts} />
      <Facts run={run} texts={texts} />
    </>
  );
}

interface CellFiguresProps {
  readonly run: V1Run;
  readonly state: ReadonlySignal<V1State>;
  readonly population: Population;
  readonly phase: ReadonlySignal<number>;
  readonly strengths: ReadonlySignal<readonly number[]>;
  readonly response: ReadonlySignal<number | undefined>;
  readonly texts: V1Texts;
  readonly change: (to: Partial<V1State>) => void;
}

/** The figures of the population and those of the chosen cell, in two columns. */
function CellFigures(props: CellFiguresProps) {
  const { run, state, population, phase, strengths, response, texts, change } = props;
  const { cell, column, row, stimulus, orientation, frequency } = state.value;
  const kind = kindOf(population, cell);
  const full = fullResponse(population, kind);
  const labelOf = (one: number): string => cellLabel(population, one, texts);
  const chooseCell = (one: number): void => {
    change({ cell: one });
  };
  return (
    <>
      <div>
        <Figure title={texts.fields} help={texts.fieldsHelp}>
          <CellGrid
            population={population}
            strengths={strengths}
            chosen={cell}
            labelOf={labelOf}
            titles={{
              all: texts.fields,
              simple: texts["simple-cells"],
              complex: texts["complex-cells"],
            }}
            onChoose={chooseCell}
          />
        </Figure>
        <Figure title={texts.map} help={texts.mapHelp}>
          <ResponseLine label={labelOf(cell)} response={response} texts={texts} />
          <div class="editor">
            <Canvas
              width={SIDE}
              height={SIDE}
              label={texts.map}
              onPick={(x, y) => {
                change({ column: positionOf(x), row: positionOf(y) });
              }}
              draw={(context) => {
                if (run.answer.value !== undefined)
                  drawResponseMap(context, population, run.answer.value.responses, cell);
              }}
            />
            <PlaceHandle column={column} row={row} label={texts.place} onChange={change} />
          </div>
        </Figure>
      </div>
      <div>
        <Figure title={texts.polar} help={texts.polarHelp}>
          <Canvas
            width={SIDE}
            height={POLAR_HEIGHT}
            label={`${texts.polar}. ${labelOf(cell)}`}
            onPick={(x, y) => {
              chooseCell(nearestCell(population, x * SIDE, y * POLAR_HEIGHT));
            }}
            draw={(context) => {
              drawPreferences(context, population, {
                strengths: strengths.value,
                chosen: cell,
                stimulus: hasAngle(stimulus)
                  ? { orientation, ...(stimulus === "grating" && { frequency }) }
                  : undefined,
                words: texts,
              });
            }}
          />
        </Figure>
        <Figure title={texts.tuning} help={texts.tuningHelp}>
          <Canvas
            width={SIDE}
            height={CURVE_HEIGHT}
            label={`${texts.tuning}, ${labelOf(cell)}`}
            draw={(context) => {
              if (run.tuning.value?.cell !== cell) return;
              drawCurve(context, {
                values: ORIENTATIONS,
                responses: run.tuning.value.orientation,
                ticks: [0, 45, 90, 135, 180],
                colour: colourOf(kind),
                // The curve shows F1, the response at the drift frequency. F1 of a rectified sinusoid is half
                // its peak.
                top: kind === "simple" ? full / 2 : full,
                mark: hasAngle(stimulus) ? { value: orientation } : undefined,
              });
            }}
          />
        </Figure>
        <Figure title={texts.phaseTuning} help={texts.phaseHelp}>
          <Canvas
            width={SIDE}
            height={CURVE_HEIGHT}
            label={`${texts.phaseTuning}, ${labelOf(cell)}`}
            draw={(context) => {
              if (run.tuning.value?.cell !== cell) return;
              drawCurve(context, {
                values: PHASES,
                responses: run.tuning.value.phase,
                ticks: [0, 90, 180, 270, 360],
                colour: colourOf(kind),
                top: full,
                mark:
                  stimulus === "grating" && response.value !== undefined
                    ? { value: phase.value, response: response.value }
                    : undefined,
              });
            }}
          />
        </Figure>
      </div>
    </>
  );
}

/** Draws the stimulus at every frame and asks for the responses to it, as often as they can be computed. */
function useLiveStimulus(
  run: V1Run,
  state: ReadonlySignal<V1State>,
  samples: ImageBitmap,
  own: ReadonlySignal<ImageBitmap | undefined>,
  phase: Signal<number>,
  pixels: Signal<Float32Array | undefined>,
): void {
  useEffect(() => {
    let shown: V1State | undefined;
    let picture: ImageBitmap | undefined;
    return everyFrame((seconds) => {
      const now = state.value;
      const { stimulus, drift, variant, seed, noise, cell } = now;
      const isDrifting = stimulus === "grating" && drift > 0;
      if (!isDrifting || now.phase !== shown?.phase) phase.value = now.phase;
      else phase.value = (phase.value + 360 * drift * seconds) % 360;
      if (isDrifting || now !== shown || own.value !== picture) {
        pixels.value = stimulusImage(now, phase.value, samples, own.value);
        run.request({ pixels: pixels.value, cell, variant, seed, noise: noise === "on" });
      } else if (noise === "on" && !run.isBusy)
        run.request({ pixels: pixels.value!, cell, variant, seed, noise: true });
      [shown, picture] = [now, own.value];
    });
  }, [run, samples]);
}

/**
 * The response of the chosen cell in words. It is a component of its own, because it changes with every
 * answer.
 */
function ResponseLine(props: {
  readonly label: string;
  readonly response: ReadonlySignal<number | undefined>;
  readonly texts: V1Texts;
}) {
  return (
    <p class="response">
      {props.label}: {props.texts.response} <output>{(props.response.value ?? 0).toFixed(1)}</output>
    </p>
  );
}

interface PlaceHandleProps {
  readonly column: number;
  readonly row: number;
  readonly label: string;
  readonly onChange: (to: Partial<V1State>) => void;
}

function PlaceHandle({ column, row, label, onChange }: PlaceHandleProps) {
  const percent = (position: number): string => `${(100 * position) / POSITIONS}%`;
  return (
    <button
      type="button"
      class="place"
      aria-label={`${label}: ${column + 1}, ${row + 1}`}
      style={{ left: percent(column), top: percent(row), width: percent(1), height: percent(1) }}
      onKeyDown={(event) => {
        const to = {
          ArrowLeft: { column: column - 1 },
          ArrowRight: { column: column + 1 },
          ArrowUp: { row: row - 1 },
          ArrowDown: { row: row + 1 },
        }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        const [position] = Object.values(to) as [number];
        if (position >= LIMITS.column[0] && position <= LIMITS.column[1]) onChange(to);
      }}
    />
  );
}

function Facts({ run, texts }: { readonly run: V1Run; readonly texts: V1Texts }) {
  const duration = run.duration.value;
  return (
    <p class="facts">
      {duration === undefined
        ? texts.opening
        : `${texts.device} wasm, ${duration.toFixed(0)} ${texts.perImage}.`}
    </p>
  );
}

const positionOf = (share: number): number =>
  Math.min(POSITIONS - 1, Math.max(0, Math.floor(share * POSITIONS)));

/** A cell in words: kind, number from 1, preferred orientation and spatial frequency. */
function cellLabel(population: Population, cell: number, texts: V1Texts): string {
  const { orientation, spatialFrequency } = population;
  const kind = texts[kindOf(population, cell)];
  return (
    `${texts.cell} ${cell + 1}, ${kind}, ${orientation[cell]!.toFixed(0)}°, ` +
    `${spatialFrequency[cell]!.toFixed(1)} ${texts.unit}`
  );
}
