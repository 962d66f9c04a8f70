import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { Frame } from "../compute/frame.js";
import { startLab } from "../compute/client.js";
import { loadSamples } from "../parts/digits.js";
import { PageFrame } from "../parts/page.js";
import { useAddress } from "../parts/use-address.js";
import { textsOf } from "../texts/texts.js";
import { probability } from "./phases.js";
import { loadRecording } from "./recording.js";
import { Run } from "./run.js";
import { KOMPLEXNET_ADDRESS } from "./state.js";
import { KomplexNetView } from "./view.js";

const NETWORKS = ["kuramoto", "real", "random"] as const;
const CLASSES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const;

/** The view of KomplexNet with all that it loads. */
export function KomplexNetPage() {
  const { state, ignored } = useAddress(KOMPLEXNET_ADDRESS);
  const start = useSignal<
    { readonly samples: ImageBitmap; readonly recording: readonly Frame[] } | undefined
  >(undefined);
  const problem = useSignal<string | undefined>(undefined);
  const texts = textsOf(state.value.language);
  const run = useMemo(() => new Run(startLab, () => state.value), []);

  useEffect(() => {
    Promise.all([loadSamples(), loadRecording()]).then(
      ([samples, recording]) => {
        start.value = { samples, recording };
        // The recording starts before the networks load, because loading takes so much of the processor that
        // the recording would stutter.
        if (recording.length > 0) setTimeout(() => void run.open(), 500);
        else void run.open();
      },
      (error: unknown) => {
        problem.value = error instanceof Error ? error.message : String(error);
      },
    );
  }, []);

  return (
    <PageFrame
      view="komplexnet"
      state={state}
      ignored={ignored.value}
      problem={problem.value ?? run.problem.value}
      tagline={texts.tagline}
      caption={texts.caption}
      source={texts.source}
      table={() => ({
        columns: ["timestep", ...NETWORKS.flatMap((name) => CLASSES.map((digit) => `${name}_${digit}`))],
        rows: run.frames.value.map(({ logits }, t) => [
          t + 1,
          ...NETWORKS.flatMap((name) => Array.from(logits[name], probability)),
        ]),
      })}
    >
      {start.value !== undefined && <KomplexNetView run={run} state={state} texts={texts} {...start.value} />}
    </PageFrame>
  );
}
