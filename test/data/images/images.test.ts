import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { parseClassNames } from "../../../src/data/images/class-names.js";
import { imageFolder } from "../../../src/data/images/sources/image-folder-node.js";
import { listedImages, npyImages } from "../../../src/data/images/sources/listed-images-node.js";
import type {
  LabelledImage,
  ReadImagesOptions,
  SkippedImage,
} from "../../../src/data/images/image-source.js";
import type { ImageSource } from "../../../src/data/images/image-source.js";
import { describeSkipped, readImages } from "../../../src/data/images/image-source.js";
import { contentDigest } from "../../../src/data/images/content-digest-node.js";
import { namedImages } from "../../../src/data/sets/named-images-node.js";
import { decodeImage, readImage, writePng } from "../../../src/data/images/images-node.js";
import type { RgbImage } from "../../../src/data/images/rgb-image.js";
import { openImages } from "../../../src/systems/predify/training/image-sources-node.js";
import { temporaryFolder } from "../../support/folders.js";
import { npyBytes } from "../../support/npy.js";
import { distance, testPicture } from "../../robustness/pictures.js";

const picture = testPicture(40, 30);
const raw = sharp(picture.data, { raw: { width: 40, height: 30, channels: 3 } });
const jpeg = await raw.clone().jpeg({ quality: 95, chromaSubsampling: "4:4:4" }).toBuffer();

const shared = fileURLToPath(new URL("../../../../shared/data", import.meta.url));
if (!existsSync(shared)) console.log(`images: real data sets skipped, there is no folder ${shared}`);

