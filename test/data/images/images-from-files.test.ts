import { encode } from "fast-png";
import { describe, expect, it } from "vitest";
import { decodeImageInPage } from "../../../src/data/images/decode/decode-image.js";
import { decodeImage } from "../../../src/data/images/images-node.js";
import type { PictureFile } from "../../../src/data/images/sources/images-from-files.js";
import { imageFiles, imagesFromFiles } from "../../../src/data/images/sources/images-from-files.js";
import { StriateError } from "../../../src/util/errors.js";

const png = encode({ width: 3, height: 2, channels: 1, data: Uint8Array.of(0, 50, 100, 150, 200, 250) });

/** Files as a page has them: with paths if a folder was chosen. */
function chosen(...paths: readonly string[]): PictureFile[] {
  return paths.map((path) => ({
    name: path.replace(/.*\//, ""),
    webkitRelativePath: path.includes("/") ? path : "",
    size: png.length,
    arrayBuffer: () => Promise.resolve(Uint8Array.from(png).buffer),
  }));
}

describe("files that a page's visitor chose", () => {
  it("have the classes of the folders they lie in, and parts of a data set are told apart", async () => {
    const pets = await imageFiles(
      chosen("pets/dog/b.png", "pets/cat/deep/a.png", "pets/.DS_Store", "pets/cat/x.txt"),
    );
    expect([pets.name, pets.classes, [...pets.labels]]).toEqual(["pets", ["cat", "dog"], [0, 1]]);
    expect([pets.nameOf(0), pets.nameOf(1)]).toEqual(["cat/deep/a.png", "dog/b.png"]);
    const parts = ["train/cat/1.png", "train/dog/2.png", "val/dog/3.png"].map((path) => `set/${path}`);
    const val = await imageFiles(chosen(...parts));
    expect([val.classes, [...val.labels]]).toEqual([["cat", "dog"], [1]]);
    expect((await imageFiles(chosen(...parts), { split: "train" })).count).toBe(2);
    const order = await imageFiles(chosen("pets/dog/b.png"), { classes: ["horse", "dog"] });
    expect([...order.labels]).toEqual([1]);
    const several = await imageFiles(chosen("cats/a.png", "dogs/a.png"));
    expect([several.name, several.classes]).toEqual(["chosen files", ["cats", "dogs"]]);
  });

  it("have one class if they lie in no folder", async () => {
    for (const files of [chosen("b.png", "a.png"), chosen("pets/b.png", "pets/a.png")]) {
      const source = await imageFiles(files);
      expect([source.classes, [...source.labels], source.nameOf(0)]).toEqual([["image"], [0, 0], "a.png"]);
      expect(source.labelling!.complete).toBe(false);
    }
  });

  it("become images of one size, in colour or grey; what cannot be read is listed", async () => {
    const broken = { ...chosen("c.png")[0]!, arrayBuffer: () => Promise.reject(new Error("moved")) };
    const told: (readonly [number, number])[] = [];
    const images = await imagesFromFiles(
      [...chosen("a.png", "b.png"), broken, { ...chosen("d.png")[0]!, size: 0 }],
      {
        size: [2, 3],
        channels: 1,
        onProgress: (...now) => told.push(now),
      },
    );
    expect([images.count, images.shape]).toEqual([2, [1, 2, 3]]);
    expect([...images.pixels]).toEqual([0, 50, 100, 150, 200, 250, 0, 50, 100, 150, 200, 250]);
    expect(images.skipped.map(({ name, reason }) => [name, reason.split(";")[0]])).toEqual([
      ["c.png", 'The image "c.png" cannot be read'],
      ["d.png", 'The image "d.png" is empty (0 bytes).'],
    ]);
    expect(told).toEqual([
      [1, 4],
      [2, 4],
      [4, 4],
    ]);
  });

  it("are refused with one error if nothing can be made of them", async () => {
    const cases: [PictureFile[], RegExp][] = [
      [[], /chosen files: expected images .*, found none among 0 files/],
      [chosen("notes.txt"), /expected images \(\.jpeg.*, found none among 1 files/],
      [chosen("a.png", "a.png"), /expected files with different paths, got "a\.png" twice/],
      [chosen("pets/cat/a.png", "pets/none/x.txt"), /"pets\/none" has no image/],
    ];
    for (const [files, message] of cases) {
      await expect(imageFiles(files)).rejects.toThrow(message);
      await expect(imageFiles(files)).rejects.toThrow(StriateError);
    }
    await expect(imagesFromFiles(chosen("a.png"), { size: 0 })).rejects.toThrow(
      "imagesFromFiles: size: expected whole numbers of at least 1, got 0 at position 0",
    );
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(imagesFromFiles(chosen("a.png"), { size: 2, signal })).rejects.toThrow("enough");
  });
});

describe("a PNG file decoded without a browser's help", () => {
  it.each([1, 2, 4] as const)("has grey levels of %i bits spread over 0 to 255", async (depth) => {
    const [width, height] = [5, 3];
    const stride = Math.ceil((width * depth) / 8);
    const data = Uint8Array.from({ length: stride * height }, (_, i) => (i * 89 + 27) % 256);
    const bytes = Uint8Array.from(encode({ width, height, channels: 1, depth, data }));
    expect(await decodeImageInPage(bytes, "x")).toEqual(await decodeImage(bytes, "x"));
  });

  it("keeps the colours of transparent pixels, and the upper bytes of 16 bits", async () => {
    const data = Uint16Array.from({ length: 24 }, (_, i) => (i % 4 === 3 ? 0 : i * 2731));
    const bytes = Uint8Array.from(encode({ width: 3, height: 2, channels: 4, depth: 16, data }));
    const image = await decodeImageInPage(bytes, "x");
    expect(image).toEqual(await decodeImage(bytes, "x"));
    expect(Math.max(...image.data)).toBeGreaterThan(200);
  });

  it("is refused if it is cut off, damaged, or claims too many pixels", async () => {
    const bytes = Uint8Array.from(png);
    await expect(decodeImageInPage(bytes.slice(0, -20), "cut")).rejects.toThrow(
      '"cut" cannot be read as an image',
    );
    bytes[44]! ^= 1;
    await expect(decodeImageInPage(bytes, "damaged")).rejects.toThrow('"damaged" cannot be read as an image');
    new DataView(bytes.buffer).setUint32(16, 2 ** 30);
    await expect(decodeImageInPage(bytes, "large")).rejects.toThrow("got a header for 1073741824 x 2");
  });
});
