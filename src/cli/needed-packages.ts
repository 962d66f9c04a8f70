import type { Device } from "../runtime/runtime.js";
import type { PeerName } from "../util/peers.js";
import { checkInstalled } from "../util/peers-node.js";

/**
 * Checks that all packages are installed that a command needs which computes on `device` and ends with a report. Without
 * this check, a long run would find at its end that it cannot draw its charts.
 *
 * @throws StriateError that names the first absent package and says what to type
 */
export function checkReportPackages(device: Device, ...more: PeerName[]): void {
  checkInstalled(
    "onnxruntime-node",
    ...(device === "wasm" ? (["onnxruntime-web"] as const) : []),
    "vega",
    "vega-lite",
    ...more,
  );
}
