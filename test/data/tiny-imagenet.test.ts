import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { encode } from "fast-png";
import sharp from "sharp";
import { describe, expect, it, vi } from "vitest";
import { namedImages } from "../../src/data/sets/named-images-node.js";
import { TINY_IMAGENET_OFFICIAL, loadTinyImageNet } from "../../src/data/sets/tiny-imagenet-node.js";
import { openZip } from "../../src/data/formats/zip-node.js";
import { temporaryFolder } from "../support/folders.js";
import { ranged, serve } from "../support/server.js";
import type { ZippedFile } from "../support/zip.js";
import { zip } from "../support/zip.js";

const jpeg = async (grey: number, colour = true): Promise<Buffer> => {
  const picture = sharp(Buffer.alloc(64 * 64 * 3, grey), { raw: { width: 64, height: 64, channels: 3 } });
  return (colour ? picture : picture.greyscale()).jpeg({ quality: 100 }).toBuffer();
};

const ROOT = "tiny-imagenet-200";

/** Two classes, listed against the alphabet, as the official archive has them. */
async function official(): Promise<ZippedFile[]> {
  const text = (lines: readonly string[]) => Buffer.from(`${lines.join("\n")}\n`);
  return [
    { name: `${ROOT}/`, bytes: new Uint8Array(), stored: true },
    { name: `${ROOT}/wnids.txt`, bytes: text(["n02", "n01"]) },
    { name: `${ROOT}/train/n02/n02_boxes.txt`, bytes: text(["n02_0.JPEG\t0\t0\t9\t9"]) },
    { name: `${ROOT}/train/n02/images/n02_0.JPEG`, bytes: await jpeg(200), stored: true },
    { name: `${ROOT}/train/n01/images/n01_1.JPEG`, bytes: await jpeg(60) },
    { name: `${ROOT}/train/n01/images/n01_0.JPEG`, bytes: await jpeg(40, false) },
    {
      name: `${ROOT}/val/val_annotations.txt`,
      bytes: text(["val_0.JPEG\tn02\t0\t0\t5\t5", "val_1.JPEG\tn01\t1\t2\t3\t4"]),
    },
    { name: `${ROOT}/val/images/val_1.JPEG`, bytes: await jpeg(10) },
    { name: `${ROOT}/val/images/val_0.JPEG`, bytes: await jpeg(220) },
    { name: `${ROOT}/test/images/test_0.JPEG`, bytes: await jpeg(1) },
  ];
}

