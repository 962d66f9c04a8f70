import { openFeedbackTraining } from "./komplexnet.js";

/** Largest resident memory of a process that trains the recurrent model, batch 64, T 15, for three steps. */
async function main(): Promise<void> {
  const training = await openFeedbackTraining();
  for (let step = 0; step < 3; step++) await training.run();
  await training.close();
  const gibibytes = process.resourceUsage().maxRSS / 2 ** 20;
  console.log(JSON.stringify({ name: "KomplexNet with feedback training, memory", GiB: gibibytes, bar: 2 }));
}

await main();
