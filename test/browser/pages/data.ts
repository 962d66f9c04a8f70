import { describeSkipped, fetchMnist, imageFiles, imagesFromFiles, readImages } from "striate";
import type { RgbImage, SkippedImage } from "striate";

/** What a page read, in forms that can be sent to the test. */
export interface ReadFolder {
  readonly classes: readonly string[];
  readonly images: readonly { readonly name: string; readonly label: number; readonly image: RgbImage }[];
  readonly skipped: readonly SkippedImage[];
  /** The same folder at 8 x 8 pixels. */
  readonly pixels: readonly number[];
  readonly progress: readonly (readonly [number, number])[];
  readonly sentence: string | undefined;
}

declare global {
  interface Window {
    folder?: ReadFolder;
    mnist?: { readonly count: number; readonly first: readonly number[]; readonly bytes: readonly number[] };
    failed?: string;
  }
}

async function readFolder(files: FileList): Promise<ReadFolder> {
  const source = await imageFiles(files);
  const skipped: SkippedImage[] = [];
  const images: ReadFolder["images"][number][] = [];
  for await (const { name, label, image } of readImages(source, { skipped })) {
    images.push({ name, label, image: { ...image, data: Array.from(image.data) as unknown as Uint8Array } });
  }
  const progress: [number, number][] = [];
  const small = await imagesFromFiles(files, { size: 8, onProgress: (...now) => progress.push(now) });
  return {
    classes: source.classes,
    images,
    skipped,
    pixels: Array.from(small.pixels),
    progress,
    sentence: describeSkipped(small.skipped, source.count),
  };
}

/** Loads the test pictures twice: the second time they are in the browser's cache. */
async function mnist(): Promise<NonNullable<Window["mnist"]>> {
  const bytes: number[] = [];
  const load = () =>
    fetchMnist("mnist", { parts: ["test"], onProgress: (now) => (bytes[loads] = now) }).finally(
      () => loads++,
    );
  let loads = 0;
  await load();
  const { test } = await load();
  // What is kept may be damaged.
  const cache = await caches.open("striate-data");
  const [kept] = await cache.keys();
  await cache.put(kept!, new Response("damaged"));
  await load();
  return { count: test.count, first: Array.from(test.labels.subarray(0, 4)), bytes };
}

const input = document.createElement("input");
input.type = "file";
input.webkitdirectory = true;
document.body.append(input);
const fail = (error: unknown) => {
  window.failed = String(error);
};
input.addEventListener("change", () => {
  readFolder(input.files!).then((read) => {
    window.folder = read;
  }, fail);
});
mnist().then((read) => {
  window.mnist = read;
}, fail);
