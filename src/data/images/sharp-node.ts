import type sharp from "sharp";
import { loadPeer } from "../../util/peers.js";

/**
 * The decoder and encoder of image files, an optional peer.
 *
 * @throws StriateError if the package sharp is absent or does not fit
 */
export function loadSharp(): Promise<typeof sharp> {
  return loadPeer(
    "sharp",
    async () => (await import("sharp")).default,
    ({ versions }) => versions.sharp,
  );
}
