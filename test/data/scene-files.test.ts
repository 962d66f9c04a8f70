import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { encode } from "fast-png";
import { describe, expect, it } from "vitest";
import { loadClevrTex } from "../../src/data/sets/clevrtex-node.js";
import { loadConvertedScenes } from "../../src/data/sets/converted-scenes-node.js";
import type { MultiObjectSet } from "../../src/data/sets/multi-object-node.js";
import { loadMultiObject } from "../../src/data/sets/multi-object-node.js";
import { openNpz } from "../../src/data/formats/npz-node.js";
import { sceneLabels, scenePicture } from "../../src/data/scenes/segmented-scenes.js";
import { parseExample } from "../../src/data/formats/tf-example.js";
import { readTfRecords } from "../../src/data/formats/tfrecord-node.js";
import { encodeTfRecord } from "../../src/train/run/tensorboard.js";
import { crc32, crc32c } from "../../src/util/checksums.js";
import { temporaryFolder } from "../support/folders.js";
import { npyBytes } from "../support/npy.js";
import { example, nested, text } from "../support/tf-example.js";
import { zip } from "../support/zip.js";

async function fileOf(bytes: Uint8Array, name = "file"): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, bytes);
  return path;
}

const collect = async (path: string): Promise<Buffer[]> => {
  const records: Buffer[] = [];
  for await (const record of readTfRecords(path)) records.push(Buffer.from(record));
  return records;
};

describe("TFRecord files", () => {
  const bytes = Buffer.concat([text("one"), text(""), text("three")].map((data) => encodeTfRecord(data)));

  it("are read plain and compressed, and may be empty", async () => {
    for (const content of [bytes, gzipSync(bytes)]) {
      expect((await collect(await fileOf(content))).map(String)).toEqual(["one", "", "three"]);
    }
    expect(await collect(await fileOf(new Uint8Array(0)))).toEqual([]);
  });

  it("are refused when damaged or cut off", async () => {
    const changed = (at: number) => Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)));
    await expect(collect(await fileOf(changed(13)))).rejects.toThrow(
      /record 0 is damaged: expected the checksum/,
    );
    await expect(collect(await fileOf(changed(1)))).rejects.toThrow(/length of record 0 is damaged/);
    await expect(collect(await fileOf(bytes.subarray(0, -3)))).rejects.toThrow("is cut off inside record 2");
    await expect(collect(await fileOf(gzipSync(bytes).subarray(0, -12)))).rejects.toThrow(
      "not an intact TFRecord",
    );
    await expect(collect(join(await temporaryFolder(), "none"))).rejects.toThrow("no such file");
  });

  it("hold features of bytes, numbers and integers", () => {
    const integers = nested(3, nested(1, Uint8Array.of(5, 0x80, 1)));
    const entry = nested(1, Buffer.concat([nested(1, text("n")), nested(2, integers)]));
    expect(parseExample(nested(1, entry), "record").get("n")).toEqual({
      kind: "integers",
      values: [5n, 128n],
    });
    const features = parseExample(example({ a: Uint8Array.of(1, 2, 3), b: [0.5, -2] }), "record");
    expect(features.get("a")).toEqual({ kind: "bytes", bytes: Uint8Array.of(1, 2, 3), count: 3 });
    expect(features.get("b")).toEqual({ kind: "floats", values: Float32Array.of(0.5, -2) });
    const wanted = parseExample(
      example({ a: Uint8Array.of(1, 2, 3), b: [1] }, true),
      "record",
      new Set(["a"]),
    );
    expect([...wanted]).toEqual([["a", { kind: "bytes", bytes: Uint8Array.of(1, 2, 3), count: 1 }]]);
    expect(() => parseExample(Uint8Array.of(10, 200, 1), "record 3")).toThrow(
      "record 3 is not a tf.train.Example",
    );
  });
});

/** A scene whose image shows its pixel's position and whose mask k covers column k. */
function scene(
  height: number,
  width: number,
  masks: number,
  interleaved = false,
): { image: Uint8Array; mask: Uint8Array } {
  const image = new Uint8Array(height * width * 3);
  const mask = new Uint8Array(height * width * masks);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      image.set([y, x % 256, masks], 3 * i);
      const object = x % masks;
      mask[interleaved ? i * masks + object : object * height * width + i] = 255;
    }
  }
  return { image, mask };
}