describe("decoding", () => {
  it("gives the pixels of lossless files", async () => {
    for (const bytes of [
      await raw.clone().png().toBuffer(),
      await raw.clone().webp({ lossless: true }).toBuffer(),
    ]) {
      expect(await decodeImage(bytes, "x")).toEqual(picture);
    }
    const decoded = await decodeImage(jpeg, "x");
    expect(distance(decoded, picture)).toBeLessThan(20);
  });

  it("makes RGB of grey, transparent and 16-bit images", async () => {
    const grey = await decodeImage(await raw.clone().greyscale().png().toBuffer(), "x");
    for (let i = 0; i < grey.data.length; i += 3) {
      expect(new Set(grey.data.subarray(i, i + 3)).size).toBe(1);
    }
    const transparent = await raw.clone().ensureAlpha(0.5).png().toBuffer();
    expect(await decodeImage(transparent, "x")).toEqual(picture);
    const deep = await raw.clone().toColourspace("rgb16").png().toBuffer();
    expect(await decodeImage(deep, "x")).toEqual(picture);
  });

  it("gives stored samples whatever their colour profile", async () => {
    const wide = await raw.clone().withIccProfile("p3").png().toBuffer();
    expect((await sharp(wide).metadata()).icc).toBeDefined();
    const stored = await sharp(wide, { ignoreIcc: true }).raw().toBuffer();
    expect([...(await decodeImage(wide, "x")).data]).toEqual([...stored]);
  });

  it("turns CMYK into RGB as Pillow does", async () => {
    const { width, height, data } = await decodeImage(Buffer.from(CMYK_JPEG, "base64"), "x");
    expect([width, height]).toEqual([16, 16]);
    const at = (x: number, y: number) => [...data.subarray(3 * (16 * y + x), 3 * (16 * y + x) + 3)];
    // What Pillow 9.4 gives.
    expect([at(1, 1), at(14, 1), at(1, 14), at(14, 14)]).toEqual([
      [200, 40, 30],
      [20, 180, 60],
      [30, 60, 210],
      [240, 230, 90],
    ]);
  });

  it("scales 16-bit grey to bytes and refuses samples without a known range", async () => {
    const values = Uint16Array.from({ length: 12 }, (_, i) => 5461 * i);
    const deep = sharp(values, { raw: { width: 4, height: 3, channels: 1 } }).toColourspace("grey16");
    const { data } = await decodeImage(await deep.png().toBuffer(), "x");
    values.forEach((value, i) => {
      expect(Math.abs(data[3 * i]! - value / 257)).toBeLessThanOrEqual(1);
    });
    await expect(decodeImage(floatTiff(), "f.tif")).rejects.toThrow(
      '"f.tif": expected samples of 8 or 16 bits, got type float',
    );
  });

  it.each([1, 4, 8, 24, 32] as const)("reads BMP files of %i bits a pixel", async (bits) => {
    for (const topDown of [false, true]) {
      const { bytes, expected } = bmp(bits, topDown);
      expect(await decodeImage(bytes, "x.bmp")).toEqual(expected);
      await expect(decodeImage(bytes.subarray(0, -3), "x.bmp")).rejects.toThrow(/x.bmp.*pixels, got/);
    }
    const { bytes } = bmp(bits, false);
    new DataView(bytes.buffer).setUint32(30, 1, true);
    await expect(decodeImage(bytes, "x.bmp")).rejects.toThrow("compression 1 are not supported");
    new DataView(bytes.buffer).setInt32(18, 2 ** 30, true);
    await expect(decodeImage(bytes, "x.bmp")).rejects.toThrow(/got a BMP header for 1073741824 x 3/);
  });

  it("refuses TIFF files that are cut off, or stored in a way that it does not know", async () => {
    const tiff = await raw.clone().tiff({ compression: "none" }).toBuffer();
    expect(await decodeImage(tiff, "x")).toEqual(picture);
    const withTag = (tag: number, value: number) => {
      const bytes = Uint8Array.from(tiff);
      const view = new DataView(bytes.buffer);
      const start = view.getUint32(4, true);
      for (let i = 0; i < view.getUint16(start, true); i++) {
        const at = start + 2 + 12 * i;
        if (view.getUint16(at, true) === tag) view.setUint16(at + 8, value, true);
      }
      return bytes;
    };
    expect([...withTag(262, 2)]).toEqual([...tiff]);
    await expect(decodeImage(withTag(262, 6), "x.tif")).rejects.toThrow(
      '"x.tif": a TIFF of YCbCr samples without JPEG compression cannot be read',
    );
    // Zstandard and LZMA; the strips cannot be theirs.
    for (const compression of [50000, 34925])
      await expect(decodeImage(withTag(259, compression), "x.tif")).rejects.toThrow(
        "cannot be read as an image",
      );
    const long = await raw.clone().resize(600, 450).tiff({ compression: "lzw" }).toBuffer();
    const damaged = Uint8Array.from(long).fill(0xff, 200, 4000);
    await expect(decodeImage(damaged, "x.tif")).rejects.toThrow("cannot be read as an image");
  });

  it("turns TIFF files as their orientation tag says, as Pillow does, and no others", async () => {
    const turned = await raw.clone().withMetadata({ orientation: 6 }).tiff({ compression: "lzw" }).toBuffer();
    const { width, height, data } = await decodeImage(turned, "x");
    expect([width, height]).toEqual([30, 40]);
    // A quarter turn to the right: the first column, from below, is the first row.
    expect([...data.subarray(0, 3)]).toEqual([...picture.data.subarray(3 * 40 * 29, 3 * 40 * 29 + 3)]);
    const png = await raw.clone().withMetadata({ orientation: 6 }).png().toBuffer();
    expect(await decodeImage(png, "x")).toEqual(picture);
  });

  it("refuses JPEG data that its decoder warns of, and any changed bit of a PNG", async () => {
    // The end marker is there, but the second half before it is not.
    const warned = Buffer.concat([jpeg.subarray(0, jpeg.length >> 1), jpeg.subarray(-2)]);
    await expect(decodeImage(warned, "x.jpg")).rejects.toThrow('"x.jpg" cannot be read as an image');
    const png = await raw.clone().png().toBuffer();
    for (const part of [0.3, 0.6, 0.9]) {
      const changed = Uint8Array.from(png);
      changed[Math.floor(part * png.length)]! ^= 4;
      await expect(decodeImage(changed, "x.png")).rejects.toThrow('"x.png" cannot be read as an image');
    }
  });

  it("names what it cannot read", async () => {
    const folder = await temporaryFolder();
    const cases: [string, Uint8Array | string, string][] = [
      ["cut.jpg", jpeg.subarray(0, jpeg.length >> 1), "cannot be read as an image"],
      ["text.png", "this is no image", "cannot be read as an image"],
      ["drawing.png", '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>', "got 3c 73 76 67"],
      ["empty.png", "", "is empty (0 bytes)"],
    ];
    for (const [name, bytes, message] of cases) {
      const path = join(folder, name);
      await writeFile(path, bytes);
      await expect(readImage(path)).rejects.toThrow(message);
      await expect(readImage(path)).rejects.toThrow(name);
    }
    await expect(readImage(join(folder, "none.jpg"))).rejects.toThrow("there is no such file");
    await expect(readImage(folder)).rejects.toThrow("it is a folder");
  });

  it("reads back the PNG that it wrote", async () => {
    const path = join(await temporaryFolder(), "x.png");
    await writePng(path, picture);
    expect(await readImage(path)).toEqual(picture);
    await expect(writePng(path, { ...picture, width: 41 })).rejects.toThrow("expected 3690 bytes of RGB");
  });
});

