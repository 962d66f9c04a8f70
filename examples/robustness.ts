// How robust is a classifier? After `npm run build`: npx tsx examples/robustness.ts model.onnx [preprocessing] [mnist, cifar10 or a folder]
import { readFile } from "node:fs/promises";
import {
  Classifier,
  attackBatch,
  attackPlan,
  calibration,
  fitPicture,
  onnxNetwork,
  preprocessingPreset,
  toImageBatch,
} from "striate/robustness";
import { Random } from "striate";
import { namedImages, nodeRuntime } from "striate/node";

const [path = "model.onnx", preset = "unit", data = "mnist"] = process.argv.slice(2);
const network = onnxNetwork(await readFile(path), { name: path, preprocessing: preprocessingPreset(preset) });
const classifier = new Classifier(network, nodeRuntime);

const source = await namedImages(data);
const { imageShape: shape, preprocessing } = network;
const read = async (i: number) => fitPicture(await source.read(i), shape, preprocessing);
const images = toImageBatch(await Promise.all(Array.from({ length: 32 }, (_, i) => read(i))), shape);
const labels = source.labels.slice(0, images.count);

const { accuracy, ece } = calibration(await classifier.logits(images), labels);
console.log(`clean: accuracy ${accuracy.toFixed(2)}, ECE ${ece.toFixed(3)}`);
for (const epsilon of [1 / 255, 8 / 255]) {
  const { attacks } = attackPlan("pgd");
  const { robust } = await attackBatch(classifier, attacks, {
    images,
    labels,
    epsilon,
    random: new Random(1),
  });
  const left = robust.reduce((total, flag) => total + flag, 0);
  console.log(`PGD-20, epsilon ${epsilon.toFixed(4)}: ${left} of ${images.count} still right`);
}
await classifier.close();
