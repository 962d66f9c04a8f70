import { runStep, tasks } from "./recomputed-step.js";

/** Prints the largest resident memory, in MiB, of a process that makes training steps of AKOrN's object network. */
async function main(recompute: boolean, runs: number): Promise<void> {
  await runStep(tasks["AKOrN objects"]!(24), 64, recompute, runs);
  console.log(process.resourceUsage().maxRSS / 2 ** 10);
}

await main(process.argv[2] === "recompute", Number(process.argv[3]));
