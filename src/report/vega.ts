import type * as vega from "vega";
import type * as vegaLite from "vega-lite";
import { loadPeer } from "../util/peers.js";

/**
 * What draws the charts: two optional peers.
 *
 * @throws StriateError if the package vega or vega-lite is absent or does not fit
 */
export async function loadVega(): Promise<
  Pick<typeof vega, "parse" | "View"> & Pick<typeof vegaLite, "compile">
> {
  const { parse, View } = await loadPeer(
    "vega",
    () => import("vega"),
    ({ version }) => version,
  );
  const { compile } = await loadPeer(
    "vega-lite",
    () => import("vega-lite"),
    ({ version }) => version,
  );
  return { parse, View, compile };
}
