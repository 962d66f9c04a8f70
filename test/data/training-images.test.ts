import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { mixBatch } from "../../src/data/augmentation/mix.js";
import { randAugment } from "../../src/data/augmentation/rand-augment.js";
import { imageFolder } from "../../src/data/images/sources/image-folder-node.js";
import type { ImageLoader } from "../../src/data/images/image-loader-node.js";
import { openImageLoader } from "../../src/data/images/image-loader-node.js";
import type { ImageSource } from "../../src/data/images/image-source.js";
import { writePng } from "../../src/data/images/images-node.js";
import { imageData, prepareImages } from "../../src/data/images/prepared-images.js";
import { PREPROCESSINGS } from "../../src/data/images/preprocessing.js";
import { withOwnMemory } from "../../src/data/images/rgb-image.js";
import { splitByName } from "../../src/data/images/split-by-name.js";
import { transformImage } from "../../src/data/images/transform.js";
import { fingerprintOf, trainingParts } from "../../src/data/sets/training-parts-node.js";
import { Random } from "../../src/util/random.js";
import { temporaryFolder } from "../support/folders.js";

const picture = (label: string | number, width = 20, height = 16) => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) =>
    Random.derive("p", label, i).integer(0, 256),
  ),
});

/** A folder with two classes of PNG files. */
async function photos(count = 6): Promise<string> {
  const root = join(await temporaryFolder(), "photos");
  for (const name of ["cat", "dog"]) {
    await mkdir(join(root, name), { recursive: true });
    for (let i = 0; i < count; i++) await writePng(join(root, name, `${i}.png`), picture(`${name}${i}`));
  }
  return root;
}

const opened: ImageLoader[] = [];
function loader(...args: Parameters<typeof openImageLoader>): ImageLoader {
  const made = openImageLoader(...args);
  opened.push(made);
  return made;
}
afterAll(async () => {
  await Promise.all(opened.map((one) => one.close()));
});

const AUGMENTED = { width: 12, height: 12, shortSide: 12, crop: { scale: [0.3, 1] as const }, flip: 0.5 };

describe("image loader", () => {
  it("gives the values of prepared images if it does not augment", async () => {
    const source = await imageFolder(await photos());
    const preprocessing = { ...PREPROCESSINGS.imagenet, cropFraction: 1 };
    const transform = { width: 12, height: 12, shortSide: 12 };
    const expected = { images: new Float32Array(4 * 432), labels: new Float32Array(4) };
    imageData(await prepareImages(source, [3, 12, 12]), preprocessing).fill([0, 7, 3, 11], expected);
    const found = { images: new Float32Array(4 * 432), labels: new Float32Array(4) };
    await loader(source, { transform, preprocessing, threads: 2 }).fill([0, 7, 3, 11], found);
    expect(found.labels).toEqual(Float32Array.of(0, 1, 0, 1));
    expect(found).toEqual(expected);
  });

  it("augments by the labels of the draw, whatever the number of threads", async () => {
    const source = await imageFolder(await photos());
    const fill = async (threads: number, ...draw: (string | number)[]) => {
      const images = new Float32Array(6 * 432);
      const options = { transform: { ...AUGMENTED, policy: "augmix" as const }, preprocessing: {}, threads };
      await loader(source, options).fill([0, 1, 2, 3, 4, 0], { images }, draw);
      return images;
    };
    const [one, three, other] = [
      await fill(1, 1, "step", 5),
      await fill(3, 1, "step", 5),
      await fill(1, 1, "step", 6),
    ];
    expect(three).toEqual(one);
    expect(other).not.toEqual(one);
    // The same image at another place of the batch is augmented in another way.
    expect(one.subarray(0, 432)).not.toEqual(one.subarray(5 * 432));
  });

  it("puts the next image in the place of one that cannot be read, and says so", async () => {
    const root = await photos();
    await writeFile(join(root, "cat", "2.png"), "not a picture");
    const source = await imageFolder(root);
    const transform = { width: 12, height: 12, shortSide: 12 };
    const made = loader(source, { transform, preprocessing: {}, threads: 2 });
    const fields = { images: new Float32Array(2 * 432), labels: new Float32Array(2) };
    await made.fill([2, 3], fields);
    expect(fields.images.subarray(0, 432)).toEqual(fields.images.subarray(432));
    expect(made.skipped.map(({ name }) => name)).toEqual([join("cat", "2.png")]);
    await made.fill([2, 2], fields);
    expect(made.skipped).toHaveLength(1);
  });

  it("ends if too many images cannot be read", async () => {
    const root = await photos(8);
    for (const name of ["cat", "dog"])
      for (let i = 0; i < 8; i++) await writeFile(join(root, name, `${i}.png`), "no picture");
    const made = loader(await imageFolder(root), {
      transform: { width: 12, height: 12, shortSide: 12 },
      preprocessing: {},
      threads: 1,
    });
    await expect(made.fill([0], { images: new Float32Array(432) })).rejects.toThrow(
      /expected at most 10 unreadable images, got more: 11 of 16 images were skipped/,
    );
  });

  it("refuses a transform that makes no sense", async () => {
    const source = await imageFolder(await photos(2));
    expect(() =>
      openImageLoader(source, { transform: { ...AUGMENTED, flip: 2 }, preprocessing: {} }),
    ).toThrow(/image transform: flip: expected .* from 0 to 1, got 2/);
  });
});

