import type { Signal } from "@preact/signals";
import { effect, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { AddressFormat, ViewState } from "../address.js";
import { readAddress, readView, writeAddress } from "../address.js";

/** The state of a view, which follows the address and is written to it, and the parts of the address that were ignored. */
export function useAddress<State extends ViewState>(
  format: AddressFormat<State>,
): { readonly state: Signal<State>; readonly ignored: Signal<readonly string[]> } {
  const read = (): { readonly state: State; readonly ignored: readonly string[] } => {
    const { state, ignored } = readAddress(location.hash, format);
    return { state, ignored: [...readView(location.search).ignored, ...ignored] };
  };
  const first = useMemo(read, []);
  const state = useSignal(first.state);
  const ignored = useSignal(first.ignored);
  useEffect(() => {
    const follow = (): void => {
      const now = read();
      [state.value, ignored.value] = [now.state, now.ignored];
    };
    addEventListener("hashchange", follow);
    const stop = effect(() => {
      const address = writeAddress(state.value, format);
      history.replaceState(null, "", address === "" ? location.pathname + location.search : `#${address}`);
      document.documentElement.lang = state.value.language;
    });
    return () => {
      removeEventListener("hashchange", follow);
      stop();
    };
  }, []);
  return { state, ignored };
}
