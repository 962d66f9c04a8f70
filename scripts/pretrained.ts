// npm run pretrained RUN: publishes the networks of a finished run of overlapping-digits as the trained networks of
// Striate. It writes pretrained/NAME.safetensors, pretrained/NAME.json and src/pretrained/cards.ts.
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { readCellResult } from "../src/experiments/cell-results.js";
import { openOnnx } from "../src/graph/onnx/read/open-node.js";
import type { PretrainedCard } from "../src/pretrained/card.js";
import { PRETRAINED_CARDS } from "../src/pretrained/cards.js";
import type { PretrainedName } from "../src/pretrained/models.js";
import { PRETRAINED_MODELS, PRETRAINED_NAMES } from "../src/pretrained/models.js";
import { writeFileAtomic } from "../src/util/files-node.js";
import { encodeSafetensors } from "../src/util/safetensors.js";
import { sha256 } from "../src/util/checksums.js";

interface Cell {
  readonly model: string;
  readonly seed: number;
  readonly trainScenes: number;
  readonly testScenes: number;
}

interface CellResult {
  readonly conditions: readonly { readonly condition: string; readonly metrics: Record<string, number> }[];
}

const TEXTS: Readonly<
  Record<PretrainedName, { readonly cell: string } & Pick<PretrainedCard, "system" | "summary">>
> = {
  "komplexnet-digits2": {
    cell: "kuramoto",
    system: "KomplexNet",
    summary: "Names the two digits in an image; phases synchronise by Kuramoto dynamics over 12 timesteps.",
  },
  "random-phases-digits2": {
    cell: "random",
    system: "KomplexNet, phases at random",
    summary: "The control of KomplexNet whose phases are drawn at random and stay as they are.",
  },
  "real-valued-digits2": {
    cell: "real",
    system: "KomplexNet, real-valued",
    summary: "The control of KomplexNet with real numbers and no phases.",
  },
};

const FIGURES: Readonly<Record<string, string>> = {
  clean: "both digits right, clean images",
  noise: "both digits right, Gaussian noise of variance 0.1",
  overlap: "both digits right, overlap up to 50 %",
};

const root = new URL("../", import.meta.url);
const readJson = async (path: string): Promise<unknown> =>
  JSON.parse(await readFile(path, "utf8")) as unknown;

async function cellsOf(run: string): Promise<readonly { readonly folder: string; readonly config: Cell }[]> {
  const names = await readdir(join(run, "cells"));
  return Promise.all(
    names.map(async (name) => {
      const folder = join(run, "cells", name);
      return { folder, config: (await readJson(join(folder, "config.json"))) as Cell };
    }),
  );
}

async function cardOf(name: PretrainedName, run: string): Promise<PretrainedCard | undefined> {
  const { cell, system, summary } = TEXTS[name];
  const found = (await cellsOf(run)).find(({ config }) => config.model === cell);
  if (found === undefined) return undefined;
  const { folder, config } = found;
  const { parameters } = (await openOnnx(join(folder, "model.onnx"))).read();
  const model = PRETRAINED_MODELS[name]();
  const tensors = new Map(
    Array.from(model.parameters, ([key, { shape }]) => {
      const value = parameters.get(key);
      if (value === undefined) throw new Error(`${folder}: the network has no "${key}"`);
      return [
        key,
        { dtype: "F32", shape: shape as readonly number[], data: value.data.data as Float32Array },
      ] as const;
    }),
  );
  const bytes = encodeSafetensors(tensors, { name });
  const file = `${name}.safetensors`;
  const { conditions } = (await readCellResult<CellResult>(folder))!;
  const card: PretrainedCard = {
    name,
    system,
    summary,
    input:
      "grey images [batch, 1, 32, 32] with pixels from 0 to 1, white on black, digits of about 18 pixels",
    command: "striate run overlapping-digits --scale laptop --seeds 1 --threads 1",
    seed: config.seed,
    trainingImages: config.trainScenes,
    figures: conditions.flatMap(({ condition, metrics }) =>
      FIGURES[condition] === undefined
        ? []
        : [
            {
              name: FIGURES[condition],
              value: Math.round(1000 * metrics.setAccuracy!) / 10,
              unit: "percent",
              images: config.testScenes,
            },
          ],
    ),
    licence: "weights: MIT; trained on MNIST (LeCun, Cortes, Burges), CC BY-SA 3.0",
    file,
    bytes: bytes.length,
    sha256: await sha256(bytes),
  };
  await writeFileAtomic(new URL(`pretrained/${file}`, root).pathname, bytes);
  await writeFileAtomic(
    new URL(`pretrained/${name}.json`, root).pathname,
    await format(JSON.stringify(card), { parser: "json" }),
  );
  return card;
}

const [run] = process.argv.slice(2);
if (run === undefined)
  throw new Error("usage: npm run pretrained RUN, the folder of a run of overlapping-digits");
const cards: Record<string, PretrainedCard> = { ...PRETRAINED_CARDS };
for (const name of PRETRAINED_NAMES) {
  const card = await cardOf(name, run);
  if (card === undefined) continue;
  cards[name] = card;
  console.log(name, card.bytes, "bytes;", ...card.figures.map(({ value }) => `${value} %`));
}
const code = `// Written by scripts/pretrained.ts, from the runs that trained the networks.
import type { PretrainedCard } from "./card.js";
import type { PretrainedName } from "./models.js";

/** The networks that come with Striate, by name. */
export const PRETRAINED_CARDS: Readonly<Record<PretrainedName, PretrainedCard>> = ${JSON.stringify(cards)};
`;
const target = new URL("src/pretrained/cards.ts", root).pathname;
await writeFileAtomic(target, await format(code, { ...(await resolveConfig(target)), parser: "typescript" }));