describe("memory that goes to a thread", () => {
  it("is the image's own, not all that a view is a part of", () => {
    const large = new Uint8Array(10_000);
    const view = { width: 2, height: 2, data: large.subarray(24, 36) };
    expect(withOwnMemory(view).data.buffer.byteLength).toBe(12);
    const own = { width: 2, height: 2, data: new Uint8Array(12) };
    expect(withOwnMemory(own)).toBe(own);
  });
});

describe("transforms", () => {
  it("leave the picture itself as it is", () => {
    const image = picture("own", 12, 12);
    const before = image.data.slice();
    const changed = transformImage(image, { width: 12, height: 12, shortSide: 12, flip: 1 }, new Random(1));
    expect(image.data).toEqual(before);
    expect(Array.from(changed.data.subarray(0, 3))).toEqual(Array.from(before.subarray(33, 36)));
  });

  it("RandAugment keeps the size, follows the seed, and does more at greater strength", () => {
    const image = picture("own", 24, 24);
    const distance = (strength: number) => {
      let sum = 0;
      for (let seed = 0; seed < 40; seed++) {
        const { data } = randAugment(image, new Random(seed), { strength });
        expect(data.length).toBe(image.data.length);
        sum += data.reduce((total, value, i) => total + Math.abs(value - image.data[i]!), 0);
      }
      return sum;
    };
    expect(randAugment(image, new Random(3))).toEqual(randAugment(image, new Random(3)));
    expect(distance(25)).toBeGreaterThan(1.5 * distance(3));
    expect(() => randAugment(image, new Random(1), { strength: 31 })).toThrow(/from 0 to 30/);
  });
});

describe("mixing", () => {
  const shape = [1, 4, 4] as const;
  const batch = () => {
    const images = new Float32Array(4 * 16);
    for (let n = 0; n < 4; n++) images.fill(n, n * 16, (n + 1) * 16);
    return { images, labels: Float32Array.of(0, 1, 2, 2), targets: new Float32Array(4 * 3) };
  };

  it("by mixup averages pixels and labels with the same share", () => {
    const { images, labels, targets } = batch();
    mixBatch(images, labels, targets, { mixup: 1, shape }, new Random(4));
    const own = targets[0]!;
    expect(own).toBeGreaterThan(0);
    expect(targets[2]).toBeCloseTo(1 - own, 6);
    expect(images[0]).toBeCloseTo(3 * (1 - own), 5);
    expect(images[3 * 16]).toBeCloseTo(3 * own, 5);
  });

  it("by CutMix pastes a box whose share of the area is that of the labels", () => {
    for (let seed = 0; seed < 20; seed++) {
      const { images, labels, targets } = batch();
      mixBatch(images, labels, targets, { cutmix: 1, shape }, new Random(seed));
      const pasted = Array.from(images.subarray(0, 16)).filter((value) => value === 3).length;
      expect(targets[2]).toBeCloseTo(pasted / 16, 6);
      for (let n = 0; n < 4; n++)
        expect(targets.subarray(3 * n, 3 * n + 3).reduce((a, b) => a + b)).toBeCloseTo(1, 6);
    }
  });

  it("draws the share of Beta(alpha, alpha)", () => {
    const shares = (alpha: number) =>
      Array.from({ length: 600 }, (_, seed) => {
        const { images, labels, targets } = batch();
        mixBatch(images, labels, targets, { mixup: alpha, shape }, new Random(seed));
        return targets[0]!;
      });
    for (const alpha of [0.2, 1, 4]) {
      const drawn = shares(alpha);
      const mean = drawn.reduce((a, b) => a + b, 0) / drawn.length;
      const variance = drawn.reduce((a, b) => a + (b - mean) ** 2, 0) / drawn.length;
      expect(mean).toBeCloseTo(0.5, 1);
      // The variance of Beta(a, a) is 1 / (4 (2 a + 1)).
      expect(variance * 4 * (2 * alpha + 1)).toBeCloseTo(1, 0);
    }
  });

  it("refuses to mix nothing", () => {
    const { images, labels, targets } = batch();
    expect(() => {
      mixBatch(images, labels, targets, { shape }, new Random(1));
    }).toThrow(/alpha of mixup or CutMix above 0, got none/);
  });
});

