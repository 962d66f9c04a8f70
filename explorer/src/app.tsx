import { effect, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { ExplorerState } from "./address.js";
import { readAddress, writeAddress } from "./address.js";
import type { Frame } from "./compute/frame.js";
import { startLab } from "./compute/client.js";
import { Run } from "./komplexnet/run.js";
import { loadSamples } from "./komplexnet/scene.js";
import { loadRecording } from "./komplexnet/recording.js";
import { KomplexNetView } from "./komplexnet/view.js";
import { en } from "./texts/en.js";
import { zh } from "./texts/zh.js";

const TEXTS = { en, zh } as const;

export function App() {
  const first = useMemo(() => readAddress(location.hash), []);
  const state = useSignal<ExplorerState>(first.state);
  const ignored = useSignal(first.ignored);
  const start = useSignal<
    { readonly samples: ImageBitmap; readonly recording: readonly Frame[] } | undefined
  >(undefined);
  const problem = useSignal<string | undefined>(undefined);
  const copied = useSignal(false);
  const texts = TEXTS[state.value.language];
  const run = useMemo(() => new Run(startLab, () => state.value), []);

  useEffect(() => {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) run.isPlaying.value = false;
    Promise.all([loadSamples(), loadRecording()]).then(
      ([samples, recording]) => {
        start.value = { samples, recording };
        // The recording moves first: the networks would take the processor from it.
        if (recording.length > 0) setTimeout(() => void run.open(), 500);
        else void run.open();
      },
      (error: unknown) => {
        problem.value = error instanceof Error ? error.message : String(error);
      },
    );
    const follow = (): void => {
      const read = readAddress(location.hash);
      [state.value, ignored.value] = [read.state, read.ignored];
    };
    addEventListener("hashchange", follow);
    const stop = effect(() => {
      const address = writeAddress(state.value);
      history.replaceState(null, "", address === "" ? location.pathname : `#${address}`);
      document.documentElement.lang = state.value.language;
    });
    return () => {
      removeEventListener("hashchange", follow);
      stop();
    };
  }, []);

  return (
    <main>
      <header>
        <h1>{texts.title}</h1>
        <p>{texts.tagline}</p>
        <nav>
          <button
            type="button"
            onClick={() => {
              void navigator.clipboard.writeText(location.href).then(() => {
                copied.value = true;
              });
            }}
          >
            {copied.value ? texts.copied : texts.copyLink}
          </button>
          <button
            type="button"
            onClick={() => {
              state.value = { ...state.value, language: state.value.language === "en" ? "zh" : "en" };
            }}
          >
            {texts.language}
          </button>
        </nav>
      </header>
      {ignored.value.length > 0 && (
        <p role="status" class="notice">
          {texts.ignored}
          {ignored.value.join(", ")}
        </p>
      )}
      {(problem.value ?? run.problem.value) !== undefined && (
        <p role="alert" class="notice">
          {problem.value ?? run.problem.value}
        </p>
      )}
      <p class="caption">{texts.caption}</p>
      {start.value !== undefined && <KomplexNetView run={run} state={state} texts={texts} {...start.value} />}
      <footer>{texts.source}</footer>
    </main>
  );
}
