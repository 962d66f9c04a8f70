import { readdirSync, readlinkSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readIdx } from "../../src/data/formats/idx-node.js";
import { openNpz } from "../../src/data/formats/npz-node.js";
import { readTarGz } from "../../src/data/formats/tar-node.js";
import { openZip } from "../../src/data/formats/zip-node.js";
import { temporaryFolder } from "../support/folders.js";
import { zip } from "../support/zip.js";

const written = async (name: string, bytes: Uint8Array): Promise<string> => {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, bytes);
  return path;
};

/** How often this process has a file open. */
function handlesOf(path: string): number {
  const targets = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  return targets.filter((target) => target === path).length;
}

function npy(shape: string, bytes: Uint8Array, descr = "|u1"): Buffer {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117) + "\n";
  return Buffer.concat([
    Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, 118, 0]),
    Buffer.from(header),
    bytes,
  ]);
}

/** A tar archive of one file and, unless it is cut off, its end. */
function tar(name: string, bytes: Uint8Array, end = true): Buffer {
  const header = Buffer.alloc(512);
  header.write(name);
  header.write(bytes.length.toString(8).padStart(11, "0"), 124);
  header[156] = 0x30;
  const padding = Buffer.alloc((512 - (bytes.length % 512)) % 512);
  return Buffer.concat([header, bytes, padding, ...(end ? [Buffer.alloc(1024)] : [])]);
}

const filesOf = async (path: string, most = 2 ** 20): Promise<string[]> => {
  const names: string[] = [];
  for await (const { name } of readTarGz(path, () => most)) names.push(name);
  return names;
};

describe.skipIf(process.platform !== "linux")("Archives are closed", () => {
  it("when their files were read, or could not be read", async () => {
    const path = await written("a.zip", zip([{ name: "a", bytes: Buffer.alloc(300_000, 1) }]));
    const archive = await openZip(path);
    expect((await archive.read("a")).length).toBe(300_000);
    await expect(archive.read("a", 10)).rejects.toThrow("too large");
    await expect(archive.read("b")).rejects.toThrow("missing");
    for await (const piece of archive.pieces("a")) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    await expect.poll(() => handlesOf(path)).toBe(0);
  });

  it("when only the header of an array was wanted", async () => {
    const path = await written(
      "a.npz",
      zip([{ name: "a.npy", bytes: npy("200000,", Buffer.alloc(200_000, 3)) }]),
    );
    const archive = await openNpz(path);
    expect((await archive.elements("a")).header.shape).toEqual([200_000]);
    expect((await archive.read("a")).data[199_999]).toBe(3);
    await expect.poll(() => handlesOf(path)).toBe(0);
  });

  it("when a reader leaves early, or fails", async () => {
    const path = await written("a.tar.gz", gzipSync(tar("a", Buffer.alloc(3_000_000, 1)), { level: 0 }));
    for await (const { name } of readTarGz(path, () => 2 ** 22)) {
      expect(name).toBe("a");
      break;
    }
    await expect(filesOf(path, 10)).rejects.toThrow("expected at most 10 bytes");
    await expect.poll(() => handlesOf(path)).toBe(0);
  });
});

describe("Archives that are cut off", () => {
  it("are not taken for complete", async () => {
    const whole = tar("a", Buffer.alloc(700, 1));
    expect(await filesOf(await written("a.tar.gz", gzipSync(whole)))).toEqual(["a"]);
    const noEnd = tar("a", Buffer.alloc(700, 1), false);
    await expect(filesOf(await written("b.tar.gz", gzipSync(noEnd)))).rejects.toThrow(
      "is cut off before the end of the archive",
    );
    await expect(filesOf(await written("c.tar.gz", gzipSync(noEnd.subarray(0, 1000))), 0)).rejects.toThrow(
      "is cut off inside a",
    );
    const damaged = gzipSync(whole);
    damaged[damaged.length - 6]! ^= 1;
    await expect(filesOf(await written("d.tar.gz", damaged))).rejects.toThrow("not an intact .tar.gz file");
  });
});

describe("What a file promises takes no memory", () => {
  it("in an .npz file", async () => {
    const bytes = npy("2000000000,", Buffer.alloc(10));
    const archive = await openNpz(await written("a.npz", zip([{ name: "a.npy", bytes }])));
    const before = process.memoryUsage().arrayBuffers;
    await expect(archive.read("a")).rejects.toThrow("truncated");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });

  it("in an idx.gz file, whose header bounds what is unpacked", async () => {
    const header = Buffer.from([0, 0, 8, 1, 0, 0, 0, 5]);
    const path = await written("a.gz", gzipSync(Buffer.concat([header, Buffer.alloc(2 ** 22)])));
    await expect(readIdx(path)).rejects.toThrow("expected the 13 bytes that its header states, got more");
  });
});
