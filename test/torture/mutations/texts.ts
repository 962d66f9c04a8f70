import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readIdxDigits } from "../../../src/data/formats/idx-node.js";
import { loadCifar10 } from "../../../src/data/sets/cifar10-node.js";
import { loadConvertedScenes } from "../../../src/data/sets/converted-scenes-node.js";
import { readClassOrder } from "../../../src/data/sets/named-images-node.js";
import { loadRrnSudoku } from "../../../src/data/sudoku/published-node.js";
import { readCellResult, writeCellResult } from "../../../src/experiments/cell-results.js";
import { encodeRecord } from "../../../src/robustness/records.js";
import { openResults } from "../../../src/robustness/results-file-node.js";
import { openCifar10C } from "../../../src/robustness/corruptions/published-node.js";
import { optionsFromConfig, parsePredifyConfig } from "../../../src/systems/predify/index.js";
import { readCheckpoint } from "../../../src/train/run/checkpoint-node.js";
import { encodeCheckpoint } from "../../../src/train/run/checkpoint-format.js";
import { readMetrics } from "../../../src/train/run/metrics-file-node.js";
import { openRunFolder } from "../../../src/train/run/run-folder-node.js";
import { readFileChecked } from "../../../src/util/files-node.js";
import { idxBytes } from "../../support/idx.js";
import { npyBytes } from "../../support/npy.js";
import { zip } from "../../support/zip.js";
import type { Sample } from "./sample.js";
import { allImages, text } from "./sample.js";

const CONFIG = { lr: 0.1, model: { channels: [8, 32], kernel: 3 } };
const SETTINGS = { seed: 1, data: { name: "a" } };