describe("splits", () => {
  const source = (count: number, classes = 4): ImageSource => ({
    name: "data",
    count,
    classes: Array.from({ length: classes }, (_, i) => `class${i}`),
    labels: Int32Array.from({ length: count }, (_, i) => i % classes),
    nameOf: (index) => `image${index}.png`,
    read: () => Promise.resolve(picture(1)),
  });

  it("have the shares asked for, share no image, and stay when images are added", () => {
    const names = (part: ImageSource) => Array.from({ length: part.count }, (_, i) => part.nameOf(i));
    const [train, validation, test] = splitByName(source(2000), [0.1, 0.2], 1).map(names);
    expect(train!.length + validation!.length + test!.length).toBe(2000);
    expect(new Set([...train!, ...validation!, ...test!]).size).toBe(2000);
    expect(Math.abs(validation!.length - 200)).toBeLessThan(50);
    expect(Math.abs(test!.length - 400)).toBeLessThan(70);
    const [more] = splitByName(source(3000), [0.1, 0.2], 1).map(names);
    expect(more!.slice(0, train!.length)).toEqual(train);
    expect(splitByName(source(2000), [0.1, 0.2], 2).map(names)[0]).not.toEqual(train);
  });

  it("need two images of every class", () => {
    expect(() => splitByName(source(7), [0.1], 1)).toThrow(/two images of every class, got one of class3/);
    expect(() => splitByName(source(100), [0.6, 0.5], 1)).toThrow(/sum below 1/);
  });

  it("of a folder without parts are three, and of one with train and val two more", async () => {
    const plain = await trainingParts(await photos(40), { validation: 0.2 });
    expect(plain.train.count + plain.validation.count + plain.test.count).toBe(80);
    expect(plain.text).toContain("chosen by their names");
    const root = await temporaryFolder();
    for (const part of ["train", "val"])
      for (const name of ["cat", "dog"]) {
        await mkdir(join(root, part, name), { recursive: true });
        for (let i = 0; i < 12; i++)
          await writePng(join(root, part, name, `${i}.png`), picture(`${part}${name}${i}`));
      }
    const parts = await trainingParts(root, { validation: 0.2 });
    expect(parts.test.count).toBe(24);
    expect(parts.train.count + parts.validation.count).toBe(24);
    expect(parts.train.classes).toEqual(["cat", "dog"]);
    expect(fingerprintOf(parts)).toBe(fingerprintOf(await trainingParts(root, { validation: 0.2 })));
    expect(fingerprintOf(parts)).not.toBe(fingerprintOf(await trainingParts(root, { validation: 0.3 })));
    await mkdir(join(root, "val", "emu"));
    await writePng(join(root, "val", "emu", "1.png"), picture(1));
    for (const validation of [0, 1])
      await expect(trainingParts(root, { validation })).rejects.toThrow(
        new RegExp(
          `validation: expected a share above 0 and below (0\\.5|1) of the images .*, got ${validation}: the validation`,
        ),
      );
    await expect(trainingParts(await photos(40), { validation: 0.5 })).rejects.toThrow(
      /above 0 and below 0\.5 .*as many images again become the test part\), got 0\.5/,
    );
    await expect(trainingParts(root)).rejects.toThrow(/emu/);
    await expect(trainingParts(join(root, "nowhere"))).rejects.toThrow(
      /expected a folder of images or one of cifar10/,
    );
  });
});
