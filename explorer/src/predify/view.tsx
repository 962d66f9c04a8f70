import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { CATEGORICAL, DIVERGING, scalarColour } from "striate/draw";
import type { PredifyFacts, PredifyFrame, PredifyRequest } from "../compute/predify-frame.js";
import { SIDE, STD } from "../compute/predify-frame.js";
import { Canvas } from "../parts/canvas.js";
import { drawChart } from "../parts/chart.js";
import { Figure } from "../parts/controls.js";
import { SAMPLE, labelOf } from "../parts/digits.js";
import { Handle } from "../parts/handle.js";
import type { OwnPicture } from "../parts/own-picture.js";
import { OwnPictureField, OwnPictureNotices } from "../parts/own-picture.js";
import { mapPixels, putPixels } from "../parts/pixels.js";
import type { Player } from "../parts/player.js";
import { Lesson } from "../parts/lesson.js";
import { Action, Folded, RunTime, WhatYouSee, runFacts, useRun } from "../parts/run-view.js";
import type { PredifyTexts } from "../texts/predify-en.js";
import { codeOf } from "./code.js";
import {
  CHART_HEIGHT,
  FIGURE,
  drawAnswers,
  drawGrey,
  drawReconstructions,
  reconstructionAt,
} from "./drawings.js";
import { ErrorsFigure } from "./errors-figure.js";
import { networkPicture } from "./picture.js";
import type { SliderKey } from "./state-slider.js";
import { StateSlider } from "./state-slider.js";
import type { PredifyState } from "./state.js";
import { AUTHORS, CHOICES, LIMITS, SOURCES, START, weightsOf } from "./state.js";

export type PredifyPlayer = Player<PredifyRequest, PredifyFrame, PredifyFacts>;

export interface PredifyViewProps {
  readonly player: PredifyPlayer;
  readonly state: Signal<PredifyState>;
  readonly samples: ImageBitmap;
  readonly own: OwnPicture;
  /** The field to choose a network of one's own. */
  readonly networkField: ComponentChildren;
  readonly texts: PredifyTexts;
}

