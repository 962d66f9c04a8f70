import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readIdx } from "../../../src/data/formats/idx-node.js";
import { readNpy } from "../../../src/data/formats/npy-node.js";
import { openNpz } from "../../../src/data/formats/npz-node.js";
import { readTarGz } from "../../../src/data/formats/tar-node.js";
import { readTfRecords } from "../../../src/data/formats/tfrecord-node.js";
import { readTorchCheckpoint } from "../../../src/data/formats/torch-tensor-node.js";
import { openZip } from "../../../src/data/formats/zip-node.js";
import { loadMultiObject } from "../../../src/data/sets/multi-object-node.js";
import { encodeTfRecord } from "../../../src/train/run/tensorboard.js";
import { encodeSafetensors } from "../../../src/util/safetensors.js";
import { readSafetensors } from "../../../src/util/safetensors-node.js";
import type { TorchFile } from "../../fixtures/torch-files.js";
import { torchFile } from "../../fixtures/torch-files.js";
import { idxBytes } from "../../support/idx.js";
import { npyBytes } from "../../support/npy.js";
import { tar } from "../../support/tar.js";
import { example } from "../../support/tf-example.js";
import { zip } from "../../support/zip.js";
import type { Sample } from "./sample.js";
import { text } from "./sample.js";

type Read = (path: string) => Promise<unknown>;

const one = (name: string, file: string, bytes: Uint8Array, read: Read, wrap?: Sample["wrap"]): Sample => ({
  name,
  files: { [file]: bytes },
  damaged: file,
  read: (folder) => read(join(folder, file)),
  ...(wrap && { wrap }),
});

const bytesTo = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => i);

/** A PyTorch file whose pickle is damaged inside an intact archive. */
async function pickle(name: TorchFile, folder: string): Promise<Sample> {
  const path = join(folder, `${name}.pth`);
  await writeFile(path, torchFile(name));
  const archive = await openZip(path);
  const files = await Promise.all(
    archive.names.map(async (entry) => ({ name: entry, bytes: await archive.read(entry), stored: true })),
  );
  const pickled = files.find((file) => file.name.endsWith("/data.pkl"))!;
  return one(`pickle of PyTorch (${name})`, "w.pth", pickled.bytes, readTorchCheckpoint, (bytes) =>
    zip(files.map((file) => (file === pickled ? { ...file, bytes } : file))),
  );
}

async function allOf(stream: AsyncIterable<unknown>): Promise<void> {
  const pieces = stream[Symbol.asyncIterator]();
  while ((await pieces.next()).done !== true);
}

const readZip: Read = async (path) => {
  const archive = await openZip(path);
  for (const name of archive.names) {
    await archive.read(name, 2 ** 20);
    await allOf(archive.pieces(name));
  }
};

const readNpz: Read = async (path) => {
  const archive = await openNpz(path);
  for (const name of archive.names) await archive.read(name);
};

const readTar: Read = (path) => allOf(readTarGz(path, () => 2 ** 20));

/** Formats that hold numbers, and the archives around them. `folder` is for files that are needed once. */
export async function numbers(folder: string): Promise<Sample[]> {
  const npy = npyBytes({ descr: "<f4", shape: "(3, 4)" }, bytesTo(48));
  const wide = npyBytes({ descr: "<i4", shape: "(2, 6)", version: 2 }, bytesTo(48));
  const idx = idxBytes(8, [4, 3, 3], [...bytesTo(36)]);
  const zipped = zip([
    { name: "a.bin", bytes: bytesTo(300) },
    { name: "b/c.txt", bytes: text("some text"), stored: true },
  ]);
  const npz = zip([
    { name: "a.npy", bytes: npy },
    { name: "b.npy", bytes: wide, stored: true },
  ]);
  const tarred = tar([
    { name: "a/one.bin", bytes: bytesTo(700) },
    { name: "a/two.txt", bytes: text("two") },
  ]);
  const scene = example(
    { image: bytesTo(35 * 35 * 3), mask: new Uint8Array(35 * 35 * 4).fill(255, 0, 1225) },
    true,
  );
  const scenes = (path: string) => loadMultiObject("tetrominoes", path, "eval", { count: 2 });
  const records = Buffer.concat([text("one"), text(""), bytesTo(100)].map((data) => encodeTfRecord(data)));
  const tensors = encodeSafetensors(
    new Map([
      ["a.weight", { dtype: "F32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
      ["a.bias", { dtype: "F16", shape: [2], data: Uint16Array.of(1, 2) }],
      ["steps", { dtype: "I64", shape: [], data: BigInt64Array.of(7n) }],
    ]),
    { name: "small" },
  );
  return [
    one("safetensors", "w.safetensors", tensors, readSafetensors),
    one("PyTorch file", "w.pth", torchFile("settings"), readTorchCheckpoint),
    one("PyTorch file, old format", "w.pth", torchFile("old"), readTorchCheckpoint),
    await pickle("settings", folder),
    await pickle("settings4", folder),
    await pickle("module", folder),
    await pickle("halves", folder),
    one("NumPy file", "a.npy", npy, readNpy),
    one("NumPy file, version 2", "a.npy", wide, readNpy),
    one("NumPy archive", "a.npz", npz, readNpz),
    one("NumPy file in an archive", "a.npz", npy, readNpz, (bytes) => zip([{ name: "a.npy", bytes }])),
    one("IDX", "a.idx", idx, readIdx),
    one("IDX in gzip", "a.gz", gzipSync(idx), readIdx),
    one("IDX inside gzip", "a.gz", idx, readIdx, (bytes) => gzipSync(bytes)),
    one("ZIP archive", "a.zip", zipped, readZip),
    one(".tar.gz", "a.tar.gz", gzipSync(tarred), readTar),
    one("tar inside gzip", "a.tar.gz", tarred, readTar, (bytes) => gzipSync(bytes)),
    one("TFRecord", "a.tfrecords", records, (path) => allOf(readTfRecords(path))),
    one("TFRecord of scenes in gzip", "a.tfrecords", gzipSync(encodeTfRecord(scene)), scenes),
    one("example inside TFRecord", "a.tfrecords", scene, scenes, (bytes) =>
      Buffer.from(encodeTfRecord(bytes)),
    ),
  ];
}
