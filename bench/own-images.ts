import { mkdtempSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { imageFolder } from "../src/data/images/sources/image-folder-node.js";
import { openImageLoader } from "../src/data/images/image-loader-node.js";
import { openNetwork } from "../src/experiments/own-images/networks.js";
import { defaultRecipe, recipeOptimizer, trainingTransform } from "../src/experiments/own-images/recipe.js";
import { taskOf } from "../src/experiments/own-images/train-network.js";
import { workerRuntime } from "../src/runtime/worker-node.js";
import type { TrainingData } from "../src/train/task.js";
import { Trainer } from "../src/train/trainer.js";
import { Random } from "../src/util/random.js";
import type { BenchCase } from "./measure.js";

const [BATCH, SIZE, CLASSES, EACH, SIDE] = [32, 64, 10, 100, 128];
const folder = join(tmpdir(), "striate-bench-");

/** A folder of JPEG files of 128 pixels with patches of colours, 100 for each class. */
async function photos(root: string): Promise<void> {
  for (let label = 0; label < CLASSES; label++) {
    const path = join(root, `class${label}`);
    await mkdir(path, { recursive: true });
    for (let i = 0; i < EACH; i++) {
      const random = Random.derive("bench photo", label, i);
      const small = Uint8Array.from({ length: 16 * 16 * 3 }, () => random.integer(0, 256));
      await sharp(small, { raw: { width: 16, height: 16, channels: 3 } })
        .resize(SIDE, SIDE)
        .jpeg({ quality: 90 })
        .toFile(join(path, `${i}.jpg`));
    }
  }
}

/** Training from the folder, or with the same batch again and again, which shows what reading costs. */
function training(reads: boolean, root: () => Promise<string>): BenchCase["open"] {
  return async () => {
    const network = await openNetwork({ model: "resnet18", size: SIZE }, classNames, 1);
    const recipe = defaultRecipe({ pretrained: false, batchSize: BATCH });
    const { imageShape, preprocessing } = network;
    const loader = openImageLoader(await imageFolder(await root()), {
      transform: trainingTransform(recipe, imageShape, preprocessing),
      preprocessing,
      threads: 2,
    });
    const images = new Float32Array(BATCH * 3 * SIZE * SIZE);
    const labels = new Float32Array(BATCH);
    await loader.fill([...Array(BATCH).keys()], { images, labels });
    const held: TrainingData = {
      count: loader.count,
      fill: (_, fields) => {
        fields.images?.set(images);
        fields.labels?.set(labels);
      },
    };
    const trainer = await Trainer.open(
      taskOf(network, recipe, new Set(network.values.keys())),
      reads ? loader : held,
      {
        batchSize: BATCH,
        seed: 1,
        learningRate: 0.0125,
        optimizer: recipeOptimizer(recipe, (name) => network.values.get(name)!.shape.length),
        values: network.values,
      },
      workerRuntime,
      { threads: 2 },
    );
    return {
      run: () => trainer.advance(),
      close: async () => {
        await trainer.close();
        await loader.close();
      },
    };
  };
}

const classNames = Array.from({ length: CLASSES }, (_, i) => `class${i}`);

export function ownImagesCases(): BenchCase[] {
  const path = mkdtempSync(folder);
  process.on("exit", () => {
    rmSync(path, { recursive: true, force: true });
  });
  let made: Promise<void> | undefined;
  const root = async (): Promise<string> => {
    await (made ??= photos(path));
    return path;
  };
  return [
    {
      name: `ResNet-18 from JPEGs of ${SIDE} pixels, at ${SIZE} pixels, batch ${BATCH}, training step with reading`,
      amount: BATCH,
      unit: "images/s",
      bar: 1.5,
      peer: { name: "own_images", options: { folder: path, size: SIZE, batch: BATCH, classes: CLASSES } },
      open: training(true, root),
    },
    {
      name: "the same training step with the same batch again and again",
      amount: BATCH,
      unit: "images/s",
      open: training(false, root),
    },
  ];
}
