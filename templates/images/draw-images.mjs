// Draws pictures to try the recipe on: gratings of four orientations with noise, one folder for each class.
// Put your own pictures into images/CLASS/ instead.
import { mkdirSync } from "node:fs";
import sharp from "sharp";
import { Random } from "striate";

const [size, each] = [32, 100];
const random = Random.derive(1, "gratings");
for (const degrees of [0, 45, 90, 135]) {
  const folder = `images/grating-${degrees}`;
  mkdirSync(folder, { recursive: true });
  const angle = (degrees * Math.PI) / 180;
  for (let n = 0; n < each; n++) {
    const [phase, frequency] = [2 * Math.PI * random.uniform(), 0.5 + 0.5 * random.uniform()];
    const pixels = Buffer.from(
      Uint8Array.from({ length: size * size }, (_, i) => {
        const [x, y] = [i % size, Math.floor(i / size)];
        const wave = Math.sin(frequency * (x * Math.cos(angle) + y * Math.sin(angle)) + phase);
        return Math.max(0, Math.min(255, 128 + 60 * wave + 40 * random.normal()));
      }),
    );
    await sharp(pixels, { raw: { width: size, height: size, channels: 1 } })
      .png()
      .toFile(`${folder}/${n}.png`);
  }
}
console.log(`${4 * each} pictures in images/`);
