import { useEffect, useMemo } from "preact/hooks";
import { startV1Lab } from "../compute/v1-client.js";
import { PageFrame } from "../parts/page.js";
import { useAddress } from "../parts/use-address.js";
import { useSamples } from "../parts/use-samples.js";
import type { V1Texts } from "../texts/v1-en.js";
import { en } from "../texts/v1-en.js";
import { translations } from "../texts/translations.js";
import { cellTable } from "./cell-table.js";
import { V1Run } from "./run.js";
import { V1_ADDRESS } from "./state.js";
import "./v1.css";
import { V1View } from "./view.js";

const textsOf = translations<V1Texts>(en, async () => (await import("../texts/v1-zh.js")).zh);

/** The view of V1 with all that it loads. */
export function V1Page() {
  const { state, ignored } = useAddress(V1_ADDRESS);
  const { samples, problem } = useSamples();
  const run = useMemo(() => new V1Run(startV1Lab()), []);
  const texts = textsOf(state.value.language);

  useEffect(() => {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) state.value = { ...state.value, drift: 0 };
  }, []);

  return (
    <PageFrame
      view="v1"
      state={state}
      ignored={ignored.value}
      problem={problem.value ?? run.problem}
      tagline={texts.tagline}
      caption={texts.caption}
      source={texts.source}
      table={() => cellTable(run.population.value, run.answer.value?.responses, state.value)}
    >
      {samples.value !== undefined && (
        <V1View run={run} state={state} samples={samples.value} texts={texts} />
      )}
    </PageFrame>
  );
}
