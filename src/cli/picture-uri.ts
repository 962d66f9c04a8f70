import type { RgbImage } from "../data/images/rgb-image.js";
import { loadSharp } from "../data/images/sharp-node.js";

/** The image as a `data:` address: PNG if it is small, JPEG if it is larger. */
export async function dataUri({ width, height, data }: RgbImage): Promise<string> {
  const sharp = await loadSharp();
  const picture = sharp(data, { raw: { width, height, channels: 3 } });
  const small = width <= 96;
  const bytes = await (small ? picture.png() : picture.jpeg({ quality: 88 })).toBuffer();
  return `data:image/${small ? "png" : "jpeg"};base64,${bytes.toString("base64")}`;
}
