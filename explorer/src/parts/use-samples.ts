import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { loadSamples } from "./digits.js";

/** The digits that come with the page, once they are there, or why they could not be loaded. */
export function useSamples(): {
  readonly samples: Signal<ImageBitmap | undefined>;
  readonly problem: Signal<string | undefined>;
} {
  const samples = useSignal<ImageBitmap | undefined>(undefined);
  const problem = useSignal<string | undefined>(undefined);
  useEffect(() => {
    loadSamples().then(
      (sheet) => {
        samples.value = sheet;
      },
      (error: unknown) => {
        problem.value = error instanceof Error ? error.message : String(error);
      },
    );
  }, []);
  return { samples, problem };
}