async function unpackInto(folder: string, files: readonly ZippedFile[]): Promise<void> {
  for (const { name, bytes } of files) {
    if (name.endsWith("/")) continue;
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
}

async function check(load: (part: "train" | "val") => ReturnType<typeof loadTinyImageNet>): Promise<void> {
  const train = await load("train");
  expect(train.classes).toEqual(["n01", "n02"]);
  expect([...train.labels]).toEqual([0, 0, 1]);
  expect((await train.read(0)).data.slice(0, 3)).toEqual(Uint8Array.of(40, 40, 40));
  expect((await train.read(2)).data[0]).toBe(200);
  expect(train.nameOf(0)).toContain("n01_0.JPEG");
  const validation = await load("val");
  expect([...validation.labels]).toEqual([1, 0]);
  expect((await validation.read(0)).data[0]).toBe(220);
  expect((await validation.read(1)).data[0]).toBe(10);
}

describe("Tiny ImageNet", () => {
  it("is read from the official archive, from the same unpacked, and from folders of classes", async () => {
    const folder = await temporaryFolder();
    const files = await official();
    for (const wide of [false, true]) {
      const path = join(folder, `${String(wide)}.zip`);
      await writeFile(path, zip(files, { wide }));
      await check((part) => loadTinyImageNet(part, { path }));
    }
    await unpackInto(folder, files);
    await check((part) => loadTinyImageNet(part, { path: join(folder, ROOT) }));
    const sorted = files.flatMap((file): ZippedFile[] => {
      if (file.name.endsWith("val_annotations.txt")) return [];
      return [
        {
          ...file,
          name: file.name
            .replace("val/images/val_0", "val/n02/val_0")
            .replace("val/images/val_1", "val/n01/val_1")
            .replace(ROOT, "sorted"),
        },
      ];
    });
    await unpackInto(folder, sorted);
    const validation = await loadTinyImageNet("val", { path: join(folder, "sorted") });
    expect([...validation.labels]).toEqual([0, 1]);
    expect((await validation.read(1)).data[0]).toBe(220);
  });

  it("is downloaded once, gone on with after a break, and checked", async () => {
    const folder = await temporaryFolder();
    vi.stubEnv("STRIATE_DATA", folder);
    try {
      const bytes = zip(await official());
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const { listener, ranges } = ranged(bytes, 1000);
      const archive = { url: await serve(listener, "tiny-imagenet-200.zip"), sha256 };
      await expect(loadTinyImageNet("train", { archive })).rejects.toThrow(/interrupted after 1000 bytes/);
      await check((part) => loadTinyImageNet(part, { archive }));
      await check((part) => loadTinyImageNet(part, { archive, fetch: "never" }));
      expect(ranges).toEqual([undefined, "bytes=1000-"]);
      expect(existsSync(join(folder, "tiny-imagenet-200.zip"))).toBe(true);
      // The official archive is known to hold more.
      await expect(namedImages("tiny-imagenet")).rejects.toThrow(/expected 100,000 training images, got 3/);
    } finally {
      vi.unstubAllEnvs();
    }
    vi.stubEnv("STRIATE_DATA", await temporaryFolder());
    const other = {
      url: await serve(ranged(Buffer.from("no zip")).listener, "tiny-imagenet-200.zip"),
      sha256: "00",
    };
    await expect(loadTinyImageNet("val", { archive: other })).rejects.toThrow(/expected the sha256 checksum/);
    await expect(loadTinyImageNet("val", { fetch: "never" })).rejects.toThrow(
      /expected .* or .*, found neither/,
    );
    vi.unstubAllEnvs();
    expect(TINY_IMAGENET_OFFICIAL.sha256).toHaveLength(64);
  });

  it("refuses other folders and lists that name unknown classes", async () => {
    const folder = await temporaryFolder();
    await expect(loadTinyImageNet("train", { path: folder })).rejects.toThrow(/has no folder "train"/);
    const files = await official();
    const list = Buffer.from("val_0.JPEG\tn09\t0\t0\t1\t1\n");
    const wrong = files.map((file) =>
      file.name.endsWith("annotations.txt") ? { ...file, bytes: list } : file,
    );
    const path = join(folder, "wrong.zip");
    await writeFile(path, zip(wrong));
    await expect(loadTinyImageNet("val", { path })).rejects.toThrow(/row 1: "n09" is none of the 2 classes/);
    await writeFile(path, zip([{ name: "a.txt", bytes: Buffer.from("a") }]));
    await expect(loadTinyImageNet("train", { path })).rejects.toThrow(/expected images train\/CLASS/);
  });
});

describe("a ZIP archive", () => {
  it("that is damaged is refused with its name", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "a.zip");
    const png = encode({ width: 2, height: 2, data: new Uint8Array(12), channels: 3 });
    const good = zip([{ name: "b/a.png", bytes: png }]);
    const write = async (bytes: Uint8Array) => {
      await writeFile(path, bytes);
      return openZip(path);
    };
    const archive = await write(good);
    expect(archive.names).toEqual(["b/a.png"]);
    expect(await archive.read("b/a.png")).toEqual(new Uint8Array(png));
    await expect(write(good.subarray(0, good.length - 4))).rejects.toThrow(
      /a\.zip" is not an intact ZIP archive/,
    );
    await expect(write(Buffer.from("hello"))).rejects.toThrow(/not an intact ZIP archive/);
    const damaged = Buffer.from(good);
    damaged.fill(0xff, 45, 55);
    const opened = await write(damaged);
    await expect(opened.read("b/a.png")).rejects.toThrow(/a\.zip: b\/a\.png" is not an intact ZIP archive/);
    const encrypted = Buffer.from(good);
    encrypted.writeUInt16LE(1, good.lastIndexOf(Buffer.from("PK\x01\x02")) + 8);
    await expect((await write(encrypted)).read("b/a.png")).rejects.toThrow(/encrypted/);
    await expect((await write(good)).read("c")).rejects.toThrow(/a\.zip": c is missing/);
    const far = Buffer.from(good);
    far.writeUInt32LE(0xfffffff0, good.length - 6);
    await expect(write(far)).rejects.toThrow(/not an intact ZIP archive/);
    await expect(openZip(join(folder, "none.zip"))).rejects.toThrow(/no such file/);
    expect((await readFile(path)).length).toBeGreaterThan(0);
  });
});
