// Oscillators learn the parts of one image from views of crops of it. Then each segment of the image is drawn in its
// mean colour.
// A minute or two on two cores. After `npm run build`: npx tsx examples/akorn.ts image.jpg [clusters] [steps] [segments.png]
import { Evaluator, Random, resizeAndCrop, simclrView } from "striate";
import { ObjectNetwork, ObjectTask, VIEWS, segmentImages } from "striate/akorn";
import { nodeRuntime, readImage, train, writePng } from "striate/node";

type Fields = Readonly<Record<string, Float32Array>>;
const [, , file = "image.jpg", clusters = "5", steps = "200", output = "segments.png"] = process.argv;
const [size, patch, batchSize] = [64, 4, 16];
const original = resizeAndCrop(await readImage(file), 4 * size, 4 * size);
const whole = resizeAndCrop(original, size, size);
const planes = ({ data }: typeof whole): Float32Array =>
  Float32Array.from(data, (_, i) => data[3 * (i % size ** 2) + Math.floor(i / size ** 2)]! / 255);

const task = new ObjectTask(new ObjectNetwork({ channels: 64, imageSize: size, patch }), size);
const fill = (indices: ArrayLike<number>, { [VIEWS]: views }: Fields) => {
  for (let view = 0; view < 2 * batchSize; view++) {
    const label = indices[view >> 1]!;
    const crop = simclrView(original, size, Random.derive(1, label), { crop: { scale: [0.1, 0.3] } });
    views!.set(planes(simclrView(crop, size, Random.derive(1, label, view))), view * 3 * size ** 2);
  }
};
const crops = { count: batchSize * Number(steps), fill };
const run = await train(task, crops, { epochs: 1, batchSize, seed: 1, onProgress: console.log });

const evaluator = await Evaluator.open(task, 1, run.values, nodeRuntime);
const features = async (image: Float32Array) => {
  const one = { count: 1, fill: (_: unknown, { images }: Fields) => (images!.set(image), undefined) };
  const { features: found } = await evaluator.run(run.values, one, [0], [1]);
  return { data: found!.data as Float32Array, shape: found!.shape };
};
const options = { tiling: { size, patch, factor: patch }, clusters: Number(clusters) };
const labels = await segmentImages(planes(whole), features, options);
await evaluator.close();
const drawn = whole.data.map((_, i) => {
  const own = [...labels.keys()].filter((p) => labels[p] === labels[Math.floor(i / 3)]);
  return own.reduce((sum, p) => sum + whole.data[3 * p + (i % 3)]!, 0) / own.length;
});
await writePng(output, resizeAndCrop({ ...whole, data: drawn }, 4 * size, 4 * size));