describe("Multi-Object Datasets", () => {
  const recordsOf = (count: number, of: (n: number) => Record<string, Uint8Array>): Buffer =>
    Buffer.concat(Array.from({ length: count }, (_, n) => encodeTfRecord(example(of(n), true))));

  it.each([
    ["tetrominoes", 35, 35, 4, false, [1, 1], 32],
    ["multi-dsprites", 64, 64, 6, true, [0, 0], 64],
  ] as const)(
    "%s: cut and labelled as the authors do",
    async (set, h, w, masks, interleaved, corner, size) => {
      const path = await fileOf(gzipSync(encodeTfRecord(example(scene(h, w, masks, interleaved)))));
      const scenes = await loadMultiObject(set, path, "eval");
      expect(scenes).toMatchObject({ count: 1, size, objects: masks - 1 });
      const { data } = scenePicture(scenes, 0);
      const labels = sceneLabels(scenes, 0);
      for (const [y, x] of [
        [0, 0],
        [3, 17],
        [size - 1, size - 1],
      ] as const) {
        const i = y * size + x;
        expect([...data.subarray(3 * i, 3 * i + 3)]).toEqual([y + corner[0], x + corner[1], masks]);
        expect(labels[i]).toBe((x + corner[1]) % masks);
      }
    },
  );

  it("CLEVR: middle, nearest pixel, and no scene with more than 6 objects", async () => {
    const crowded = scene(240, 320, 11);
    const few = scene(240, 320, 4);
    const path = await fileOf(recordsOf(3, (n) => (n === 1 ? crowded : few)));
    const scenes = await loadMultiObject("clevr", path, "eval");
    expect(scenes).toMatchObject({ name: "CLEVR6 eval", count: 2, size: 128, objects: 6 });
    const { data } = scenePicture(scenes, 1);
    const [y, x] = [100, 3];
    const at = 3 * (y * 128 + x);
    expect([...data.subarray(at, at + 2)]).toEqual([
      29 + Math.floor(100.5 * 1.5),
      64 + Math.floor(3.5 * 1.5),
    ]);
    expect(sceneLabels(scenes, 1)[y * 128 + x]).toBe((64 + 5) % 4);
  });

  it("has parts in the order of the file", async () => {
    const tiny = scene(35, 35, 2);
    const numbered = (n: number) => ({
      ...tiny,
      image: tiny.image.map((_, i) => (i % 3 === 0 ? n % 256 : 0)),
    });
    const path = await fileOf(recordsOf(70, numbered));
    const first = async (part: "eval" | "test", count?: number) =>
      loadMultiObject("tetrominoes", path, part, count === undefined ? {} : { count });
    expect(await first("eval")).toMatchObject({ count: 64 });
    const test = await first("test");
    expect(test.count).toBe(6);
    expect(scenePicture(test, 0).data[0]).toBe(64);
    expect(await first("test", 2)).toMatchObject({ count: 2 });
    await expect(loadMultiObject("tetrominoes", path, "train")).rejects.toThrow(
      'expected more than 10384 scenes for the part "train", got 70',
    );
  });

  it.each<[string, MultiObjectSet, Record<string, Uint8Array>, string]>([
    ["another set", "clevr", scene(35, 35, 4), "record 0: expected masks of 240 x 320 as in CLEVR6"],
    [
      "masks of another size",
      "tetrominoes",
      { ...scene(35, 35, 4), mask: new Uint8Array(4 * 34 * 35) },
      "record 0: expected masks of 35 x 35",
    ],
    [
      "an image of another size",
      "tetrominoes",
      { ...scene(35, 35, 4), image: new Uint8Array(3 * 34 * 35) },
      "record 0: expected an image of 35 x 35",
    ],
    ["no masks", "tetrominoes", { image: new Uint8Array(3675) }, 'expected a feature "mask" of bytes'],
  ])("refuses %s", async (_what, set, features, message) => {
    const path = await fileOf(encodeTfRecord(example(features, true)));
    await expect(loadMultiObject(set, path, "eval")).rejects.toThrow(message);
  });
});

