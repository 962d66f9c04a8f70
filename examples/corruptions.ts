// Corrupts a folder of images (one folder for each class) in three ways on all cores, and prints how much each corruption
// changes the images.
// After `npm run build`: npx tsx examples/corruptions.ts FOLDER
import { describeSkipped, readImages, resizeAndCrop, type SkippedImage } from "striate";
import { corruptAll, imageFolder } from "striate/node";

const folder = process.argv[2];
if (folder === undefined) throw new Error("which folder?");
const source = await imageFolder(folder);
const skipped: SkippedImage[] = [];

async function* images() {
  for await (const item of readImages(source, { skipped }))
    yield { ...item, image: resizeAndCrop(item.image, 224) };
}

const tasks = [
  { name: "gaussian_noise", severity: 3 },
  { name: "motion_blur", severity: 3 },
  { name: "fog", severity: 3 },
] as const;
const changes = tasks.map(() => 0);
let count = 0;
for await (const { image, corrupted } of corruptAll(images(), tasks, { seed: 1 })) {
  corrupted.forEach(({ data }, task) => {
    let sum = 0;
    for (let i = 0; i < data.length; i++) sum += Math.abs(data[i]! - image.data[i]!);
    changes[task]! += sum / data.length;
  });
  count++;
}
tasks.forEach(({ name, severity }, task) => {
  console.log(`${name} ${severity}: ${(changes[task]! / count).toFixed(1)} levels a value, ${count} images`);
});
const remark = describeSkipped(skipped, source.count);
if (remark !== undefined) console.log(remark);
