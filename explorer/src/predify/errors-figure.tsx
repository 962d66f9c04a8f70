import { CATEGORICAL } from "striate/draw";
import { Canvas } from "../parts/canvas.js";
import { drawChart } from "../parts/chart.js";
import { Figure } from "../parts/controls.js";
import type { Player } from "../parts/player.js";
import { CHART_HEIGHT, FIGURE } from "./drawings.js";

/** The prediction errors of all PCoders over the timesteps. */
export function ErrorsFigure<Request, Frame extends { readonly errors: readonly number[] }, Facts>(props: {
  readonly player: Player<Request, Frame, Facts>;
  readonly texts: Readonly<Record<"errors" | "errorsHelp", string>>;
}) {
  const { player, texts } = props;
  const frames = player.frames.value;
  const now = player.current.value;
  const percent = (value: number): string => `${Math.round(100 * value)} %`;
  return (
    <Figure
      title={texts.errors}
      help={texts.errorsHelp}
      value={
        <>
          {texts.errorsHelp}
          {frames[0]?.errors.map((_, i) => (
            <span key={i}>
              {" "}
              <i class="key" style={{ background: CATEGORICAL[i]! }} /> {i + 1}
            </span>
          ))}
        </>
      }
    >
      <p class="response">
        <output>{now?.errors.map((error) => error.toFixed(2)).join(" · ")}</output>
      </p>
      <Canvas
        width={FIGURE}
        height={CHART_HEIGHT}
        label={`${texts.errors}: ${now?.errors.map((error) => error.toFixed(2)).join(", ") ?? ""}`}
        draw={(context) => {
          const list = player.frames.value;
          const [first] = list;
          if (first === undefined) return;
          const lines = first.errors.map((start, i) => ({
            values: list.map(({ errors }) => errors[i]! / start),
            name: `relative_error_pcoder_${i + 1}`,
            colour: CATEGORICAL[i]!,
          }));
          drawChart(context, {
            width: FIGURE,
            height: CHART_HEIGHT,
            lines,
            range: [0, Math.max(1, ...lines.flatMap(({ values }) => values))],
            time: player.clock.time.value,
            format: percent,
          });
        }}
      />
    </Figure>
  );
}