it("the checks of ZIP and TFRecord files are the published ones, also in parts", () => {
  const digits = text("123456789");
  expect(crc32(digits)).toBe(0xcbf43926);
  expect(crc32(digits.subarray(2), crc32(digits.subarray(0, 2)))).toBe(0xcbf43926);
  expect(crc32c(digits)).toBe(0xe3069283);
});

describe("converted scenes", () => {
  const doubles = (values: readonly number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer);
  const images = Array.from({ length: 2 * 3 * 4 }, (_, i) => i / 255);
  const labels = Uint8Array.from([0, 1, 2, 0, 255, 0, 0, 1]);
  const arrays = (
    imageShape = "(2, 3, 2, 2)",
    labelShape = "(2, 2, 2)",
    own: readonly number[] = images,
    masks = labels,
  ) => [
    { name: "images.npy", bytes: npyBytes({ descr: "<f8", shape: imageShape }, doubles(own)) },
    { name: "labels.npy", bytes: npyBytes({ shape: labelShape }, masks), stored: true },
  ];

  const damagedAt = (archive: Buffer, content: Uint8Array, offset = 0): Buffer => {
    const at = archive.indexOf(content) + offset;
    return Buffer.from(archive.map((byte, i) => (i === at ? byte ^ 0xff : byte)));
  };

  it("come from .npz files and from folders with .npy files", async () => {
    const archive = await fileOf(zip(arrays(), { wide: true }), "tetrominoes_test.npz");
    const scenes = await loadConvertedScenes(archive);
    expect(scenes).toMatchObject({ name: "tetrominoes_test", count: 2, size: 2, objects: 2 });
    expect([...scenes.images]).toEqual(images.map((_, i) => i));
    expect([...scenes.labels]).toEqual([0, 1, 2, 0, -1, 0, 0, 1]);
    const folder = await temporaryFolder();
    for (const { name, bytes } of arrays()) await writeFile(join(folder, name), bytes);
    expect(await loadConvertedScenes(folder, { name: "mine" })).toEqual({ ...scenes, name: "mine" });
  });

  it("may be grey", async () => {
    const path = await fileOf(zip(arrays("(2, 2, 2)", "(2, 2, 2)", images.slice(0, 8))), "a.npz");
    const { images: found } = await loadConvertedScenes(path);
    expect([...found.subarray(0, 12)]).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
    expect(found[12]).toBe(4);
  });

  it("are read in pieces that need not end with an element", async () => {
    const values = Array.from({ length: 50_000 }, (_, i) => i / 50_000);
    const npy = npyBytes({ descr: "<f8", shape: "(50000,)" }, doubles(values));
    const npz = await openNpz(await fileOf(zip([{ name: "x.npy", bytes: npy }]), "x.npz"));
    expect(npz.names).toEqual(["x"]);
    const { header, pieces } = await npz.elements("x");
    expect(header.shape).toEqual([50_000]);
    const found: number[] = [];
    let count = 0;
    for await (const piece of pieces) {
      found.push(...piece);
      count++;
    }
    expect(count).toBeGreaterThan(1);
    expect(found).toEqual(values);
    expect((await npz.read("x")).data).toEqual(Float64Array.from(values));
    await expect(npz.read("y")).rejects.toThrow('expected an array "y", got x.npy');
  });

  it.each<[string, Uint8Array, string]>([
    [
      "masks of another size",
      zip(arrays("(2, 3, 2, 2)", "(2, 2, 1)", images, labels.slice(0, 4))),
      "expected masks [2, 2, 2] to match the images, got [2, 2, 1]",
    ],
    ["images that are not square", zip(arrays("(2, 3, 4, 1)")), "expected square images"],
    [
      "numbers that are no pixels",
      zip(
        arrays(
          undefined,
          undefined,
          images.map((v) => 255 * v),
        ),
      ),
      "expected pixels from 0 to 1, got",
    ],
    ["a file without labels", zip(arrays().slice(0, 1)), 'expected an array "labels", got images.npy'],
    ["an archive that is cut off", zip(arrays()).subarray(0, -40), "is not an intact ZIP archive"],
    ["an array that is cut off", zip(arrays("(2, 3, 2, 2)", "(2, 2, 2)", images.slice(0, -1))), "truncated"],
    ["damaged data", damagedAt(zip(arrays()), labels), "is not an intact ZIP archive: its checksum is wrong"],
    ["damaged compressed data", damagedAt(zip(arrays()), text("images.npy"), 40), "images"],
    [
      "something else",
      text("not an archive, but long enough to hold an end of directory"),
      "not an intact ZIP archive",
    ],
  ])("refuse %s", async (_what, bytes, message) => {
    await expect(loadConvertedScenes(await fileOf(bytes, "x.npz"))).rejects.toThrow(message);
  });

  it("refuse a folder without arrays", async () => {
    await expect(loadConvertedScenes(await temporaryFolder())).rejects.toThrow(
      "expected an .npz file, or a folder with images.npy and labels.npy",
    );
  });
});

