import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { download } from "../../src/data/sets/download-node.js";
import { acquireLock } from "../../src/util/lock-node.js";
import { temporaryFolder } from "../support/folders.js";
import { ranged, serve } from "../support/server.js";

const bytes = Buffer.from("some bytes");
const checksum = { algorithm: "md5", digest: createHash("md5").update(bytes).digest("hex") } as const;

describe("A download", () => {
  it("gives up on a server that says nothing, or nothing more", async () => {
    const path = join(await temporaryFolder(), "x");
    const silent = await serve(() => undefined, "x");
    const warnings: string[] = [];
    const options = { checksum, patience: 0.2, onWarning: (line: string) => warnings.push(line) };
    const said = "the server has sent nothing for 0.2 seconds; call again to continue";
    await expect(download(silent, path, options)).rejects.toThrow(said);
    expect(warnings).toEqual([
      `Downloading ${silent}: the server has sent nothing for 0.033 seconds; the download ends after 0.2.`,
    ]);
    const half = await serve((_, response) => {
      response.writeHead(200, { "content-length": bytes.length });
      response.write(bytes.subarray(0, 4));
    }, "x");
    await expect(download(half, path, options)).rejects.toThrow(said);
    const { listener, ranges } = ranged(bytes);
    await download(await serve(listener, "x"), path, options);
    expect(ranges).toEqual(["bytes=4-"]);
    expect(await readFile(path)).toEqual(bytes);
  });

  it("is done once if it is asked for twice, and refused while another process does it", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "x");
    const { listener, ranges } = ranged(bytes);
    const url = await serve(listener, "x");
    await Promise.all([download(url, path, { checksum }), download(url, path, { checksum })]);
    expect(ranges).toHaveLength(1);
    expect(await readdir(folder)).toEqual(["x"]);
    const other = join(folder, "y");
    const lock = await acquireLock(`${other}.part`, "download");
    await expect(download(url, other, { checksum })).rejects.toThrow(/download ".*y.part"/);
    await lock.release();
  });
});
