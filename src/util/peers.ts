import { StriateError } from "./errors.js";

/*
 * The optional peers: packages that Striate uses but does not install, because they are large and few users need all of
 * them. Each is loaded at its first use, by one file (`runtime/ort-node.ts`, `runtime/ort-web.ts`,
 * `data/images/sharp-node.ts`, `data/formats/parquet-node.ts`, `report/vega.ts`, and `bullmq.ts`, `redis.ts` and `postgres.ts` in
 * `sweeps/queue/`).
 */

/** An optional peer: what it is for, which versions fit, and what to install. */
export interface Peer {
  readonly what: string;
  /** The oldest version that fits, and with it all later ones of the same major version (of the same minor one for 0.x). */
  readonly oldest: string;
  /** The packages that are installed together. */
  readonly install: readonly string[];
}

/** All optional peers by name; a test compares them with package.json. */
export const PEERS = {
  "onnxruntime-node": {
    what: "ONNX Runtime for Node",
    oldest: "1.30.0",
    install: ["onnxruntime-node"],
  },
  "onnxruntime-web": {
    what: "ONNX Runtime for pages and the device wasm",
    oldest: "1.30.0",
    install: ["onnxruntime-web"],
  },
  sharp: { what: "image files", oldest: "0.35.5", install: ["sharp"] },
  vega: { what: "charts of reports", oldest: "6.4.0", install: ["vega", "vega-lite"] },
  "vega-lite": { what: "charts of reports", oldest: "6.4.3", install: ["vega", "vega-lite"] },
  hyparquet: { what: "Parquet files", oldest: "1.33.0", install: ["hyparquet"] },
  "hyparquet-compressors": {
    what: "Parquet files with other compressions than Snappy",
    oldest: "1.1.2",
    install: ["hyparquet-compressors"],
  },
  bullmq: { what: "queues of sweeps", oldest: "6.7.0", install: ["bullmq", "ioredis"] },
  ioredis: { what: "queues of sweeps on Redis", oldest: "6.0.0", install: ["bullmq", "ioredis"] },
  pg: { what: "queues of sweeps on PostgreSQL", oldest: "8.23.1", install: ["bullmq", "pg"] },
} as const satisfies Readonly<Record<string, Peer>>;

export type PeerName = keyof typeof PEERS;

/**
 * Loads an optional peer.
 *
 * @param load imports the package; its name must be written out there, for bundlers
 * @param versionOf reads the version of the loaded module
 * @throws StriateError if the package is absent, cannot be loaded, or has a version that does not fit
 */
export async function loadPeer<T>(
  name: PeerName,
  load: () => Promise<T>,
  versionOf: (module: T) => string | undefined,
): Promise<T> {
  const module = await load().catch((cause: unknown) => {
    throw peerError(name, cause);
  });
  checkPeerVersion(name, versionOf(module));
  return module;
}

/** The error for a peer that is not installed. */
export function absentPeer(name: PeerName, cause?: unknown): StriateError {
  const { what, install } = PEERS[name];
  return new StriateError(
    `${what}: expected the package ${name}, found none; install it: npm install ${install.join(" ")}`,
    { cause },
  );
}

/** The error for a peer that could not be loaded. It tells a package that is absent from one that is damaged. */
export function peerError(name: PeerName, cause: unknown): StriateError {
  if (cause instanceof StriateError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  // What Node, Vite's stand-in for an absent optional peer, and webpack say. A package that is there, but lacks a
  // file or a package of its own, is named in other ways.
  const missing = /(?:cannot find (?:package|module)|could not resolve) ['"]([^'"]+)['"]/i.exec(message)?.[1];
  if (missing === name || missing?.startsWith(`${name}/`) === true) return absentPeer(name, cause);
  const { what, install } = PEERS[name];
  const reason = message.trim().split("\n")[0] ?? "";
  return new StriateError(
    `${what}: the package ${name} cannot be loaded (${reason}); install it again: npm install ${install.join(" ")}`,
    { cause },
  );
}

/**
 * Throws {@link StriateError} if the version of a peer does not fit. A version that is not known passes, because
 * a page may give a build of its own.
 */
export function checkPeerVersion(name: PeerName, version: string | undefined): void {
  if (version === undefined || fitsPeer(name, version)) return;
  const { what, oldest } = PEERS[name];
  throw new StriateError(
    `${what}: expected ${name} ^${oldest}, got ${version}; install it: npm install "${name}@^${oldest}"`,
  );
}

/** Whether a version of a peer fits, by npm's rule for a caret. What follows the three numbers is ignored. */
export function fitsPeer(name: PeerName, version: string): boolean {
  const [got, oldest] = [numbers(version), numbers(PEERS[name].oldest)];
  const fixed = oldest[0] === 0 ? 2 : 1;
  if (oldest.slice(0, fixed).some((number, i) => number !== got[i])) return false;
  const differs = oldest.findIndex((number, i) => number !== got[i]);
  return differs === -1 || got[differs]! > oldest[differs]!;
}

function numbers(version: string): number[] {
  return version.split(/[-+]/, 1)[0]!.split(".").map(Number);
}

/**
 * The versions that a build of ONNX Runtime reports: its own, under the name of its platform, and that of the
 * onnxruntime-common that it has found.
 */
export interface OrtVersions {
  readonly common?: string;
  readonly node?: string;
  readonly web?: string;
}

/**
 * Checks the version of a build of ONNX Runtime, and that the onnxruntime-common that it uses has the same one: both
 * parts call each other's internals.
 *
 * @throws StriateError if a version does not fit
 */
export function checkOrtVersions(
  name: "onnxruntime-node" | "onnxruntime-web",
  versions: OrtVersions | undefined,
): void {
  const own = name === "onnxruntime-node" ? versions?.node : versions?.web;
  checkPeerVersion(name, own);
  const common = versions?.common;
  if (own === undefined || common === undefined || common === own) return;
  throw new StriateError(
    `${PEERS[name].what}: expected onnxruntime-common ${own}, the version of ${name}, got ${common}; ` +
      `install one version of both: npm install ${name}@${own} onnxruntime-common@${own}`,
  );
}
