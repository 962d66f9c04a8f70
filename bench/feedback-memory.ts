import { openFeedbackTraining } from "./komplexnet.js";

/**
 * Prints the largest resident memory of this process, which trains the recurrent model for three steps with
 * batches of 64 and T = 15.
 */
async function main(): Promise<void> {
  const training = await openFeedbackTraining();
  for (let step = 0; step < 3; step++) await training.run();
  await training.close();
  const gibibytes = process.resourceUsage().maxRSS / 2 ** 20;
  console.log(JSON.stringify({ name: "KomplexNet with feedback training, memory", GiB: gibibytes, bar: 2 }));
}

await main();