/** The figures of a run, its clock and its settings. */
export function PredifyView({ player, state, samples, own, networkField, texts }: PredifyViewProps) {
  const { source, sample, x, y, angle, noise, salt, seed, choice, beta, lambda, alpha, timesteps } =
    state.value;
  const change = (to: Partial<PredifyState>): void => {
    state.value = { ...state.value, ...to };
  };
  const ownShown = source === "digit" ? undefined : own.bitmap.value;
  const isOwn = ownShown !== undefined;
  const pixels = useMemo(
    () => networkPicture(samples, ownShown, state.value),
    [samples, ownShown, source, sample, x, y, angle, noise, salt, seed],
  );
  const weights = weightsOf(state.value);
  useRun(player, { pixels, weights, timesteps }, [pixels, choice, beta, lambda, alpha, timesteps]);
  const now = player.current.value;
  const frames = player.frames.value;
  // Nobody told the page what a picture of one's own shows, so it follows the answer at the end.
  const shown = isOwn ? answerOf(frames.at(-1)) : labelOf(sample);
  const percent = (value: number): string => `${Math.round(100 * value)} %`;
  const probabilityTitle = isOwn ? `${texts.probabilityOwn} ${shown}` : texts.probability;
  const probability = now === undefined ? "" : percent(now.probabilities[shown]!);

  return (
    <>
      <OwnPictureNotices own={own} isWanted={source !== "digit"} texts={texts} />
      <div class="figures" aria-busy={player.isBusy.value}>
        <Figure title={texts.picture} help={isOwn ? texts.pictureOwnHelp : texts.pictureHelp}>
          <div class="editor">
            <Canvas
              width={FIGURE}
              height={FIGURE}
              label={texts.picture}
              draw={(context) => {
                drawGrey(context, pixels);
              }}
            />
            <DigitHandle
              state={state.value}
              label={isOwn ? texts.own : `${texts.digit} ${labelOf(sample)}`}
              change={change}
            />
          </div>
        </Figure>
        <Figure title={texts.reconstructions} help={texts.reconstructionsHelp}>
          <Canvas
            width={FIGURE}
            height={FIGURE}
            label={`${texts.reconstructions}, ${texts.timestep} ${now?.timestep ?? 0}`}
            draw={(context) => {
              const list = player.frames.value;
              if (list.length > 0) drawReconstructions(context, list, player.clock.time.value);
            }}
          />
        </Figure>
        <Figure title={texts.error} help={texts.errorHelp}>
          <Canvas
            width={FIGURE}
            height={FIGURE}
            label={`${texts.error}, ${texts.timestep} ${now?.timestep ?? 0}`}
            draw={(context) => {
              const list = player.frames.value;
              if (list.length === 0) return;
              const predicted = reconstructionAt(list, player.clock.time.value, 0);
              const gaps = pixels.map((value, i) => (value - predicted[i]!) * STD);
              putPixels(
                context,
                mapPixels(gaps, SIDE, (gap) =>
                  scalarColour(DIVERGING, Math.min(1, Math.max(0, (gap + 1) / 2))),
                ),
                FIGURE,
              );
            }}
          />
        </Figure>
        <Figure
          title={texts.answers}
          help={isOwn ? texts.answersHelp : `${texts.answersHelp} ${texts.answersRing}`}
        >
          <Canvas
            width={FIGURE}
            height={FIGURE}
            label={now === undefined ? texts.answers : answerText(now, texts)}
            draw={(context) => {
              const [first] = player.frames.value;
              if (player.current.value !== undefined && first !== undefined)
                drawAnswers(
                  context,
                  player.current.value.probabilities,
                  first.probabilities,
                  isOwn ? undefined : shown,
                );
            }}
          />
        </Figure>
        <Figure title={probabilityTitle} help={texts.probabilityHelp}>
          <p class="response">
            <output>{probability}</output>
          </p>
          <Canvas
            width={FIGURE}
            height={CHART_HEIGHT}
            label={`${probabilityTitle}: ${probability}`}
            draw={(context) => {
              const list = player.frames.value;
              drawChart(context, {
                width: FIGURE,
                height: CHART_HEIGHT,
                lines: [
                  { values: list.map(({ probabilities }) => probabilities[shown]!), colour: CATEGORICAL[0] },
                ],
                range: [0, 1],
                time: player.clock.time.value,
                format: percent,
              });
            }}
          />
        </Figure>
        <ErrorsFigure player={player} texts={texts} />
      </div>
      <RunTime player={player} texts={texts} />
      <section class="controls">
        <OwnPictureField own={own} texts={texts} />
        {networkField}
        <label>
          {texts.which}{" "}
          <select
            value={isOwn ? source : "digit"}
            onChange={(event) => {
              change({ source: event.currentTarget.value as PredifyState["source"] });
            }}
          >
            {SOURCES.map((one) => (
              <option key={one} value={one} disabled={one !== "digit" && own.bitmap.value === undefined}>
                {one === "digit" ? texts.ofThePage : texts[one]}
              </option>
            ))}
          </select>
        </label>
        {slider("noise", texts.noise, 0.01)}
        {slider("salt", texts.salt, 0.01)}
        <label>
          {texts.choice}{" "}
          <select
            value={choice}
            onChange={(event) => {
              change({ choice: event.currentTarget.value as PredifyState["choice"] });
            }}
          >
            {CHOICES.map((one) => (
              <option key={one} value={one}>
                {texts[one]}
              </option>
            ))}
          </select>
        </label>
        {slider("beta", texts.beta, 0.01)}
        {slider("lambda", texts.lambda, 0.01)}
        {slider("alpha", texts.alpha, 0.001)}
        {slider("timesteps", texts.timesteps, 1)}
        {slider("speed", texts.speed, 0.5)}
        {button(texts.other, () => ({ source: "digit", sample: (sample + 37) % 100 }))}
        {button(texts.again, () => ({ seed: (seed % LIMITS.seed[1]) + 1 }))}
        {button(texts.authors, () => ({ choice: "sliders", ...AUTHORS }))}
        {button(texts.off, () => ({ choice: "sliders", beta: 1, lambda: 0, alpha: 0 }))}
        {button(texts.reset, () => ({ ...START, language: state.value.language }))}
      </section>
      <WhatYouSee texts={texts} />
      <Lesson<PredifyState>
        texts={texts}
        states={[
          {},
          { choice: "sliders", beta: 0.4, lambda: 0, alpha: 0.9 },
          { choice: "sliders", beta: 0.4, lambda: 0.35, alpha: 0 },
          { noise: 0 },
        ]}
        onShow={(to) => {
          change({ ...START, language: state.value.language, ...to });
          player.clock.replay();
        }}
      />
      <Folded
        title={texts.equations}
        help={texts.equationHelp}
        code={"r_i(t) = β f_i(t) + λ p_(i+1)(t−1) + (1 − β − λ) r_i(t−1) − α s_i ∂e_i/∂r_i(t−1)"}
      >
        <p>{tunedText(player, texts)}</p>
      </Folded>
      <Folded title={texts.code} code={codeOf(state.value)} />
      <p class="facts">{factsOf(player, texts)}</p>
    </>
  );

  function slider(name: SliderKey, label: string, step: number) {
    return <StateSlider name={name} label={label} step={step} state={state.value} change={change} />;
  }

  function button(label: string, to: () => Partial<PredifyState>) {
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

interface DigitHandleProps {
  readonly state: PredifyState;
  readonly label: string;
  readonly change: (to: Partial<PredifyState>) => void;
}

/** The digit in the picture, which is dragged, or moved and turned with the keyboard. */
function DigitHandle({ state: { x, y, angle }, label, change }: DigitHandleProps) {
  const move = (to: Partial<PredifyState>): void => {
    const inside = (value: number): number => Math.min(SIDE - 4, Math.max(4, Math.round(value * 10) / 10));
    const moved = { x, y, angle, ...to };
    change({ ...moved, x: inside(moved.x), y: inside(moved.y) });
  };
  return (
    <Handle
      picture={SIDE}
      x={x}
      y={y}
      width={(2 * SAMPLE) / 3}
      height={(2 * SAMPLE) / 2.6}
      label={`${label}, ${Math.round(x)}, ${Math.round(y)}`}
      onKey={(event) => {
        const turned = (by: number): number => ((((angle + by + 180) % 360) + 360) % 360) - 180;
        const to = {
          ArrowLeft: { x: x - 1 },
          ArrowRight: { x: x + 1 },
          ArrowUp: { y: y - 1 },
          ArrowDown: { y: y + 1 },
          r: { angle: turned(15) },
          R: { angle: turned(-15) },
        }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        move(to);
      }}
      onDrag={(toX, toY) => {
        move({ x: toX, y: toY });
      }}
    />
  );
}

/** The most probable class of a frame; 0 if there is no frame yet. */
const answerOf = (frame: PredifyFrame | undefined): number =>
  frame === undefined ? 0 : frame.probabilities.indexOf(Math.max(...frame.probabilities));

function answerText(frame: PredifyFrame, texts: PredifyTexts): string {
  const answer = answerOf(frame);
  return `${texts.answers}: ${answer}, ${Math.round(100 * frame.probabilities[answer]!)} %`;
}

function tunedText({ facts }: PredifyPlayer, texts: PredifyTexts): string {
  const sets = facts.value?.tuned.map(
    ({ feedforward, feedback, error }) =>
      `β ${feedforward.toFixed(2)}, λ ${feedback.toFixed(2)}, α ${error.toFixed(3)}`,
  );
  return sets === undefined ? "" : `${texts.tunedValues} ${sets.join("; ")}.`;
}

function factsOf({ milliseconds, facts }: PredifyPlayer, texts: PredifyTexts): string {
  const figures = facts.value?.figures.map(({ name, value }) => `${name}: ${value} %`);
  return runFacts(milliseconds.value?.toFixed(1), figures, texts);
}
