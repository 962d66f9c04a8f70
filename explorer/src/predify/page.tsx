import { useMemo } from "preact/hooks";
import { startPredifyLab } from "../compute/predify-client.js";
import { PageFrame } from "../parts/page.js";
import { Player } from "../parts/player.js";
import { useAddress } from "../parts/use-address.js";
import { useSamples } from "../parts/use-samples.js";
import type { PredifyTexts } from "../texts/predify-en.js";
import { en } from "../texts/predify-en.js";
import { translations } from "../texts/translations.js";
import { PREDIFY_ADDRESS } from "./state.js";
import { PredifyView } from "./view.js";

const textsOf = translations<PredifyTexts>(en, async () => (await import("../texts/predify-zh.js")).zh);

/** The view of Predify with all that it loads. */
export function PredifyPage() {
  const { state, ignored } = useAddress(PREDIFY_ADDRESS);
  const { samples, problem } = useSamples();
  const player = useMemo(() => new Player(startPredifyLab(), () => state.value.speed), []);
  const texts = textsOf(state.value.language);
  return (
    <PageFrame
      view="predify"
      state={state}
      ignored={ignored.value}
      problem={problem.value ?? player.problem}
      tagline={texts.tagline}
      caption={texts.caption}
      source={texts.source}
      table={() => {
        const frames = player.frames.value;
        const numbered = (name: string, list: readonly number[] = [], from = 1): string[] =>
          list.map((_, i) => `${name}_${i + from}`);
        return {
          columns: [
            "timestep",
            ...numbered("probability", frames[0]?.probabilities, 0),
            ...numbered("error_pcoder", frames[0]?.errors),
          ],
          rows: frames.map(({ timestep, probabilities, errors }) => [timestep, ...probabilities, ...errors]),
        };
      }}
    >
      {samples.value !== undefined && (
        <PredifyView player={player} state={state} samples={samples.value} texts={texts} />
      )}
    </PageFrame>
  );
}
