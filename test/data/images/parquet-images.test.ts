import { mkdir, readdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { encode } from "fast-png";
import { parquetWriteBuffer } from "hyparquet-writer";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { contentDigest } from "../../../src/data/images/content-digest-node.js";
import { namedImages } from "../../../src/data/sets/named-images-node.js";
import { listCache } from "../../../src/data/sets/cache-node.js";
import { trainingParts } from "../../../src/data/sets/training-parts-node.js";
import { openParquet } from "../../../src/data/formats/parquet-node.js";
import { temporaryFolder } from "../../support/folders.js";

const CLASSES = ["airplane", "bird", "cat"];
const FEATURES = {
  info: {
    features: {
      img: { _type: "Image" },
      coarse: { names: ["x", "y"], _type: "ClassLabel" },
      label: { names: CLASSES, _type: "ClassLabel" },
    },
  },
};

/** A picture of one colour, which its number decides. */
function picture(n: number): Uint8Array {
  const data = new Uint8Array(3 * 4 * 4).fill(n);
  return encode({ width: 4, height: 4, data, channels: 3, depth: 8 });
}

interface Written {
  readonly features?: unknown;
  readonly labels: readonly (bigint | string)[];
  readonly image?: string;
  readonly first?: number;
  readonly missing?: number;
  readonly codec?: "SNAPPY" | "GZIP";
}

/** Writes a Parquet file with the schema that the hub's libraries write. */
async function write(path: string, options: Written): Promise<void> {
  const { features, labels, image = "img", first = 0, missing, codec = "SNAPPY" } = options;
  const texts = typeof labels[0] === "string";
  const buffer = parquetWriteBuffer({
    schema: [
      { name: "root", num_children: 3 },
      { name: image, num_children: 2, repetition_type: "OPTIONAL" },
      { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
      { name: "path", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
      { name: "coarse", type: "INT64", repetition_type: "OPTIONAL" },
      texts
        ? { name: "label", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" }
        : { name: "label", type: "INT64", repetition_type: "OPTIONAL" },
    ],
    columnData: [
      {
        name: image,
        data: labels.map((_, i) => ({ bytes: i === missing ? null : picture(first + i), path: `${i}.png` })),
      },
      { name: "coarse", data: labels.map((_, i) => BigInt(i % 2)) },
      { name: "label", data: [...labels] },
    ],
    rowGroupSize: 4,
    codec,
    compressors: { GZIP: (bytes) => new Uint8Array(gzipSync(bytes)) },
    ...(features !== undefined && { kvMetadata: [{ key: "huggingface", value: JSON.stringify(features) }] }),
  });
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, new Uint8Array(buffer));
}

let cache = "";
beforeEach(async () => {
  cache = await temporaryFolder();
  vi.stubEnv("STRIATE_DATA", cache);
});

const cycle = (count: number, first = 0) => Array.from({ length: count }, (_, i) => BigInt((first + i) % 3));

describe("Parquet files of the hub", () => {
  it("are a data set with parts, whose metadata name the classes", async () => {
    const root = await temporaryFolder();
    await write(join(root, "data", "train-00000-of-00002.parquet"), {
      features: FEATURES,
      labels: cycle(10),
    });
    await write(join(root, "data", "train-00001-of-00002.parquet"), {
      features: FEATURES,
      labels: cycle(7, 1),
      first: 10,
      codec: "GZIP",
    });
    await write(join(root, "data", "test-00000-of-00001.parquet"), {
      features: FEATURES,
      labels: cycle(6),
      first: 100,
    });
    await writeFile(join(root, "README.md"), "# A data set");
    const test = await namedImages(root);
    expect([test.count, test.classes, test.nameOf(5)]).toEqual([
      6,
      CLASSES,
      "test-00000-of-00001.parquet/row 5",
    ]);
    const train = await namedImages(root, { split: "train" });
    expect([...train.labels]).toEqual([...cycle(10), ...cycle(7, 1)].map(Number));
    expect(train.nameOf(16)).toBe("train-00001-of-00002.parquet/row 6");
    // In any order, images are those of their rows.
    for (const at of [16, 0, 9, 10, 3]) {
      expect((await train.read(at)).data).toEqual(new Uint8Array(48).fill(at));
      expect(await train.bytes!(at)).toEqual(picture(at));
    }
    const parts = await trainingParts(root, { validation: 0.3, seed: 2 });
    expect(parts.train.count + parts.validation.count).toBe(17);
    expect(parts.test.count).toBe(6);
    expect((await listCache()).map(({ name }) => name)).toEqual(["parquet"]);
  });

  it("are unpacked once, and again if a file changed or the copy is cut off", async () => {
    const root = join(await temporaryFolder(), "data");
    const path = join(root, "train-00000-of-00001.parquet");
    await write(path, { features: FEATURES, labels: cycle(9) });
    const digest = async () => {
      const source = await namedImages(root);
      return contentDigest(source, [...source.labels.keys()]);
    };
    const first = await digest();
    const folder = join(cache, "parquet");
    const [copy] = await readdir(folder);
    expect(await digest()).toBe(first);
    expect(await readdir(folder)).toEqual([copy]);
    await truncate(join(folder, copy!, "images.bin"), 5);
    expect(await digest()).toBe(first);
    await write(path, { features: FEATURES, labels: cycle(12) });
    expect((await namedImages(root)).count).toBe(12);
  });

  it("take the layout of the hub's conversion, a single file, and labels without names", async () => {
    const root = await temporaryFolder();
    await write(join(root, "default", "train", "0000.parquet"), { features: FEATURES, labels: cycle(6) });
    await write(join(root, "default", "validation", "0000.parquet"), {
      features: FEATURES,
      labels: cycle(3),
    });
    expect((await namedImages(root)).count).toBe(3);
    expect((await namedImages(join(root, "default"), { split: "train" })).count).toBe(6);
    const single = join(root, "some.parquet");
    await write(single, { labels: ["dog", "cat", "dog", "cat", "cat"], image: "image" });
    const source = await namedImages(single);
    expect([source.classes, [...source.labels]]).toEqual([
      ["cat", "dog"],
      [1, 0, 1, 0, 0],
    ]);
    const order = ["dog", "horse", "cat"];
    const ordered = await namedImages(single, { classes: order });
    expect([ordered.classes, [...ordered.labels]]).toEqual([order, [0, 2, 0, 2, 2]]);
    await write(single, { labels: [7n, 3n, 7n], image: "image" });
    expect((await namedImages(single)).classes).toEqual(["3", "7"]);
  });

  it("are read one part of their rows at a time", async () => {
    const path = join(await temporaryFolder(), "x.parquet");
    await write(path, { features: FEATURES, labels: cycle(11) });
    const file = await openParquet(path);
    expect([file.rows, file.columns.map(({ name }) => name)]).toEqual([11, ["img", "coarse", "label"]]);
    const labels: unknown[] = [];
    for await (const row of file.read(["label"])) {
      expect(Object.keys(row)).toEqual(["label"]);
      labels.push(row.label);
    }
    expect(labels).toEqual(cycle(11));
  });

  it("are refused in one sentence if rows or columns are not there", async () => {
    const root = await temporaryFolder();
    const path = join(root, "x.parquet");
    await write(path, { features: FEATURES, labels: [0n, 1n, -1n] });
    await expect(namedImages(path)).rejects.toThrow(
      /row 2: "label": expected a class from 0 to 2, got -1, the hub's sign for no label/,
    );
    await write(path, { features: FEATURES, labels: cycle(5), missing: 4 });
    await expect(namedImages(path)).rejects.toThrow(
      /row 4: expected the bytes of an image in "img", got none/,
    );
    // Nothing of a refused file is taken for unpacked images.
    for (const name of await readdir(join(cache, "parquet")))
      expect(await readdir(join(cache, "parquet", name))).toEqual([]);
    await writeFile(path, "not Parquet at all");
    await expect(namedImages(path)).rejects.toThrow(/is not an intact Parquet file/);
    await expect(namedImages(join(root, "none.parquet"))).rejects.toThrow(/none\.parquet.*no such file/);
    const only = parquetWriteBuffer({ columnData: [{ name: "text", data: ["a"], type: "STRING" }] });
    await writeFile(path, new Uint8Array(only));
    await expect(namedImages(path)).rejects.toThrow(/expected a column of images .* got the columns text/);
    const two = await temporaryFolder();
    for (const name of ["small", "large"])
      await write(join(two, name, "train-00000-of-00001.parquet"), { labels: cycle(3) });
    await expect(namedImages(two)).rejects.toThrow(
      /one configuration, got 2 \(large, small\): give the folder/,
    );
  });
});
