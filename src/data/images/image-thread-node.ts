import { answerRequests } from "../../runtime/request-thread-node.js";
import { Random } from "../../util/random.js";
import type { ImageAnswer, ImageRequest } from "./image-loader-node.js";
import { decodeImage } from "./images-node.js";
import { pixelTables, writeValues } from "./prepared-images.js";
import { transformImage } from "./transform.js";

answerRequests<ImageAnswer>(
  async ({ picture, name, transform, channels, preprocessing, draw }: ImageRequest) => {
    const decoded = "bytes" in picture ? await decodeImage(picture.bytes, name) : picture.image;
    const [first, ...others] = draw;
    const image = transformImage(decoded, transform, Random.derive(first!, ...others));
    const values = new Float32Array(channels * image.width * image.height);
    writeValues(image, pixelTables(preprocessing, channels), values);
    return values;
  },
  (values) => [values.buffer as ArrayBuffer],
);
