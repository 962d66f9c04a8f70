import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { PeerName } from "./peers.js";
import { absentPeer, checkPeerVersion } from "./peers.js";

const require = createRequire(import.meta.url);

/**
 * The folder of an installed package, such as ".../node_modules/sharp"; undefined if it is not installed. Nothing of the
 * package is loaded.
 */
export function packageFolder(name: string): string | undefined {
  for (const folder of require.resolve.paths(name) ?? []) {
    const found = join(folder, name);
    if (existsSync(join(found, "package.json"))) return found;
  }
  try {
    // Yarn's Plug'n'Play has no folders node_modules, but answers this call.
    return dirname(require.resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** The version of an installed package; undefined if it is not installed. */
export function installedVersion(name: string): string | undefined {
  const folder = packageFolder(name);
  if (folder === undefined) return undefined;
  return (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string }).version;
}

/** The folder of an optional peer. Throws `StriateError` if it is not installed. */
export function peerFolder(name: PeerName): string {
  const folder = packageFolder(name);
  if (folder === undefined) throw absentPeer(name);
  return folder;
}

/**
 * Throws `StriateError` unless the peers are installed in versions that fit. Call it before long work that needs
 * them only at its end.
 */
export function checkInstalled(...names: PeerName[]): void {
  for (const name of names) {
    peerFolder(name);
    checkPeerVersion(name, installedVersion(name));
  }
}
