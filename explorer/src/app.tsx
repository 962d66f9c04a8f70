import { useSignal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { readView } from "./address.js";
import { KomplexNetPage } from "./komplexnet/page.js";

/** The view that the address names. The code of V1 is loaded only if it is shown. */
export function App() {
  const view = useMemo(() => readView(location.search).view, []);
  const V1 = useSignal<FunctionComponent | undefined>(undefined);
  useEffect(() => {
    if (view === "v1")
      void import("./v1/page.js").then(({ V1Page }) => {
        V1.value = V1Page;
      });
  }, []);
  if (view === "komplexnet") return <KomplexNetPage />;
  return V1.value === undefined ? null : <V1.value />;
}
