import { useSignal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { readView } from "./address.js";
import { KomplexNetPage } from "./komplexnet/page.js";

/** The view that the address names. The code of V1 is loaded only if it is shown. */
export function App() {
  const view = useMemo(() => readView(location.search).view, []);
  const V1 = useSignal<FunctionComponent | undefined>(undefined);
  const problem = useSignal<string | undefined>(undefined);
  useEffect(() => {
    if (view === "v1")
      import("./v1/page.js").then(
        ({ V1Page }) => {
          V1.value = V1Page;
        },
        (error: unknown) => {
          problem.value = error instanceof Error ? error.message : String(error);
        },
      );
  }, []);
  if (view === "komplexnet") return <KomplexNetPage />;
  if (V1.value !== undefined) return <V1.value />;
  if (problem.value === undefined) return null;
  return (
    <main>
      <p role="alert" class="notice">
        {problem.value}
      </p>
    </main>
  );
}
