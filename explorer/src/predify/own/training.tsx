import { useSignal } from "@preact/signals";
import { CATEGORICAL } from "striate/draw";
import { Canvas } from "../../parts/canvas.js";
import { drawChart } from "../../parts/chart.js";
import { Figure, Slider } from "../../parts/controls.js";
import { Action } from "../../parts/run-view.js";
import type { OwnNetworkTexts } from "../../texts/predify-own-en.js";
import { CHART_HEIGHT, FIGURE } from "../drawings.js";
import type { PictureShape } from "./pictures.js";
import { trainingPictures } from "./pictures.js";
import type { OwnSession } from "./session.js";

export interface TrainingSectionProps {
  readonly session: OwnSession;
  readonly shape: PictureShape;
  readonly samples: ImageBitmap;
  readonly own: readonly ImageBitmap[];
  /** Whether black and white of the user's pictures are swapped. */
  readonly isSwapped: boolean;
  readonly preprocessing: string;
  readonly texts: OwnNetworkTexts;
}

/** Trains the decoders on the pictures of the page and of the user, and says what that can and cannot do. */
export function TrainingSection(props: TrainingSectionProps) {
  const { session, shape, samples, own, isSwapped, preprocessing, texts } = props;
  const withDigits = useSignal(true);
  // A step of a network for large pictures takes seconds.
  const steps = useSignal(shape[1] * shape[2] > 100 ** 2 ? 20 : 200);
  const count = own.length + (withDigits.value ? 100 : 0);
  const training = session.training.value;
  const losses = session.losses.value;
  return (
    <section class="explanations">
      <h2>{texts.training}</h2>
      <p>{texts.trainingHelp}</p>
      <p>{texts.few}</p>
      <div class="controls">
        <label>
          <input
            type="checkbox"
            checked={withDigits.value}
            onChange={(event) => {
              withDigits.value = event.currentTarget.checked;
            }}
          />{" "}
          {texts.digits}
        </label>
        <Slider
          label={texts.steps}
          value={steps.value}
          range={[10, 1000]}
          step={10}
          onInput={(value) => {
            steps.value = value;
          }}
        />
        {training === undefined ? (
          <Action
            label={`${texts.training} (${count} ${texts.count})`}
            onClick={() => {
              if (count === 0) return;
              const pictures = trainingPictures(
                shape,
                withDigits.value ? samples : undefined,
                own,
                isSwapped,
              );
              void session.train({ ...pictures, preprocessing, steps: steps.value });
            }}
          />
        ) : (
          <Action
            label={texts.cancel}
            onClick={() => {
              session.cancel();
            }}
          />
        )}
      </div>
      {count === 0 && <p role="status">{texts.noPictures}</p>}
      {training !== undefined && (
        <p>
          <progress aria-label={texts.training} max={training.steps} value={training.step} />{" "}
          <output>
            {`${texts.step} ${training.step} / ${training.steps}`}
            {Number.isFinite(training.loss) && `, ${texts.loss} ${training.loss.toFixed(3)}`}
            {training.secondsLeft !== undefined &&
              `, ${Math.ceil(training.secondsLeft)} ${texts.secondsLeft}`}
          </output>
        </p>
      )}
      <TrainingEndText session={session} texts={texts} />
      {losses.length > 1 && (
        <div class="loss">
          <Figure title={texts.lossTitle} help={texts.lossHelp}>
            <Canvas
              width={FIGURE}
              height={CHART_HEIGHT}
              label={`${texts.lossTitle}: ${losses.at(-1)!.toFixed(3)}`}
              draw={(context) => {
                drawChart(context, {
                  width: FIGURE,
                  height: CHART_HEIGHT,
                  lines: [{ values: losses, colour: CATEGORICAL[0] }],
                  range: [0, Math.max(1, ...losses)],
                  time: losses.length - 1,
                  format: (value) => value.toFixed(1),
                });
              }}
            />
          </Figure>
        </div>
      )}
    </section>
  );
}

function TrainingEndText(props: Pick<TrainingSectionProps, "session" | "texts">) {
  const { session, texts } = props;
  const end = session.end.value;
  if (end === undefined) return null;
  const { step, seen, unseen, before, after, afterUnseen, cancelled } = end;
  const share = (value: number): string => value.toFixed(3);
  const others =
    afterUnseen === undefined
      ? texts.tooFew
      : `${texts.unseen} ${share(afterUnseen)} (${unseen} ${texts.count}).`;
  return (
    <p role="status" class="notice">
      {`${cancelled ? texts.cancelled : texts.trained} ${texts.step} ${step}. ` +
        `${texts.before} ${share(before)} → ${share(after)} (${seen} ${texts.count}). ${others}`}
    </p>
  );
}
