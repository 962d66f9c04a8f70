import { createHash } from "node:crypto";
import { StriateError } from "../../util/errors.js";
import type { ImageSource } from "./image-source.js";

/** Number of images that are read in parallel. */
const AT_ONCE = 8;

/**
 * SHA-256 digest of some of a source's images. It covers the number of images and the names of all classes of
 * the source, and the position, name, label and content of each given image. The content is the bytes of the
 * image's file, or its pixels; an unreadable image is recorded as unreadable.
 */
export async function contentDigest(source: ImageSource, images: readonly number[]): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([source.count, source.classes]));
  const contentOf = async (index: number): Promise<string> => {
    try {
      const content = source.bytes ? await source.bytes(index) : (await source.read(index)).data;
      return createHash("sha256").update(content).digest("hex");
    } catch (error) {
      if (!(error instanceof StriateError)) throw error;
      return "unreadable";
    }
  };
  for (let start = 0; start < images.length; start += AT_ONCE) {
    const some = images.slice(start, start + AT_ONCE);
    const contents = await Promise.all(some.map(contentOf));
    some.forEach((index, i) =>
      hash.update(JSON.stringify([index, source.nameOf(index), source.labels[index], contents[i]])),
    );
  }
  return hash.digest("hex");
}
