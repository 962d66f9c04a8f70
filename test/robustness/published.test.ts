import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writePng } from "../../src/data/images/images-node.js";
import type { CorruptionName, Severity } from "../../src/robustness/corruptions/index.js";
import { openCifar10C, openImageNetC } from "../../src/robustness/corruptions/published-node.js";
import { temporaryFolder } from "../support/folders.js";
import { npyBytes } from "../support/npy.js";
import { testPicture } from "./pictures.js";

describe("ImageNet-C and Tiny-ImageNet-C", () => {
  it("are read by corruption, severity and class", async () => {
    const root = await temporaryFolder();
    const picture = testPicture(64);
    for (const part of ["fog/1/n01", "fog/1/n02", "fog/5/n01", "gaussian_noise/1/n01"]) {
      await mkdir(join(root, part), { recursive: true });
      await writePng(join(root, part, "test_1.png"), picture);
    }
    const set = await openImageNetC(root, { classes: ["n02", "n01"] });
    expect(set.corruptions).toEqual(["gaussian_noise", "fog"]);
    const source = await set.open("fog", 1);
    expect([...source.labels]).toEqual([1, 0]);
    expect(await source.read(0)).toEqual(picture);
    await expect(set.open("fog", 2)).rejects.toThrow("there is no such file or folder");
    await expect(set.open("snow", 1)).rejects.toThrow(
      "expected the corruption snow, got only gaussian_noise, fog",
    );
    await expect(set.open("fog", 7 as Severity)).rejects.toThrow("expected one of 1, 2, 3, 4, 5, got 7");
    await expect(set.open("smog" as CorruptionName, 1)).rejects.toThrow('unknown corruption "smog"');
  });

  it("refuse a folder without corruptions", async () => {
    const root = await temporaryFolder();
    await mkdir(join(root, "holiday"));
    await expect(openImageNetC(root)).rejects.toThrow("expected folders or files of corruptions, such as");
    await expect(openCifar10C(root)).rejects.toThrow("gaussian_noise.npy");
  });
});

describe("CIFAR-10-C", () => {
  const labels = (list: number[]) => npyBytes({ shape: `(${list.length},)` }, Uint8Array.from(list));
  /** Two images at five severities; every byte of image i at severity s is 10 s + i. */
  const images = () => {
    const data = new Uint8Array(10 * 3072);
    for (let row = 0; row < 10; row++)
      data.fill(10 * (Math.floor(row / 2) + 1) + (row % 2), row * 3072, (row + 1) * 3072);
    return npyBytes({ shape: "(10, 32, 32, 3)" }, data);
  };

  it("gives the rows of one severity", async () => {
    const root = await temporaryFolder();
    await writeFile(join(root, "labels.npy"), labels([3, 8, 3, 8, 3, 8, 3, 8, 3, 8]));
    await writeFile(join(root, "fog.npy"), images());
    const set = await openCifar10C(root);
    expect(set.corruptions).toEqual(["fog"]);
    for (const severity of [1, 3, 5] as const) {
      const source = await set.open("fog", severity);
      expect([source.count, ...source.labels]).toEqual([2, 3, 8]);
      expect(source.classes[source.labels[0]!]).toBe("cat");
      const { width, height, data } = await source.read(1);
      expect([width, height]).toEqual([32, 32]);
      expect(new Set(data)).toEqual(new Set([10 * severity + 1]));
    }
  });

  it("refuses files that do not fit each other", async () => {
    const root = await temporaryFolder();
    await writeFile(join(root, "fog.npy"), images());
    await expect(openCifar10C(root)).rejects.toThrow("there is no such file");
    await writeFile(join(root, "labels.npy"), labels([1, 2, 3, 4]));
    await expect(openCifar10C(root)).rejects.toThrow(
      "expected five times the labels of the test set in one list",
    );
    await writeFile(join(root, "labels.npy"), labels([1, 2, 3, 4, 10]));
    await expect(openCifar10C(root)).rejects.toThrow(
      "labels: expected whole numbers from 0 to 9, got 10 at position 4",
    );
    await writeFile(join(root, "labels.npy"), labels([1, 2, 3, 4, 5]));
    await expect((await openCifar10C(root)).open("fog", 1)).rejects.toThrow(
      "expected 5 images for the labels in labels.npy, got 10",
    );
  });
});
