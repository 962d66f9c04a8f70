// npm run explorer:digits: writes the digits of the explorer, ten of each class from MNIST's test set, as one PNG of 280 x 280 pixels.
import { loadMnist } from "../src/data/node.js";
import { encodePng } from "../src/report/png.js";
import { writeFileAtomic } from "../src/util/files-node.js";

const [SAMPLE, EACH] = [28, 10];
const { images, labels } = await loadMnist("test");
const side = SAMPLE * EACH;
const data = new Uint8ClampedArray(4 * side * side).fill(255);
const found = new Array<number>(10).fill(0);
labels.forEach((label, i) => {
  const column = found[label]!++;
  if (column >= EACH) return;
  for (let y = 0; y < SAMPLE; y++) {
    for (let x = 0; x < SAMPLE; x++) {
      const at = 4 * ((label * SAMPLE + y) * side + column * SAMPLE + x);
      data.fill(images[(i * SAMPLE + y) * SAMPLE + x]!, at, at + 3);
    }
  }
});
await writeFileAtomic(
  new URL("../explorer/public/digits.png", import.meta.url).pathname,
  encodePng({ width: side, height: side, data }),
);
