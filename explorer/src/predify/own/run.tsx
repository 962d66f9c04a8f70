import type { Signal } from "@preact/signals";
import { useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { CATEGORICAL, DIVERGING, scalarColour } from "striate/draw";
import type { OwnFacts } from "../../compute/own-network-frame.js";
import type { Weights } from "../../compute/predify-frame.js";
import { Canvas } from "../../parts/canvas.js";
import { drawChart } from "../../parts/chart.js";
import { Figure, Slider } from "../../parts/controls.js";
import { FileField } from "../../parts/file-field.js";
import type { OwnPicture } from "../../parts/own-picture.js";
import { mapPixels, putPixels } from "../../parts/pixels.js";
import { Action, RunTime, useRun } from "../../parts/run-view.js";
import type { Table } from "../../parts/save.js";
import type { PredifyTexts } from "../../texts/predify-en.js";
import type { OwnNetworkTexts } from "../../texts/predify-own-en.js";
import { CHART_HEIGHT, FIGURE, drawReconstructions, reconstructionAt } from "../drawings.js";
import { ErrorsFigure } from "../errors-figure.js";
import type { SliderKey } from "../state-slider.js";
import { StateSlider } from "../state-slider.js";
import type { PredifyState } from "../state.js";
import { AUTHORS, LIMITS, SOURCES } from "../state.js";
import { ANSWERS_HEIGHT, drawClasses, shownClasses } from "./answers.js";
import { meanGap, noisyPicture, rgbaOf } from "./pictures.js";
import type { OwnSession } from "./session.js";
import { TrainingSection } from "./training.js";

export interface OwnRunProps {
  readonly session: OwnSession;
  readonly facts: OwnFacts;
  readonly file: File;
  readonly state: Signal<PredifyState>;
  readonly samples: ImageBitmap;
  readonly own: OwnPicture;
  readonly onTable: (table: () => Table | undefined) => void;
  /** The first controls. */
  readonly fields: ComponentChildren;
  readonly texts: OwnNetworkTexts;
  readonly shared: PredifyTexts;
}

/** The figures of a run of a network of the user's, its clock, its settings, and the training of its feedback. */
export function OwnRun(props: OwnRunProps) {
  const { session, facts, file, state, samples, own, onTable, fields, texts, shared } = props;
  const { player } = session;
  const { source, sample, noise, salt, seed, choice, timesteps } = state.value;
  const change = (to: Partial<PredifyState>): void => {
    state.value = { ...state.value, ...to };
  };
  const preprocessing = useSignal(guessedPreprocessing(facts));
  const names = useSignal<readonly string[] | undefined>(facts.classes);
  const namesFile = useSignal<{ readonly name: string; readonly wrong?: number } | undefined>(undefined);
  const chosen = useSignal<number | undefined>(undefined);
  const all = own.all.value;
  useEffect(() => {
    // A new picture is shown.
    chosen.value = undefined;
  }, [all]);
  const index = chosen.value ?? all.length - 1;
  const shown = source === "digit" ? undefined : all[index];
  const { shape, count } = facts;
  const [, height, width] = shape;
  const pixels = useMemo(
    () => noisyPicture(shape, samples, shown, state.value),
    [facts, samples, shown, source, sample, noise, salt, seed],
  );
  const end = session.end.value;
  const weights = weightsFor(state.value, end !== undefined);
  useRun(player, { pixels, preprocessing: preprocessing.value, weights, timesteps }, [
    ...[pixels, preprocessing.value, timesteps, end],
    ...[weights.feedforward, weights.feedback, weights.error],
  ]);
  const classes = useComputed(() => shownClasses(player.frames.value));
  const nameOf = (at: number): string => names.value?.[at] ?? String(at);
  const percent = (value: number): string => `${Math.round(100 * value)} %`;
  const frames = player.frames.value;
  const now = player.current.value;
  const answer = now === undefined ? undefined : now.probabilities.indexOf(Math.max(...now.probabilities));
  const answerText = answer === undefined ? "" : `${nameOf(answer)}, ${percent(now!.probabilities[answer]!)}`;
  const drawn = (FIGURE * height) / width;
  useEffect(() => {
    onTable(() => tableOf(session, nameOf));
  }, [session, names.value]);

  return (
    <>
      <p class="facts">
        {`${texts.title}: ${file.name}, ${texts.takes} ${width} x ${height} x ${shape[0]}, ${count} ${texts.classes}. ${texts.places1} ` +
          facts.pcoders
            .map((pcoder, i) => `${i + 1} ${pcoder.after} (${pcoder.shape.join(" x ")})`)
            .join("; ")}
      </p>
      <div class="figures" aria-busy={player.isBusy.value}>
        <Figure title={texts.picture} help={texts.pictureHelp}>
          <Canvas
            width={FIGURE}
            height={drawn}
            label={texts.picture}
            draw={(context) => {
              putPixels(context, rgbaOf(shape, pixels), FIGURE, drawn);
            }}
          />
        </Figure>
        <Figure
          title={texts.reconstructions}
          help={`${texts.reconstructionsHelp}${end === undefined ? ` ${texts.untrained}` : ""}`}
        >
          <Canvas
            width={FIGURE}
            height={(FIGURE / 2) * Math.ceil(facts.pcoders.length / 2)}
            label={`${texts.reconstructions}, ${shared.timestep} ${now?.timestep ?? 0}`}
            draw={(context) => {
              const list = player.frames.value;
              if (list.length > 0)
                drawReconstructions(context, list, player.clock.time.value, (to, planes, size) => {
                  putPixels(
                    to,
                    rgbaOf(shape, planes),
                    Math.min(size, (size * width) / height),
                    Math.min(size, (size * height) / width),
                  );
                });
            }}
          />
        </Figure>
        <Figure title={texts.unexplained} help={texts.unexplainedHelp}>
          <Canvas
            width={FIGURE}
            height={drawn}
            label={`${texts.unexplained}, ${shared.timestep} ${now?.timestep ?? 0}`}
            draw={(context) => {
              const list = player.frames.value;
              if (list.length === 0) return;
              const gaps = meanGap(shape, pixels, reconstructionAt(list, player.clock.time.value, 0));
              const colourOf = (gap: number) =>
                scalarColour(DIVERGING, Math.min(1, Math.max(0, (gap + 1) / 2)));
              putPixels(context, mapPixels(gaps, width, colourOf), FIGURE, drawn);
            }}
          />
        </Figure>
        <Figure title={texts.answers} help={texts.answersHelp}>
          <Canvas
            width={FIGURE}
            height={ANSWERS_HEIGHT}
            label={`${texts.answers}: ${answerText}`}
            draw={(context) => {
              const [first] = player.frames.value;
              if (first !== undefined && player.current.value !== undefined)
                drawClasses(context, classes.value, player.current.value, first, nameOf);
            }}
          />
        </Figure>
        <Figure title={texts.posterior} help={texts.posteriorHelp}>
          <p class="response">
            <output>{answerText}</output>
          </p>
          <Canvas
            width={FIGURE}
            height={CHART_HEIGHT}
            label={`${texts.posterior}: ${answerText}`}
            draw={(context) => {
              drawChart(context, {
                width: FIGURE,
                height: CHART_HEIGHT,
                lines: classes.value.map((at, i) => ({
                  name: nameOf(at),
                  values: player.frames.value.map(({ probabilities }) => probabilities[at]!),
                  colour: CATEGORICAL[i % CATEGORICAL.length]!,
                })),
                range: [0, 1],
                time: player.clock.time.value,
                format: percent,
              });
            }}
          />
        </Figure>
        <ErrorsFigure player={player} texts={shared} />
      </div>
      {frames.length > 0 && <RunTime player={player} texts={shared} />}
      <section class="controls">
        {fields}
        <label>
          {texts.which}{" "}
          <select
            value={shown === undefined ? "digit" : source}
            onChange={(event) => {
              change({ source: event.currentTarget.value as PredifyState["source"] });
            }}
          >
            {SOURCES.map((one) => (
              <option key={one} value={one} disabled={one !== "digit" && all.length === 0}>
                {one === "digit" ? shared.ofThePage : shared[one]}
              </option>
            ))}
          </select>
        </label>
        {shown !== undefined && all.length > 1 && (
          <Slider
            label={texts.number}
            value={index + 1}
            range={[1, all.length]}
            step={1}
            onInput={(value) => {
              chosen.value = value - 1;
            }}
          />
        )}
        <div class="file">
          <label>
            {texts.preprocessing}{" "}
            <select
              value={facts.preprocessing === undefined ? preprocessing.value : ""}
              disabled={facts.preprocessing !== undefined}
              onChange={(event) => {
                preprocessing.value = event.currentTarget.value;
              }}
            >
              {facts.preprocessing !== undefined && <option value="">{texts.stated}</option>}
              {facts.choices.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
          <small>{facts.preprocessing ?? texts.guessed}</small>
        </div>
        <FileField
          label={texts.names}
          button={texts.chooseNames}
          accept=".txt,text/plain"
          chosen={
            namesFile.value &&
            `${namesFile.value.name}${namesFile.value.wrong === undefined ? "" : `: ${namesFile.value.wrong} ${texts.namesCount} ${count}`}`
          }
          onFiles={([given]) => {
            if (given === undefined) return;
            void given.text().then((text) => {
              const lines = text.trimEnd().split(/\r?\n/);
              const fits = lines.length === count;
              namesFile.value = { name: given.name, ...(!fits && { wrong: lines.length }) };
              if (fits) names.value = lines;
            });
          }}
        />
        {slider("noise", shared.noise, 0.01)}
        {slider("salt", shared.salt, 0.01)}
        <label>
          {shared.choice}{" "}
          <select
            value={choice}
            onChange={(event) => {
              change({ choice: event.currentTarget.value as PredifyState["choice"] });
            }}
          >
            <option value="tuned">{texts.automatic}</option>
            <option value="sliders">{shared.sliders}</option>
          </select>
        </label>
        {slider("beta", shared.beta, 0.01)}
        {slider("lambda", shared.lambda, 0.01)}
        {slider("alpha", shared.alpha, 0.001)}
        {slider("timesteps", shared.timesteps, 1)}
        {slider("speed", shared.speed, 0.5)}
        <Action
          label={shared.other}
          onClick={() => {
            change({ source: "digit", sample: (sample + 37) % 100 });
          }}
        />
        <Action
          label={shared.again}
          onClick={() => {
            change({ seed: (seed % LIMITS.seed[1]) + 1 });
          }}
        />
        <Action
          label={shared.authors}
          onClick={() => {
            change({ choice: "sliders", ...AUTHORS });
          }}
        />
        <Action
          label={shared.off}
          onClick={() => {
            change({ choice: "sliders", beta: 1, lambda: 0, alpha: 0 });
          }}
        />
      </section>
      <TrainingSection
        {...{ session, shape, samples, texts }}
        own={all}
        isSwapped={source === "swapped"}
        preprocessing={preprocessing.value}
      />
      <section class="explanations">
        <Action
          label={texts.export}
          onClick={() => {
            void session.file({ preprocessing: preprocessing.value, timesteps, weights }).then((blob) => {
              if (blob === undefined) return;
              void import("../../parts/save.js").then(({ download }) => {
                download(`p${file.name}`, blob);
              });
            });
          }}
        />
        <p>{texts.exportHelp}</p>
      </section>
      <p class="facts">
        {player.milliseconds.value === undefined
          ? texts.reading
          : `${texts.timing} wasm, ${player.milliseconds.value.toFixed(1)} ${shared.perStep}.`}
      </p>
    </>
  );

  function slider(name: SliderKey, label: string, step: number) {
    return <StateSlider name={name} label={label} step={step} state={state.value} change={change} />;
  }
}

/** beta, lambda and alpha of a run: those of the sliders; otherwise no feedback before the training, and the authors' values after it. */
function weightsFor({ choice, beta, lambda, alpha }: PredifyState, isTrained: boolean): Weights {
  if (choice === "sliders") return { feedforward: beta, feedback: lambda, error: alpha };
  if (!isTrained) return { feedforward: 1, feedback: 0, error: 0 };
  return { feedforward: AUTHORS.beta, feedback: AUTHORS.lambda, error: AUTHORS.alpha };
}

/** The preprocessing that is most common for pictures of a size. */
function guessedPreprocessing({ shape: [channels, height] }: OwnFacts): string {
  if (channels === 1) return "unit";
  return height >= 160 ? "imagenet" : "unit";
}

function tableOf({ player }: OwnSession, nameOf: (index: number) => string): Table {
  const frames = player.frames.value;
  const shown = shownClasses(frames);
  return {
    columns: [
      "timestep",
      ...shown.map((index) => `probability ${nameOf(index)}`),
      ...(frames[0]?.errors.map((_, i) => `error_pcoder_${i + 1}`) ?? []),
    ],
    rows: frames.map(({ timestep, probabilities, errors }) => [
      timestep,
      ...shown.map((index) => probabilities[index]!),
      ...errors,
    ]),
  };
}
