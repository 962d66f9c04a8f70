import type { Signal } from "@preact/signals";
import { useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { PretrainedCard } from "striate/pretrained";
import { Random, placeTetrominoes, tetrominoScene } from "striate";
import { CATEGORICAL, DIVERGING, labelMap, scalarColour } from "striate/draw";
import type { ObjectFrame, ObjectRequest } from "../compute/akorn-frame.js";
import { PICTURE, SIDE } from "../compute/akorn-frame.js";
import { Canvas } from "../parts/canvas.js";
import { Figure, Slider } from "../parts/controls.js";
import { drawChart } from "../parts/chart.js";
import { Handle } from "../parts/handle.js";
import { OwnPictureField, OwnPictureNotices, useOwnPicture } from "../parts/own-picture.js";
import { mapPixels, putPixels } from "../parts/pixels.js";
import type { Player } from "../parts/player.js";
import { Lesson } from "../parts/lesson.js";
import { Action, Folded, RunTime, WhatYouSee, runFacts, useRun } from "../parts/run-view.js";
import type { ObjectTexts } from "../texts/akorn-en.js";
import { codeOf } from "./code.js";
import {
  CHART_HEIGHT,
  FIGURE,
  alignment,
  colourPixels,
  namedSegments,
  ownPixels,
  planePixels,
} from "./drawings.js";
import { ObjectEditor } from "./editor.js";
import type { ObjectState } from "./state.js";
import { LIMITS, SOURCES, START, TRAINED } from "./state.js";

/** A player whose facts are the figures of the network. */
export type ObjectPlayer = Player<ObjectRequest, ObjectFrame, PretrainedCard["figures"]>;

export interface ObjectViewProps {
  readonly player: ObjectPlayer;
  readonly state: Signal<ObjectState>;
  readonly texts: ObjectTexts;
}

/** The figures of a run, its clock and its settings. */
export function ObjectView({ player, state, texts }: ObjectViewProps) {
  const { source, pieces, seed, rate, timesteps, scramble, column, row } = state.value;
  const change = (to: Partial<ObjectState>): void => {
    state.value = { ...state.value, ...to };
  };
  const own = useOwnPicture(() => {
    change({ source: "own" });
    player.clock.replay();
  });
  const ownShown = source === "own" ? own.bitmap.value : undefined;
  const isOwn = ownShown !== undefined;
  const ownPlanes = useMemo(() => ownShown && ownPixels(ownShown), [ownShown]);
  // Without a scramble, the chosen position does not decide the run.
  const at = scramble === 0 ? "" : `${scramble},${column},${row}`;
  useRun(
    player,
    {
      ...{ pieces, own: ownPlanes, seed, rate, timesteps },
      scramble: scramble === 0 ? undefined : { timestep: scramble, column, row },
    },
    [pieces, ownPlanes, seed, rate, timesteps, at],
  );
  const truth = useMemo(() => tetrominoScene(pieces).labels, [pieces]);
  const aligned = useComputed(() => {
    const frame = player.current.value;
    return frame && alignment(frame, state.value.column, state.value.row);
  });
  const percent = (value: number): string => `${Math.round(100 * value)} %`;
  const now = player.current.value;
  const marks = player.frames.value.flatMap(({ isScrambled }, i) => (isScrambled ? [i] : []));
  const agreement = now?.agreement;
  const energies = player.frames.value.map(({ energy }) => energy);

  return (
    <>
      <OwnPictureNotices own={own} isWanted={source === "own"} texts={texts} />
      <div class="figures" aria-busy={player.isBusy.value}>
        <Figure title={texts.picture} help={isOwn ? texts.pictureOwnHelp : texts.pictureHelp}>
          {ownPlanes === undefined ? (
            <ObjectEditor
              pieces={pieces}
              pieceWord={texts.piece}
              onChange={(moved) => {
                change({ pieces: moved });
              }}
            />
          ) : (
            <Canvas
              width={FIGURE}
              height={FIGURE}
              label={texts.picture}
              draw={(context) => {
                putPixels(context, planePixels(ownPlanes), FIGURE);
              }}
            />
          )}
        </Figure>
        <Figure title={texts.oscillators} help={texts.oscillatorsHelp}>
          <div class="editor">
            <Canvas
              width={FIGURE}
              height={FIGURE}
              label={`${texts.oscillators}, ${texts.timestep} ${now?.timestep ?? 0}`}
              onPick={(x, y) => {
                change({ column: positionOf(x), row: positionOf(y) });
              }}
              draw={(context) => {
                const frames = player.frames.value;
                if (frames.length > 0)
                  putPixels(context, colourPixels(frames, player.clock.time.value), FIGURE);
              }}
            />
            <Place {...{ column, row, texts, change }} />
          </div>
        </Figure>
        <Figure title={texts.alignment} help={texts.alignmentHelp}>
          <Canvas
            width={FIGURE}
            height={FIGURE}
            label={`${texts.alignment} ${column + 1}, ${row + 1}`}
            onPick={(x, y) => {
              change({ column: positionOf(x), row: positionOf(y) });
            }}
            draw={(context) => {
              if (aligned.value === undefined) return;
              putPixels(
                context,
                mapPixels(aligned.value, SIDE, (value) => scalarColour(DIVERGING, (value + 1) / 2)),
                FIGURE,
              );
              outline(context, state.value);
            }}
          />
        </Figure>
        <Figure title={texts.segments} help={texts.segmentsHelp}>
          <Canvas
            width={FIGURE}
            height={FIGURE}
            label={
              agreement === undefined
                ? texts.segments
                : `${texts.segments}. ${texts.agreement} ${percent(agreement)}`
            }
            draw={(context) => {
              const frame = player.current.value;
              if (frame?.segments.length !== truth.length) return;
              putPixels(
                context,
                labelMap({
                  height: PICTURE,
                  width: PICTURE,
                  labels: namedSegments(frame, isOwn ? player.frames.value.at(-1)!.segments : truth),
                }),
                FIGURE,
              );
            }}
          />
        </Figure>
        {agreement !== undefined && (
          <Figure title={texts.agreement} help={texts.agreementHelp}>
            <p class="response">
              <output>{percent(agreement)}</output>
            </p>
            <Canvas
              width={FIGURE}
              height={CHART_HEIGHT}
              label={`${texts.agreement} ${percent(agreement)}`}
              draw={(context) => {
                drawChart(context, {
                  width: FIGURE,
                  height: CHART_HEIGHT,
                  lines: [
                    {
                      values: player.frames.value.map((frame) => Math.max(0, frame.agreement ?? 0)),
                      colour: CATEGORICAL[0],
                    },
                  ],
                  range: [0, 1],
                  time: player.clock.time.value,
                  ...{ marks, format: percent },
                });
              }}
            />
          </Figure>
        )}
        <Figure title={texts.energy} help={texts.energyHelp}>
          <p class="response">
            <output>{now?.energy.toFixed(0)}</output>
          </p>
          <Canvas
            width={FIGURE}
            height={CHART_HEIGHT}
            label={`${texts.energy} ${now?.energy.toFixed(0) ?? ""}`}
            draw={(context) => {
              drawChart(context, {
                width: FIGURE,
                height: CHART_HEIGHT,
                lines: [{ values: energies, colour: CATEGORICAL[1] }],
                range: [Math.min(...energies), Math.max(...energies)],
                time: player.clock.time.value,
                ...{ marks, format: (value) => value.toFixed(0) },
              });
            }}
          />
        </Figure>
      </div>
      <RunTime
        player={player}
        texts={texts}
        note={({ isScrambled }) => (isScrambled ? `, ${texts.scrambled}` : "")}
      />
      <section class="controls">
        <OwnPictureField own={own} texts={texts} />
        <label>
          {texts.which}{" "}
          <select
            value={isOwn ? "own" : "pieces"}
            onChange={(event) => {
              change({ source: event.currentTarget.value as ObjectState["source"] });
            }}
          >
            {SOURCES.map((one) => (
              <option key={one} value={one} disabled={one === "own" && own.bitmap.value === undefined}>
                {one === "own" ? texts.own : texts.ofThePage}
              </option>
            ))}
          </select>
        </label>
        {slider("rate", texts.rate, 0.05)}
        {slider("timesteps", texts.timesteps, 1)}
        {slider("scramble", scramble === 0 ? texts.scrambleOff : texts.scramble, 1)}
        {slider("speed", texts.speed, 0.5)}
        {button(texts.other, () => ({ source: "pieces", pieces: placeTetrominoes(new Random(Date.now())) }))}
        {button(texts.sameColour, () => ({
          source: "pieces",
          pieces: pieces.map((piece) => ({ ...piece, colour: pieces[0]?.colour ?? 0 })),
        }))}
        {button(texts.again, () => ({ seed: (seed % LIMITS.seed[1]) + 1 }))}
        {button(texts.scrambleNow, () => ({
          scramble: Math.min(timesteps, Math.max(1, Math.ceil(timesteps / 2))),
        }))}
        {button(texts.trained, () => TRAINED)}
        {button(texts.reset, () => ({ ...START, language: state.value.language }))}
      </section>
      <WhatYouSee texts={texts} />
      <Lesson<ObjectState>
        texts={texts}
        states={[
          {},
          { timesteps: 14, scramble: 7 },
          { pieces: START.pieces.map((piece) => ({ ...piece, colour: START.pieces[0]!.colour })) },
          { seed: 2 },
        ]}
        onShow={(to) => {
          change({ ...START, language: state.value.language, ...to });
          player.clock.replay();
        }}
      />
      <Folded
        title={texts.equations}
        help={texts.equationHelp}
        code={`y_i = c_i + Σ_j J_ij x_j\nx_i ← normalise(x_i + γ (y_i − ⟨x_i, y_i⟩ x_i)),   γ = ${rate}\nE = − Σ_i ⟨x_i, y_i⟩`}
      />
      <Folded title={texts.code} code={codeOf({ ...state.value, source: isOwn ? "own" : "pieces" })} />
      <p class="facts">{factsOf(player, texts)}</p>
    </>
  );

  function slider(key: keyof typeof LIMITS & keyof ObjectState, label: string, step: number) {
    return (
      <Slider
        label={label}
        value={state.value[key]}
        range={key === "scramble" ? [0, timesteps] : LIMITS[key]}
        step={step}
        onInput={(value) => {
          change({
            [key]: value,
            ...(key === "timesteps" && { scramble: Math.min(scramble, value) }),
          });
        }}
      />
    );
  }

  function button(label: string, to: () => Partial<ObjectState>) {
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

const positionOf = (share: number): number => Math.min(SIDE - 1, Math.max(0, Math.floor(share * SIDE)));

/** A frame around the chosen position. */
function outline(context: CanvasRenderingContext2D, { column, row }: ObjectState): void {
  const size = FIGURE / SIDE;
  context.lineWidth = 2;
  context.strokeStyle = "#000";
  context.strokeRect(column * size, row * size, size, size);
}

interface PlaceProps {
  readonly column: number;
  readonly row: number;
  readonly texts: ObjectTexts;
  readonly change: (to: Partial<ObjectState>) => void;
}

/** The mark of the chosen position, which is dragged or moved by the arrow keys. */
function Place({ column, row, texts, change }: PlaceProps) {
  const move = (toColumn: number, toRow: number): void => {
    const inside = (value: number): number => Math.min(SIDE - 1, Math.max(0, Math.round(value)));
    change({ column: inside(toColumn), row: inside(toRow) });
  };
  return (
    <Handle
      className="mark"
      picture={SIDE}
      x={column + 0.5}
      y={row + 0.5}
      width={1.5}
      height={1.5}
      label={`${texts.place} ${column + 1}, ${row + 1}`}
      onKey={(event) => {
        const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (by === undefined) return;
        event.preventDefault();
        move(column + by[0]!, row + by[1]!);
      }}
      onDrag={(x, y) => {
        move(x - 0.5, y - 0.5);
      }}
    />
  );
}

function factsOf({ milliseconds, facts }: ObjectPlayer, texts: ObjectTexts): string {
  const figures = facts.value?.map(({ name, value }) => `${name} ${value} %`);
  return runFacts(milliseconds.value?.toFixed(0), figures, texts);
}