/** Four patches of 8 x 8 pixels as Adobe writes CMYK, inverted. */
const CMYK_JPEG =
  "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAWEBETFBUVFQwPFxgW" +
  "FBgSFBUU/8AAFAgAEAAQBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAAB" +
  "fQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hp" +
  "anN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5" +
  "+v/aAA4EQwBNAFkASwAAPwD7Ar4Ur8+q/VOvwfr9dq9Qorbr8v6/ZCiv6MK/cWvy/or/2Q==";

/** One grey pixel of value 0.5 as 32-bit float: header, nine entries of 12 bytes, the value. */
function floatTiff(): Uint8Array {
  const entries = [
    [256, 1], // width
    [257, 1], // height
    [258, 32], // bits
    [259, 1], // not compressed
    [262, 1], // black is 0
    [273, 8 + 2 + 9 * 12 + 4], // where the values are
    [277, 1], // samples a pixel
    [279, 4], // bytes of values
    [339, 3], // floats
  ];
  const bytes = new Uint8Array(8 + 2 + entries.length * 12 + 4 + 4);
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0, 8]);
  view.setUint16(8, entries.length, true);
  entries.forEach(([tag, value], i) => {
    const at = 10 + 12 * i;
    view.setUint16(at, tag!, true);
    view.setUint16(at + 2, 4, true);
    view.setUint32(at + 4, 1, true);
    view.setUint32(at + 8, value!, true);
  });
  view.setFloat32(bytes.length - 4, 0.5, true);
  return bytes;
}

/** A BMP file of 5 x 3 pixels and the image in it. */
function bmp(bits: 1 | 4 | 8 | 24 | 32, topDown: boolean): { bytes: Uint8Array; expected: RgbImage } {
  const [width, height] = [5, 3];
  const colours = bits > 8 ? 0 : Math.min(1 << bits, 7);
  const stride = 4 * Math.ceil((width * bits) / 32);
  const start = 54 + 4 * colours;
  const bytes = new Uint8Array(start + stride * height);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(10, start, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, topDown ? -height : height, true);
  view.setUint16(28, bits, true);
  view.setUint32(46, colours, true);
  const colour = (i: number) => [(i * 37) % 256, (i * 91 + 5) % 256, (i * 53 + 9) % 256];
  for (let i = 0; i < colours; i++) bytes.set(colour(i).toReversed(), 54 + 4 * i);
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const row = start + stride * (topDown ? y : height - 1 - y);
    for (let x = 0; x < width; x++) {
      const i = bits > 8 ? y * width + x : (y * width + x) % colours;
      data.set(colour(i), 3 * (y * width + x));
      if (bits > 8) bytes.set(colour(i).toReversed(), row + (x * bits) / 8);
      else bytes[row + ((x * bits) >> 3)]! |= i << (8 - bits - ((x * bits) & 7));
    }
  }
  return { bytes, expected: { width, height, data } };
}