describe("CLEVRTex", () => {
  const [width, height] = [320, 240];
  const colours = Array.from({ length: 11 }, (_, i): [number, number, number] => [20 * i, 0, 255 - 20 * i]);

  async function folderWith(count: number, mask?: Uint8Array): Promise<string> {
    const folder = await temporaryFolder();
    for (let n = 0; n < count; n++) {
      const sub = join(folder, String(Math.floor(n / 5)));
      await mkdir(sub, { recursive: true });
      const name = join(sub, `CLEVRTEX_full_${String(n).padStart(6, "0")}`);
      const data = new Uint8Array(width * height * 3).fill(10 * n);
      await writeFile(`${name}.png`, encode({ width, height, data, channels: 3 }));
      // Objects lie in columns of 29 pixels.
      const objects = Uint8Array.from({ length: width * height }, (_, i) => Math.floor((i % width) / 29));
      const flat = mask ?? encode({ width, height, data: objects, channels: 1, palette: colours });
      await writeFile(`${name}_flat.png`, flat);
    }
    return folder;
  }

  it("has parts by number, cut and resized", async () => {
    const folder = await folderWith(10);
    const sizes = await Promise.all(
      (["test", "validation", "train", "all"] as const).map((part) => loadClevrTex(folder, part)),
    );
    expect(sizes.map(({ count }) => count)).toEqual([1, 1, 8, 10]);
    const scenes = sizes[2]!;
    expect(scenes).toMatchObject({ size: 128, objects: 10, name: "CLEVRTex train" });
    expect(scenePicture(scenes, 3).data[0]).toBe(50);
    const row = sceneLabels(scenes, 0).subarray(0, 128);
    expect([...row]).toEqual(
      Array.from({ length: 128 }, (_, x) => Math.floor((64 + Math.floor((x + 0.5) * 1.5)) / 29)),
    );
  });

  it("refuses masks of another size or without a palette, and folders without scenes", async () => {
    const small = encode({
      width: 300,
      height,
      data: new Uint8Array(300 * height),
      channels: 1,
      palette: colours,
    });
    await expect(loadClevrTex(await folderWith(1, small), "all")).rejects.toThrow(
      /mask ".*CLEVRTEX_full_000000_flat.png", compared with its image: expected 320 x 240 pixels, got 300 x 240/,
    );
    const rgb = encode({ width, height, data: new Uint8Array(3 * width * height), channels: 3 });
    await expect(loadClevrTex(await folderWith(1, rgb), "all")).rejects.toThrow(
      "expected a mask with a palette",
    );
    await expect(loadClevrTex(await folderWith(1, rgb.subarray(0, 100)), "all")).rejects.toThrow(
      "cannot be read as a mask",
    );
    await expect(loadClevrTex(await temporaryFolder(), "all")).rejects.toThrow("expected masks CLEVRTEX_");
    await expect(loadClevrTex(await folderWith(3), "test")).rejects.toThrow(
      'the part "test" of its 3 scenes is empty',
    );
  });
});
