import pc from "picocolors";
import { listCache, removeCached, verifyCache } from "../data/sets/cache-node.js";
import { dataCache } from "../data/sets/download-node.js";
import type { Streams } from "./terminal/streams.js";
import { renderTable } from "./terminal/table.js";

/** Bytes as a size in decimal units, such as "11.6 MB". */
export function size(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Lists the data sets in the data cache. */
export async function printCache(streams: Streams): Promise<void> {
  const sets = await listCache();
  const title = `The data cache ${dataCache()}`;
  if (sets.length === 0) {
    streams.out.write(`${title} is empty.\n`);
    return;
  }
  const rows = sets.map(({ name, files, bytes, isIncomplete }) => [
    name,
    String(files),
    size(bytes),
    isIncomplete ? "incomplete; the next use resumes the download" : "",
  ]);
  const total = sets.reduce((sum, { bytes }) => sum + bytes, 0);
  streams.out.write(
    `${renderTable({
      title,
      columns: ["data set", "files", "size", "note"],
      rows,
      notes: [
        `${size(total)} in all; striate cache rm NAME removes a set, which its next use downloads again`,
      ],
      alignLeft: ["note"],
    })}\n`,
  );
}

/** Removes a data set, or all of them for the name "all". */
export async function removeFromCache(name: string, streams: Streams): Promise<void> {
  const names = name === "all" ? (await listCache()).map((set) => set.name) : [name];
  let freed = 0;
  for (const one of names) {
    const removed = await removeCached(one);
    freed += removed?.bytes ?? 0;
    streams.out.write(
      removed ? `removed ${one} (${size(removed.bytes)})\n` : `${one} is not in the data cache\n`,
    );
  }
  if (names.length !== 1) streams.out.write(`${size(freed)} freed in ${dataCache()}\n`);
}

/** Checks the files of the data cache. Returns the exit status: 1 if a file is damaged. */
export async function printVerifiedCache(streams: Streams): Promise<number> {
  const findings = await verifyCache();
  if (findings.length === 0) streams.out.write(`The data cache ${dataCache()} has no files to check.\n`);
  const colour = { intact: pc.green, damaged: pc.red, unknown: pc.yellow };
  for (const { path, verdict, text } of findings)
    streams.out.write(`${colour[verdict](verdict.padEnd(8))} ${path}  ${pc.dim(text)}\n`);
  const damaged = [
    ...new Set(findings.filter(({ verdict }) => verdict === "damaged").map(({ name }) => name)),
  ];
  for (const name of damaged)
    streams.err.write(
      `${name} is damaged: striate cache rm ${name} removes it, and its next use downloads it again\n`,
    );
  return damaged.length === 0 ? 0 : 1;
}