/** Two classes of three images; one is cut off, one is no image. */
async function damagedFolder(): Promise<string> {
  const root = await temporaryFolder();
  for (const name of ["cat", "dog"]) await mkdir(join(root, name));
  await mkdir(join(root, "dog", "more"));
  const whole = ["cat/b.jpg", "cat/a.JPEG", "dog/more/z.jpg", "dog/c.jpg"];
  for (const name of whole) await writeFile(join(root, name), jpeg);
  await writeFile(join(root, "cat/c.jpg"), jpeg.subarray(0, 400));
  await writeFile(join(root, "dog/d.png"), "no image");
  await writeFile(join(root, "dog/notes.txt"), "not looked at");
  await writeFile(join(root, "dog/.hidden.jpg"), "not looked at");
  return root;
}

/** One image in each of some folders. */
async function folderOf(names: readonly string[]): Promise<string> {
  const root = await temporaryFolder();
  for (const name of names) {
    await mkdir(join(root, name), { recursive: true });
    if (name !== "notes") await writeFile(join(root, name, "0.jpg"), jpeg);
  }
  return root;
}

async function all(source: ImageSource, options: Partial<ReadImagesOptions> = {}) {
  const skipped: SkippedImage[] = [];
  const images: LabelledImage[] = [];
  for await (const image of readImages(source, { skipped, ...options })) images.push(image);
  return { images, skipped };
}

