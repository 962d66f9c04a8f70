import { join } from "node:path";
import { encode as encodePng } from "fast-png";
import sharp from "sharp";
import { imageFolder } from "../../../src/data/images/sources/image-folder-node.js";
import { readImage } from "../../../src/data/images/images-node.js";
import { listedImages, npyImages } from "../../../src/data/images/sources/listed-images-node.js";
import { loadClevrTex } from "../../../src/data/sets/clevrtex-node.js";
import { loadTinyImageNet } from "../../../src/data/sets/tiny-imagenet-node.js";
import { openImageNetC } from "../../../src/robustness/corruptions/published-node.js";
import { crc32 } from "../../../src/util/checksums.js";
import { npyBytes } from "../../support/npy.js";
import { zip } from "../../support/zip.js";
import type { Sample } from "./sample.js";
import { allImages, text } from "./sample.js";

/** Rewrites the checksums of the chunks of a PNG file, so that damage inside a chunk reaches the decoder. */
function withChecksums(png: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(png);
  const view = new DataView(bytes.buffer);
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    if (at + 12 + length > bytes.length) break;
    view.setUint32(at + 8 + length, crc32(bytes.subarray(at + 4, at + 8 + length)));
    at += 12 + length;
  }
  return bytes;
}

/** A BMP file of 24 bits. */
function bmp(width: number, height: number): Uint8Array {
  const row = Math.ceil((3 * width) / 4) * 4;
  const bytes = Buffer.alloc(54 + row * height, 90);
  bytes.fill(0, 0, 54);
  bytes.write("BM");
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  return bytes;
}

/** Image files, and the lists and folders that name them. */
export async function pictures(): Promise<Sample[]> {
  const [width, height] = [24, 16];
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37 + (i >> 5) * 11) % 256);
  const picture = () => sharp(data, { raw: { width, height, channels: 3 } });
  const png = encodePng({ width, height, data, channels: 3 });
  const palette = Array.from({ length: 4 }, (_, i): [number, number, number] => [60 * i, 0, 255 - 60 * i]);
  const jpeg = new Uint8Array(await picture().jpeg().toBuffer());
  const files: Readonly<Record<string, Uint8Array>> = {
    png,
    jpg: jpeg,
    webp: await picture().webp().toBuffer(),
    gif: await picture().gif().toBuffer(),
    tif: await picture().tiff({ compression: "lzw" }).toBuffer(),
    avif: await picture().avif({ effort: 0 }).toBuffer(),
    bmp: bmp(width, height),
  };
  const each = Object.entries(files).map(([ending, bytes]): Sample => {
    const file = `picture.${ending}`;
    return {
      name: `image, ${ending}`,
      files: { [file]: bytes },
      damaged: file,
      read: (folder) => readImage(join(folder, file)),
    };
  });
  const clevr = { width: 320, height: 240 };
  const mask = encodePng({
    ...clevr,
    data: Uint8Array.from({ length: 320 * 240 }, (_, i) => Math.floor((i % 320) / 80)),
    channels: 1,
    palette,
  });
  const scene = encodePng({ ...clevr, data: new Uint8Array(320 * 240 * 3).fill(9), channels: 3 });
  const tiny = (annotations: Uint8Array) => [
    { name: "tiny-imagenet-200/wnids.txt", bytes: text("n02\nn01\n") },
    { name: "tiny-imagenet-200/train/n02/images/n02_0.JPEG", bytes: jpeg },
    { name: "tiny-imagenet-200/train/n01/images/n01_0.JPEG", bytes: jpeg },
    { name: "tiny-imagenet-200/val/val_annotations.txt", bytes: annotations },
    { name: "tiny-imagenet-200/val/images/val_0.JPEG", bytes: jpeg },
  ];
  const annotations = text("val_0.JPEG\tn02\t0\t0\t5\t5\n");
  const readTiny = async (folder: string) => {
    await allImages(await loadTinyImageNet("val", { path: join(folder, "tiny.zip"), fetch: "never" }));
  };
  const list = text('[{"file": "a.png", "index": 1}, {"file": "b.jpg", "index": 0}]');
  const names = text('{"0": {"name": "cat"}, "1": {"name": "dog"}}');
  const listed = { "files.json": list, "labels.json": names, "a.png": png, "b.jpg": jpeg };
  const readListed = async (folder: string) => {
    await allImages(await listedImages(folder));
  };
  const array = npyBytes({ shape: "(2, 4, 4, 3)" }, data.subarray(0, 96));
  const split = text(
    '{"classes": [{"label": 0, "name": "cat"}, {"label": 1, "name": "dog"}], "splits": {"val": {"labels": [1, 0]}}}',
  );
  const stored = { "val.npy": array, "labels.json": split };
  const readArray = async (folder: string) => {
    await allImages(await npyImages(folder, "val"));
  };
  return [
    ...each,
    { ...each[0]!, name: "image, png with right checksums", wrap: withChecksums },
    {
      name: "folder of images",
      files: { "set/cat/a.png": png, "set/dog/b.jpg": jpeg },
      damaged: "set/dog/b.jpg",
      read: async (folder) => {
        await allImages(await imageFolder(join(folder, "set")));
      },
    },
    { name: "list of images", files: listed, damaged: "files.json", read: readListed },
    { name: "list of names of images", files: listed, damaged: "labels.json", read: readListed },
    { name: "images as a NumPy file", files: stored, damaged: "val.npy", read: readArray },
    { name: "labels of images as a NumPy file", files: stored, damaged: "labels.json", read: readArray },
    {
      name: "Tiny ImageNet",
      files: { "tiny.zip": zip(tiny(annotations)) },
      damaged: "tiny.zip",
      read: readTiny,
    },
    {
      name: "Tiny ImageNet's annotations",
      files: { "tiny.zip": annotations },
      damaged: "tiny.zip",
      read: readTiny,
      wrap: (bytes) => zip(tiny(bytes)),
    },
    {
      name: "mask of ClevrTex",
      files: { "0/CLEVRTEX_full_000001.png": scene, "0/CLEVRTEX_full_000001_flat.png": mask },
      damaged: "0/CLEVRTEX_full_000001_flat.png",
      read: (folder) => loadClevrTex(folder, "all"),
      wrap: withChecksums,
    },
    {
      name: "ImageNet-C",
      files: { "gaussian_noise/1/n01/a.jpg": jpeg, "gaussian_noise/1/n02/a.png": png },
      damaged: "gaussian_noise/1/n02/a.png",
      read: async (folder) => {
        await allImages(await (await openImageNetC(folder)).open("gaussian_noise", 1));
      },
    },
  ];
}
