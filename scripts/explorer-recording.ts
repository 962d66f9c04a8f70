// npm run explorer:recording: records the explorer's first run, which the page plays until the networks are loaded.
import { readFile } from "node:fs/promises";
import { decode } from "fast-png";
import { exportOnnx, openStepper } from "striate";
import { loadPretrained, nodeRuntime, writeFileAtomic } from "striate/node";
import { START } from "../explorer/src/komplexnet/state.js";
import type { Frame } from "../explorer/src/compute/frame.js";
import { CANVAS, IMAGE, networkImage } from "../explorer/src/komplexnet/image.js";
import { encodeRecording } from "../explorer/src/komplexnet/recording.js";

const SAMPLE = 28;
const folder = new URL("../explorer/public/", import.meta.url);
const sheet = decode(await readFile(new URL("digits.png", folder)));

const ink = new Uint16Array(CANVAS * CANVAS);
for (const { sample, x, y, angle } of START.digits) {
  if (angle !== 0)
    throw new Error(`recording: expected digits that are not turned, got an angle of ${angle}`);
  for (let row = 0; row < SAMPLE; row++) {
    for (let column = 0; column < SAMPLE; column++) {
      const [v, u] = [Math.floor(sample / 10) * SAMPLE + row, (sample % 10) * SAMPLE + column];
      const at = (y - SAMPLE / 2 + row) * CANVAS + x - SAMPLE / 2 + column;
      ink[at] = Math.min(255, ink[at]! + sheet.data[sheet.channels * (v * sheet.width + u)]!);
    }
  }
}
const pixels = networkImage(ink, START.noise, START.seed);

const [kuramoto, random, real] = await Promise.all([
  loadPretrained("komplexnet-digits2"),
  loadPretrained("random-phases-digits2"),
  loadPretrained("real-valued-digits2"),
]);
const options = { seed: START.seed, device: "cpu" } as const;
const own = await openStepper(nodeRuntime, kuramoto, options);
const control = await openStepper(nodeRuntime, random, options);
const plain = await nodeRuntime.createSession(exportOnnx(real.model, real.values), {});
const frames: Frame[] = [];
for (let t = 0; t < START.timesteps; t++) {
  const images = { images: pixels };
  const { phases, amplitude, logits } = await own.step({
    ...images,
    rate: START.rate,
    desynchrony: START.repulsion,
  });
  const other = await control.step(images);
  const answer = await plain.run({ images: { dtype: "float32", shape: [1, 1, IMAGE, IMAGE], data: pixels } });
  frames.push({
    phases: (phases!.data as Float32Array).slice(),
    amplitudes: (amplitude!.data as Float32Array).slice(),
    logits: {
      kuramoto: (logits!.data as Float32Array).slice(),
      random: (other.logits!.data as Float32Array).slice(),
      real: (answer.logits!.data as Float32Array).slice(),
    },
  });
}
await Promise.all([own.close(), control.close(), plain.close()]);
await writeFileAtomic(new URL("start.bin", folder).pathname, encodeRecording(frames));