describe("a folder for each class", () => {
  it("is read in order; what cannot be read is skipped, counted and listed", async () => {
    const source = await imageFolder(await damagedFolder());
    expect(source.classes).toEqual(["cat", "dog"]);
    expect(source.count).toBe(6);
    const { images, skipped } = await all(source);
    expect(images.map(({ name, label, index }) => [name, label, index])).toEqual([
      [join("cat", "a.JPEG"), 0, 0],
      [join("cat", "b.jpg"), 0, 1],
      [join("dog", "c.jpg"), 1, 3],
      [join("dog", "more", "z.jpg"), 1, 5],
    ]);
    expect(skipped.map(({ name }) => name)).toEqual([join("cat", "c.jpg"), join("dog", "d.png")]);
    expect(describeSkipped(skipped, source.count)).toMatch(
      /^2 of 6 images were skipped: cat.c\.jpg \(".*cannot be read/,
    );
    expect(describeSkipped([], 6)).toBeUndefined();
    const part = await all(source, { from: 1, to: 4, ahead: 1 });
    expect(part.images.map(({ index }) => index)).toEqual([1, 3]);
  });

  it("takes its labels from the model's classes", async () => {
    const root = await damagedFolder();
    const source = await imageFolder(root, { classes: ["dog", "horse", "cat"] });
    expect([...source.labels]).toEqual([2, 2, 2, 0, 0, 0]);
    await expect(imageFolder(root, { classes: ["dog", "horse"] })).rejects.toThrow(
      '"cat" is none of the 2 classes (dog, horse)',
    );
  });

  it("follows links to classes and to images, and names links that lead nowhere or in a circle", async () => {
    const root = await damagedFolder();
    const elsewhere = await damagedFolder();
    await rename(join(root, "cat"), join(elsewhere, "kept"));
    await symlink(join(elsewhere, "kept"), join(root, "cat"));
    const source = await imageFolder(root);
    expect(source.classes).toEqual(["cat", "dog"]);
    expect([...source.labels]).toEqual([0, 0, 0, 1, 1, 1]);
    await symlink(root, join(root, "dog", "more", "round"));
    await expect(imageFolder(root)).rejects.toThrow(
      /dog.more.round" is a link to .* a folder that contains it/,
    );
    await rm(join(root, "dog", "more", "round"));
    await symlink(join(elsewhere, "none"), join(root, "horse"));
    await expect(imageFolder(root)).rejects.toThrow(/Could not follow the link ".*horse"/);
  });

  it("sorts folders that are numbers as such, and says so", async () => {
    const root = await folderOf(["0", "1", "2", "10"]);
    const { classes, labelling } = await imageFolder(root);
    expect(classes).toEqual(["0", "1", "2", "10"]);
    expect(labelling?.cautions.join()).toMatch(/sorted numerically \(0, 1, 2, 10\).*as text \(0, 1, 10, 2\)/);
    const few = await imageFolder(await folderOf(["0", "1", "2"]));
    expect(few.labelling?.cautions).toEqual([]);
  });

  it("reads one part of a data set's root, with the classes of its training part", async () => {
    const root = await folderOf(["train/a", "train/b", "train/c", "val/a", "val/c", "notes"]);
    const source = await imageFolder(root);
    expect(source.classes).toEqual(["a", "b", "c"]);
    expect([...source.labels]).toEqual([0, 2]);
    expect(source.labelling?.cautions[0]).toContain("has the parts train and val; val is used");
    expect([...(await imageFolder(root, { split: "train" })).labels]).toEqual([0, 1, 2]);
    await expect(imageFolder(root, { split: "test" })).rejects.toThrow(
      'expected a folder "test" for the split',
    );
    await expect(imageFolder(join(root, "val"), { split: "val" })).rejects.toThrow("got a, c");
  });

  it("says that it leaves out images that lie beside the class folders", async () => {
    const root = await folderOf(["a", "b"]);
    await writeFile(join(root, "loose.jpg"), jpeg);
    const { count, labelling } = await imageFolder(root);
    expect(count).toBe(2);
    expect(labelling?.cautions).toContain(`"${root}": left out, because outside the class folders: 1 image`);
  });

  it("refuses layouts whose labels it cannot tell", async () => {
    const beside = await folderOf(["images"]);
    await writeFile(join(beside, "labels.csv"), "0.jpg,1");
    await expect(imageFolder(beside)).rejects.toThrow('one folder of images ("images") next to "labels.csv"');
    const empty = await folderOf(["a", "c"]);
    await mkdir(join(empty, "b"));
    await expect(imageFolder(empty)).rejects.toThrow(/b" has no image. Is it a class/);
    expect((await imageFolder(empty, { classes: ["a", "b", "c"] })).labels).toEqual(Int32Array.of(0, 2));
    const foreign = await folderOf(["a", "b", "__MACOSX"]);
    expect((await imageFolder(foreign)).classes).toEqual(["a", "b"]);
  });

  it("refuses parts of a data set under names that it does not know, unless the classes are stated", async () => {
    for (const [a, b] of [
      ["training_set", "test_set"],
      ["train_images", "val_images"],
      ["train", "test1"],
      ["fold_0", "fold_1"],
      ["images", "masks"],
    ] as const) {
      const root = await folderOf([a, b].flatMap((part) => [`${part}/cats`, `${part}/dogs`]));
      await expect(imageFolder(root)).rejects.toThrow(/have subfolders of the same names \(cats, dogs\)/);
      expect((await imageFolder(join(root, a))).classes).toEqual(["cats", "dogs"]);
      expect((await imageFolder(root, { classes: [a, b] })).classes).toEqual([a, b]);
    }
    const samples = await folderOf(["train/cats", "train/dogs", "samples"]);
    await expect(imageFolder(samples)).rejects.toThrow(
      /"train" has subfolders \(cats, dogs\) but no images, next to samples/,
    );
    const nested = await folderOf(["cat/images", "dog/images", "train/images"]);
    expect((await imageFolder(nested)).classes).toEqual(["cat", "dog", "train"]);
  });

  it("says of a training part what it says of classes alone", async () => {
    const names = ["0", "1", "2", "10"];
    const numbers = await folderOf(
      ["train", "val"].flatMap((part) => names.map((name) => `${part}/${name}`)),
    );
    for (const options of [{}, { split: "val" }])
      expect((await imageFolder(numbers, options)).labelling?.cautions.join()).toContain(
        "torchvision sorts them as text (0, 1, 10, 2)",
      );
    const root = await folderOf(["train/a", "train/b", "val/a", "val/b"]);
    await mkdir(join(root, "train", "0empty"));
    await expect(imageFolder(root)).rejects.toThrow(/train.0empty" has no image. Is it a class/);
  });

  it("refuses two classes that are one folder by a link", async () => {
    const root = await folderOf(["a", "b"]);
    await symlink(join(root, "b"), join(root, "c"));
    await expect(imageFolder(root)).rejects.toThrow('links make "b" and "c" the same folder');
  });

  it("reads Tiny ImageNet's validation images beside their list", async () => {
    const root = await folderOf(["train/n01443537/images", "train/n02123045/images", "val/images"]);
    await writeFile(join(root, "val", "val_annotations.txt"), "0.jpg\tn02123045\t0\t0\t1\t1\n");
    for (const source of [await imageFolder(join(root, "val")), await imageFolder(root)]) {
      expect(source.classes).toEqual(["n01443537", "n02123045"]);
      expect([...source.labels]).toEqual([1]);
    }
  });

  it("knows ImageNet's classes by their WordNet ids", async () => {
    const root = await folderOf(["n01443537", "n02123045"]);
    expect([...(await imageFolder(root, { outputs: 1000 })).labels]).toEqual([1, 281]);
    expect([...(await imageFolder(root, { outputs: 1001 })).labels]).toEqual([2, 282]);
    expect([...(await imageFolder(root, { outputs: 2 })).labels]).toEqual([0, 1]);
    const { labels, classes } = await imageFolder(await folderOf(["tabby", "gold-fish"]), {
      classes: { from: "list", classes: parseClassNames("goldfish, gold fish\ntabby, tabby cat", "list") },
    });
    expect([...labels]).toEqual([0, 1]);
    expect(classes).toEqual(["goldfish, gold fish", "tabby, tabby cat"]);
  });

  it("refuses folders that hold nothing of the kind", async () => {
    const root = await temporaryFolder();
    await expect(imageFolder(join(root, "none"))).rejects.toThrow("there is no such file or folder");
    await expect(imageFolder(root)).rejects.toThrow("found no folder");
    await mkdir(join(root, "cat"));
    await expect(imageFolder(root)).rejects.toThrow("found none in 1 folders");
    await writeFile(join(root, "cat", "a.jpg"), "no image");
    await expect(all(await imageFolder(root))).rejects.toThrow(
      "none of the 1 images can be read; the first error:",
    );
    await expect(all(await imageFolder(root), { from: 0, to: 2 })).rejects.toThrow(
      "images: expected 0 <= start <= end <= 1, got 0 and 2",
    );
  });

  it("does not hide errors that are no fault of an image, and never reads far ahead", async () => {
    let started = 0;
    const source: ImageSource = {
      name: "test",
      count: 50,
      classes: ["x"],
      labels: new Int32Array(50),
      nameOf: String,
      read: (index): Promise<RgbImage> => {
        started++;
        return index === 30 ? Promise.reject(new Error("a bug")) : Promise.resolve(picture);
      },
    };
    let seen = 0;
    const read = async () => {
      for await (const { index } of readImages(source, { skipped: [], ahead: 3 })) {
        expect(started).toBeLessThanOrEqual(index + 3);
        seen++;
      }
    };
    await expect(read()).rejects.toThrow("a bug");
    expect(seen).toBe(30);
  });
});

describe("images without labels", () => {
  it("are all images in a folder and below it, those of a part alone where there are parts", async () => {
    const folder = await temporaryFolder();
    for (const name of ["a/1.jpg", "a/deep/2.jpg", "b/3.jpg", "4.jpg", "b/notes.txt"]) {
      await mkdir(join(folder, name, ".."), { recursive: true });
      await writeFile(join(folder, name), jpeg);
    }
    const namesOf = async (part?: "train" | "test") => {
      const source = await openImages(folder, part);
      return Array.from({ length: source.count }, (_, i) => source.nameOf(i));
    };
    expect(await namesOf()).toEqual(["4.jpg", "a/1.jpg", "a/deep/2.jpg", "b/3.jpg"]);
    await rename(join(folder, "a"), join(folder, "train"));
    expect(await namesOf("train")).toEqual(["1.jpg", "deep/2.jpg"]);
  });
});

describe("lists of images", () => {
  const write = (root: string, name: string, value: unknown) =>
    writeFile(join(root, name), JSON.stringify(value));

  it("give files, labels and names; a missing file is skipped", async () => {
    const root = await temporaryFolder();
    await writeFile(join(root, "a.jpg"), jpeg);
    await write(root, "files.json", [
      { file: "a.jpg", index: 1 },
      { file: "b.jpg", index: 0 },
    ]);
    expect((await listedImages(root)).classes).toEqual(["0", "1"]);
    await write(root, "labels.json", { 0: { name: "tench" }, 1: { name: "goldfish" }, 2: { name: "shark" } });
    const source = await listedImages(root);
    expect(source.classes).toEqual(["tench", "goldfish", "shark"]);
    const { images, skipped } = await all(source);
    expect(images.map(({ name, label }) => [name, label])).toEqual([["a.jpg", 1]]);
    expect(skipped).toEqual([
      { name: "b.jpg", reason: expect.stringContaining("there is no such file") as string },
    ]);
  });

  it.each([
    [[], undefined, "expected a list of files"],
    [[{ file: "a.jpg" }], undefined, 'entry 0: expected {"file": name, "index": label}'],
    [[{ file: "a.jpg", index: -1 }], undefined, "entry 0: expected"],
    [[{ file: "../../etc/a.jpg", index: 1 }], undefined, "lies outside the folder"],
    [[{ file: "/a.jpg", index: 1 }], undefined, "lies outside the folder"],
    [
      [
        { file: "a.jpg", index: 0 },
        { file: "./a.jpg", index: 1 },
      ],
      undefined,
      'entry 1: "a.jpg" is already listed as entry 0 with the label 0 (here 1)',
    ],
    [
      [{ file: "a.jpg", index: 2 }],
      { 0: { name: "x" } },
      "expected at least 3 classes for the labels in files.json, got 1",
    ],
    [[{ file: "a.jpg", index: 0 }], { 1: { name: "x" } }, "expected a name for class 0, got none"],
  ])("refuse lists of another form: %j", async (files, labels, message) => {
    const root = await temporaryFolder();
    await write(root, "files.json", files);
    if (labels) await write(root, "labels.json", labels);
    await expect(listedImages(root)).rejects.toThrow(message);
  });

  it("refuse a list that is no JSON or not there", async () => {
    const root = await temporaryFolder();
    await expect(listedImages(root)).rejects.toThrow("there is no such file");
    await writeFile(join(root, "files.json"), "[{");
    await expect(listedImages(root)).rejects.toThrow("is not valid JSON");
  });
});

describe("a data set's name", () => {
  it("takes no option that has no effect, and hints at the only part", async () => {
    const root = await temporaryFolder();
    await writeFile(join(root, "train.npy"), "x");
    await expect(namedImages(root)).rejects.toThrow("which can be read with --split train");
    await writeFile(join(root, "files.json"), JSON.stringify([{ file: "a.jpg", index: 0 }]));
    await expect(namedImages(root, { split: "train" })).rejects.toThrow("got --split train");
    expect((await namedImages(root)).count).toBe(1);
  });

  it("has a digest that changes with content, labels, names and choice", async () => {
    const root = await folderOf(["a", "b"]);
    const digest = async (images = [0, 1]) => contentDigest(await namedImages(root), images);
    const first = await digest();
    expect(await digest()).toBe(first);
    expect(await digest([0])).not.toBe(first);
    await rename(join(root, "a"), join(root, "c"));
    const renamed = await digest();
    expect(renamed).not.toBe(first);
    await rename(join(root, "c"), join(root, "a"));
    await writeFile(join(root, "a", "0.jpg"), "damaged");
    expect(await digest()).not.toBe(first);
  });
});

describe("images in a NumPy file", () => {
  const labels = { classes: [{ label: 0, name: "cat" }, { label: 1, name: "dog" }], splits: { val: { labels: [1, 0] } } }; // prettier-ignore

  it("are read row by row", async () => {
    const root = await temporaryFolder();
    await writeFile(join(root, "labels.json"), JSON.stringify(labels));
    const bytes = Uint8Array.from({ length: 2 * 4 * 4 * 3 }, (_, i) => i);
    await writeFile(join(root, "val.npy"), npyBytes({ shape: "(2, 4, 4, 3)" }, bytes));
    const source = await npyImages(root, "val");
    expect([...source.labels]).toEqual([1, 0]);
    expect(await source.read(1)).toEqual({ width: 4, height: 4, data: bytes.subarray(48) });
    await expect(npyImages(root, "train")).rejects.toThrow(
      "expected classes and splits.train.labels, got splits val",
    );
    await writeFile(join(root, "val.npy"), npyBytes({ shape: "(1, 4, 4, 3)" }, new Uint8Array(48)));
    await expect(npyImages(root, "val")).rejects.toThrow("at least 2 images for the labels, got 1");
    await writeFile(join(root, "val.npy"), npyBytes({ shape: "(2, 3, 4, 4)" }, new Uint8Array(96)));
    await expect(npyImages(root, "val")).rejects.toThrow(
      "expected bytes of shape NxHxWx3, got |u1 of shape 2x3x4x4",
    );
    const wrong = { ...labels, splits: { val: { labels: [1, 2] } } };
    await writeFile(join(root, "labels.json"), JSON.stringify(wrong));
    await expect(npyImages(root, "val")).rejects.toThrow("label 1 of val: expected 0 to 1, got 2");
  });
});

describe.skipIf(!existsSync(shared))("real data sets", () => {
  it("are read as they lie there", async () => {
    const sample = await listedImages(join(shared, "imagenet-sample"));
    expect([sample.count, sample.classes.length, sample.classes[sample.labels[0]!]]).toEqual([
      500,
      1000,
      "goldfish",
    ]);
    const { images, skipped } = await all(sample, { to: 3 });
    expect(images.map(({ image }) => [image.width, image.height])).toEqual([[256, 256], [256, 256], [256, 256]]); // prettier-ignore
    expect(skipped).toEqual([]);
    const tiny = await npyImages(join(shared, "tiny-imagenet-20"), "val");
    expect([tiny.count, tiny.classes.length, tiny.labels[21]]).toEqual([400, 20, 1]);
    const { data } = await tiny.read(399);
    const file = await readFile(join(shared, "tiny-imagenet-20", "val.npy"));
    expect(Buffer.compare(Buffer.from(data), file.subarray(file.length - data.length))).toBe(0);
    const val = await listedImages(join(shared, "imagenet-val-sample"));
    expect(val.count).toBe(434);
  });
});
