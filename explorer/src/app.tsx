import { useSignal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { View } from "./address.js";
import { readView } from "./address.js";
import { KomplexNetPage } from "./komplexnet/page.js";

/** The code of the other views is loaded only if they are shown. */
const LOADED: Readonly<Record<Exclude<View, "komplexnet">, () => Promise<FunctionComponent>>> = {
  akorn: async () => (await import("./akorn/page.js")).AkornPage,
  sudoku: async () => (await import("./sudoku/page.js")).SudokuPage,
  predify: async () => (await import("./predify/page.js")).PredifyPage,
  v1: async () => (await import("./v1/page.js")).V1Page,
};

/** The view that the address names. */
export function App() {
  const view = useMemo(() => readView(location.search).view, []);
  const Loaded = useSignal<FunctionComponent | undefined>(undefined);
  const problem = useSignal<string | undefined>(undefined);
  useEffect(() => {
    if (view === "komplexnet") return;
    LOADED[view]().then(
      (page) => {
        Loaded.value = page;
      },
      (error: unknown) => {
        problem.value = error instanceof Error ? error.message : String(error);
      },
    );
  }, []);
  if (view === "komplexnet") return <KomplexNetPage />;
  if (Loaded.value !== undefined) return <Loaded.value />;
  if (problem.value === undefined) return null;
  return (
    <main>
      <p role="alert" class="notice">
        {problem.value}
      </p>
    </main>
  );
}
