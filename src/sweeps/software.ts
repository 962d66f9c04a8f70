import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { packageFacts } from "../util/package-facts-node.js";
import { installedVersion } from "../util/peers-node.js";

/** The software that decides the numbers of a cell. */
export interface Software {
  readonly striate: string;
  readonly "onnxruntime-node": string;
  /** The major version of Node, on whose mathematical functions the numbers depend. */
  readonly node: string;
  /** A digest of Striate's code and of the versions of the packages that come with it. */
  readonly code: string;
}

let found: Software | undefined;

/** The software of this process. It is read once, because an update of the files does not change a running process. */
export function softwareOf(): Software {
  found ??= {
    striate: packageFacts().version,
    "onnxruntime-node": installedVersion("onnxruntime-node") ?? "none",
    node: process.versions.node.split(".")[0]!,
    code: codeDigest(),
  };
  return found;
}

/** A short name of some software: equal names mean equal numbers on equal processors. */
export function fingerprintOf(software: Software): string {
  const { striate, "onnxruntime-node": runtime, node, code } = software;
  return createHash("sha256")
    .update(JSON.stringify([striate, runtime, node, code]))
    .digest("hex")
    .slice(0, 12);
}

/** One phrase about some software, such as "striate 0.1.0 (code 1f3a...), onnxruntime-node 1.30.0, Node 20". */
export function softwareText({ striate, "onnxruntime-node": runtime, node, code }: Software): string {
  return `striate ${striate} (code ${code}), onnxruntime-node ${runtime}, Node ${node}`;
}

function codeDigest(): string {
  const root = fileURLToPath(new URL("../", import.meta.url));
  const hash = createHash("sha256");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(js|ts)$/.test(name) && !name.endsWith(".d.ts"))
    .map((name) => name.replaceAll("\\", "/"))
    .sort();
  for (const name of files) hash.update(`${name}\n`).update(readFileSync(join(root, name)));
  for (const name of Object.keys(packageFacts().dependencies).sort())
    hash.update(`${name} ${installedVersion(name) ?? "none"}\n`);
  return hash.digest("hex").slice(0, 12);
}