const checkpoint = (step: number) =>
  encodeCheckpoint({
    step,
    epoch: 1,
    seed: 7,
    config: CONFIG,
    score: 0.5,
    unlogged: { count: 2, sums: { loss: 1.5 } },
    tensors: new Map([
      ["param.w", { dtype: "F32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
      ["optimizer.step", { dtype: "F32", shape: [], data: Float32Array.of(6) }],
    ]),
  });

const RECORDS = [
  JSON.stringify({ kind: "run", settings: SETTINGS }),
  ...[0, 1, 2].map((image) =>
    encodeRecord({
      kind: "image",
      image,
      label: 1,
      answers: [{ predicted: 1, confidence: 0.75, nll: 0.3, brier: 0.1, rank: 0, passes: "1" }],
    }),
  ),
  encodeRecord({ kind: "skipped", image: 3, name: "d.png", reason: "it is cut off" }),
  encodeRecord({
    kind: "attack",
    plan: "fgsm",
    epsilon: 0.1,
    images: [0, 1],
    labels: [1, 1],
    clean: [1, 1],
    predicted: [0, 1],
    stages: [{ name: "fgsm", robust: [1, 0] }],
    gradients: [{ attack: "fgsm", images: 2, zero: 0, notFinite: 1, notFiniteValues: 3 }],
  }),
].join("\n");

const PREDIFY = `name = "PVGG"
input_size = [3, 32, 32]
gradient_scaling = true
shared_hyperparameters = false

[[pcoders]]
module = "features[3]"
predictor = "Sequential(ConvTranspose2d(64, 3, kernel_size=(5,5), stride=1, padding=2), ReLU())"
hyperparameters = {feedforward=0.4, feedback=0.1, pc=0.01}

[[pcoders]]
module = "features[8]"
predictor = "ConvTranspose2d(128, 64, kernel_size=(10,10), stride=2, padding=4)"
hyperparameters = {feedforward=0.6, feedback=0.2, pc=0.02}
`;

const PUZZLE = "530070000600195000098000060800060003400803001700020006060000280000419005000080079";
const SOLUTION = "534678912672195348198342567859761423426853791713924856961537284287419635345286179";

/** What runs leave and continue from, configurations, lists, and data sets of plain numbers. */
export async function texts(folder: string): Promise<Sample[]> {
  const run = {
    "run/config.json": text(JSON.stringify(CONFIG)),
    "run/metrics.jsonl": text(
      '{"step":2,"loss":0.5}\n{"step":4,"loss":0.25,"note":"x"}\n{"step":5,"loss":0.2}\n',
    ),
    "run/checkpoints/step-00000002.safetensors": checkpoint(2),
    "run/checkpoints/step-00000004.safetensors": checkpoint(4),
  };
  const readRun = async (at: string) => {
    const opened = await openRunFolder(join(at, "run"), {
      config: CONFIG,
      resume: true,
      onWarning: () => undefined,
    });
    await opened.close();
  };
  const inRun = (name: string, damaged: keyof typeof run): Sample => ({
    name,
    files: run,
    damaged,
    read: readRun,
  });
  await writeCellResult(folder, { accuracy: 0.5, curve: [1, NaN, 3] });
  const cell = await readFile(join(folder, "result.json"));
  const record = new Uint8Array(2 * 3073).fill(7);
  const images = idxBytes(
    8,
    [3, 28, 28],
    Array.from({ length: 3 * 784 }, (_, i) => i % 256),
  );
  const labels = idxBytes(8, [3], [1, 2, 3]);
  const scenes = {
    images: npyBytes(
      { descr: "<f4", shape: "(2, 3, 4, 4)" },
      new Uint8Array(new Float32Array(96).fill(0.5).buffer),
    ),
    labels: npyBytes({ descr: "|i1", shape: "(2, 4, 4)" }, new Uint8Array(32).fill(1)),
  };
  const cifar = {
    "labels.npy": npyBytes({ shape: "(10,)" }, Uint8Array.of(1, 2, 1, 2, 1, 2, 1, 2, 1, 2)),
    "contrast.npy": npyBytes({ shape: "(10, 32, 32, 3)" }, new Uint8Array(10 * 3072).fill(3)),
  };
  const readCifar = async (at: string) => {
    await allImages(await (await openCifar10C(at)).open("contrast", 2));
  };
  const one = (name: string, file: string, bytes: Uint8Array, read: Sample["read"]): Sample => ({
    name,
    files: { [file]: bytes },
    damaged: file,
    read,
  });
  return [
    one("checkpoint", "c.safetensors", checkpoint(4), (at) => readCheckpoint(join(at, "c.safetensors"))),
    inRun("checkpoint of a run", "run/checkpoints/step-00000004.safetensors"),
    inRun("config of a run", "run/config.json"),
    inRun("metrics of a run", "run/metrics.jsonl"),
    one("metrics", "metrics.jsonl", run["run/metrics.jsonl"], (at) => readMetrics(join(at, "metrics.jsonl"))),
    one("results of a robustness run", "r.jsonl", text(`${RECORDS}\n`), async (at) => {
      const limits = { labels: [1, 1, 1, 1], classes: 3, answers: 1, passes: 1 };
      await (await openResults(join(at, "r.jsonl"), SETTINGS, { limits })).close();
    }),
    one("result of a cell", "result.json", cell, (at) => readCellResult(at)),
    one("configuration of Predify", "p.toml", text(PREDIFY), async (at) => {
      const bytes = await readFileChecked(join(at, "p.toml"), { what: "configuration", maxBytes: 10 ** 6 });
      optionsFromConfig(parsePredifyConfig(new TextDecoder().decode(bytes)).config);
    }),
    one("names of classes, lines", "c.txt", text("tench, Tinca tinca\ngoldfish\n2: shark\n"), (at) =>
      readClassOrder(join(at, "c.txt")),
    ),
    one(
      "names of classes, JSON",
      "c.json",
      text('{"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]}'),
      (at) => readClassOrder(join(at, "c.json")),
    ),
    one("Sudoku boards", "s.csv", text(`${PUZZLE},${SOLUTION}\n`.repeat(2)), (at) =>
      loadRrnSudoku(join(at, "s.csv")),
    ),
    one("CIFAR-10 records", "test_batch.bin", record, async (at) => {
      await allImages(await loadCifar10("test", { folder: at, fetch: "never" }));
    }),
    {
      name: "digits with labels",
      files: { images, labels },
      damaged: "labels",
      read: (at) => readIdxDigits(join(at, "images"), join(at, "labels")),
    },
    {
      name: "digits",
      files: { images, labels },
      damaged: "images",
      read: (at) => readIdxDigits(join(at, "images"), join(at, "labels")),
    },
    {
      ...one("scenes as a NumPy archive", "s.npz", scenes.images, (at) =>
        loadConvertedScenes(join(at, "s.npz")),
      ),
      wrap: (bytes) =>
        zip([
          { name: "images.npy", bytes },
          { name: "labels.npy", bytes: scenes.labels },
        ]),
    },
    {
      name: "scenes as NumPy files",
      files: { "images.npy": scenes.images, "labels.npy": scenes.labels },
      damaged: "labels.npy",
      read: (at) => loadConvertedScenes(at),
    },
    { name: "labels of CIFAR-10-C", files: cifar, damaged: "labels.npy", read: readCifar },
    { name: "images of CIFAR-10-C", files: cifar, damaged: "contrast.npy", read: readCifar },
  ];
}
