import type { Tensor } from "../../../src/graph/index.js";
import { cast, input, slice } from "../../../src/graph/index.js";
import { contrastiveLoss } from "../../../src/nn/contrastive-loss.js";
import { TrainingPass } from "../../../src/nn/layers/layer.js";
import { crossEntropy } from "../../../src/nn/losses.js";
import type { KuramotoTrace, ReadOutNorm, Rescale } from "../../../src/systems/akorn/index.js";
import {
  IterativeObjectNetwork,
  NOISE,
  ObjectNetwork,
  PUZZLE,
  RecognitionNetwork,
  SOLUTION,
  SudokuNetwork,
  SudokuTask,
  SudokuTransformer,
  authorsName,
} from "../../../src/systems/akorn/index.js";
import { check } from "../../../src/util/errors.js";
import type { Evaluate, Feeds } from "../evaluate.js";
import type { GoldenCase } from "../golden-case.js";
import { readGolden, tensorOf } from "../golden-case.js";
import type { GoldenKind, Results } from "../harness.js";
import type { Loaded } from "./support.js";
import {
  digitsOf,
  flagOf,
  inputFor,
  layerOptions,
  load,
  numberOf,
  parametersOf,
  wantedGradients,
  wordOf,
} from "./support.js";

/** The object network that a case describes. */
export function objectNetwork(golden: GoldenCase): ObjectNetwork {
  const coupling = golden.config.J === "attn" ? "attention" : "convolution";
  const rotations = flagOf(golden, "gta", true);
  return new ObjectNetwork({
    ...layerOptions(golden),
    channels: numberOf(golden, "ch"),
    layers: numberOf(golden, "L"),
    timesteps: numberOf(golden, "T"),
    imageSize: numberOf(golden, "imsize"),
    patch: numberOf(golden, "psize"),
    coupling,
    heads: numberOf(golden, "heads", 8),
    kernel: numberOf(golden, "ksize", 1),
    rotations,
    stepSize: numberOf(golden, "gamma", 1),
    pool: flagOf(golden, "maxpool", true) ? "max" : "average",
    stateReadout: flagOf(golden, "use_ro_x", false),
    readout: !flagOf(golden, "no_ro", false),
    rescale: rescaleOf(golden, rotations),
  });
}

/** What the authors' networks do with images of another size. */
function rescaleOf(golden: GoldenCase, rotations: boolean): Rescale {
  return flagOf(golden, "autorescale", false) || (rotations && "rotations");
}

/** States and energies of every layer. */
function oscillators(layers: readonly KuramotoTrace[]): Record<string, Tensor> {
  return Object.fromEntries(
    layers.flatMap(({ last, energies }, i) => [
      [`output.es.${i}`, energies],
      [`output.xs_last.${i}`, last],
    ]),
  );
}

async function evaluated(
  golden: GoldenCase,
  evaluate: Evaluate,
  loaded: Loaded,
  traced: {
    readonly outputs: Readonly<Record<string, Tensor>>;
    readonly loss: Tensor;
    readonly inputs?: Readonly<Record<string, Tensor>>;
    readonly feeds: Feeds;
  },
): Promise<Results> {
  const { outputs, loss, inputs = {}, feeds } = traced;
  const results = await evaluate(
    { ...outputs, "output.loss": loss, ...wantedGradients(golden, loss, loaded, inputs) },
    { ...feeds, ...Object.fromEntries(loaded.state) },
  );
  return new Map(Object.entries(results));
}

/** The contrastive loss of a projection [2 images, width], views of an image side by side. */
export function viewLoss(projection: Tensor, temperature: number): Tensor {
  const view = (start: number) => slice(projection, [{ axis: 0, start, step: 2 }]);
  return contrastiveLoss(view(0), view(1), { temperature });
}

const objects: GoldenKind = {
  name: "object network",
  matches: ({ tensors }) => tensors.has("param.patchfy.1.weight") && tensors.has("output.feature_map"),
  run: async (golden, evaluate) => {
    const dictionary = parametersOf(golden);
    const model = objectNetwork(golden);
    const loaded = load("objectNetwork", model, dictionary);
    const images = inputFor(golden, "input.image");
    const [batch, , height, width] = tensorOf(golden, "input.image").shape as [
      number,
      number,
      number,
      number,
    ];
    const noise = model.noiseInput(batch, [height, width]);
    const { projection, features, layers } = model.forward({ images, noise });
    return evaluated(golden, evaluate, loaded, {
      outputs: { "output.z": projection, "output.feature_map": features, ...oscillators(layers) },
      loss: viewLoss(projection, numberOf(golden, "temp", 0.1)),
      inputs: { image: images },
      feeds: { "input.image": tensorOf(golden, "input.image"), [NOISE]: tensorOf(golden, "noise.0") },
    });
  },
};

const iterativeObjects: GoldenKind = {
  name: "iterative object network",
  matches: ({ tensors }) =>
    tensors.has("param.patchfy.1.weight") && tensors.has("param.transformer_encoder.0.mlp.0.weight"),
  run: async (golden, evaluate) => {
    const model = new IterativeObjectNetwork({
      channels: numberOf(golden, "ch"),
      layers: numberOf(golden, "blocks"),
      timesteps: numberOf(golden, "T"),
      heads: numberOf(golden, "heads"),
      mlpChannels: numberOf(golden, "mlp_dim"),
      imageSize: numberOf(golden, "imsize"),
      patch: numberOf(golden, "psize"),
      rotations: flagOf(golden, "gta", false),
      rescale: rescaleOf(golden, flagOf(golden, "gta", false)),
    });
    const loaded = load("iterativeObjectNetwork", model, parametersOf(golden));
    const images = inputFor(golden, "input.image");
    const { projection, features } = model.forward({ images });
    return evaluated(golden, evaluate, loaded, {
      outputs: { "output.z": projection, "output.feature_map": features },
      loss: viewLoss(projection, numberOf(golden, "temp", 0.1)),
      inputs: { image: images },
      feeds: { "input.image": tensorOf(golden, "input.image") },
    });
  },
};

export function sudokuNetwork(golden: GoldenCase): SudokuNetwork {
  return new SudokuNetwork({
    ...layerOptions({ ...golden, config: { use_omega: true, ...golden.config, c_norm: "none" } }),
    channels: numberOf(golden, "ch"),
    layers: numberOf(golden, "L"),
    timesteps: numberOf(golden, "T"),
    heads: numberOf(golden, "heads", 8),
    stepSize: numberOf(golden, "gamma", 1),
    nonlinear: flagOf(golden, "nl", true),
  });
}

const isSudoku = ({ tensors }: GoldenCase): boolean => tensors.get("input.X")?.shape.length === 4;

const sudoku: GoldenKind = {
  name: "Sudoku network",
  matches: (golden) => isSudoku(golden) && golden.tensors.has("output.es.0"),
  run: (golden, evaluate) => {
    const model = sudokuNetwork(golden);
    return sudokuCase(golden, evaluate, model, load("sudokuNetwork", model, parametersOf(golden)));
  },
};

const sudokuTransformer: GoldenKind = {
  name: "Sudoku transformer",
  matches: (golden) => isSudoku(golden) && golden.tensors.has("param.transformer_encoder.0.mlp.0.weight"),
  run: (golden, evaluate) => {
    const model = new SudokuTransformer({
      channels: numberOf(golden, "ch"),
      layers: numberOf(golden, "blocks"),
      timesteps: numberOf(golden, "T"),
      heads: numberOf(golden, "heads"),
      mlpChannels: numberOf(golden, "mlp_dim"),
    });
    return sudokuCase(golden, evaluate, model, load("sudokuTransformer", model, parametersOf(golden)));
  },
};

async function sudokuCase(
  golden: GoldenCase,
  evaluate: Evaluate,
  model: SudokuNetwork | SudokuTransformer,
  loaded: Loaded,
): Promise<Results> {
  const boards = tensorOf(golden, "input.X").shape[0]!;
  const [puzzle, solution] = [input(PUZZLE, [boards, 9, 9]), input(SOLUTION, [boards, 9, 9])];
  const tokens = cast(puzzle, "int64");
  const { logits, layers } =
    model instanceof SudokuNetwork
      ? model.forward({ tokens, noise: model.noiseInput(boards) })
      : { ...model.forward({ tokens }), layers: [] };
  const task = new SudokuTask(model);
  return evaluated(golden, evaluate, loaded, {
    outputs: { "output.logits": logits, ...oscillators(layers) },
    loss: task.lossOf(logits, solution),
    feeds: {
      [PUZZLE]: digitsOf(tensorOf(golden, "input.X")),
      [SOLUTION]: digitsOf(tensorOf(golden, "input.Y")),
      ...(golden.tensors.has("noise.0") && { [NOISE]: tensorOf(golden, "noise.0") }),
    },
  });
}

export function recognitionNetwork(golden: GoldenCase): RecognitionNetwork {
  const { config } = golden;
  const list = (name: string, fallback: readonly number[]) =>
    (config[name] === undefined ? fallback : config[name]) as readonly number[] | number;
  const norms: Readonly<Record<string, ReadOutNorm>> = { bn: "batch", gn: "group", none: "none" };
  const { omega: _, ...layer } = layerOptions({ ...golden, config: { c_norm: "gn", ...config, n: 1 } });
  const couplings: Readonly<Record<string, "convolution" | "attention">> = {
    conv: "convolution",
    attn: "attention",
  };
  const each = Array.isArray(config.J) ? (config.J as string[]) : [wordOf(golden, "J", "conv")];
  return new RecognitionNetwork({
    ...layer,
    omega: flagOf(golden, "use_omega", true) && {
      initial: numberOf(golden, "init_omg", 1),
      shared: flagOf(golden, "global_omg", true),
      trained: flagOf(golden, "learn_omg", true),
    },
    classes: golden.tensors.get("param.out.weight")?.shape[0] ?? 10,
    channels: numberOf(golden, "ch"),
    layers: numberOf(golden, "L"),
    rotatingDimensions: list("n", [4]),
    timesteps: list("T", [3]),
    kernels: list("ksizes", [9, 7, 5]),
    readoutComponents: list("ro_N", [2]),
    readoutKernel: numberOf(golden, "ro_ksize", 3),
    coupling: each.map((name) => couplings[name]!),
    stepSize: numberOf(golden, "gamma", 1),
    norm: norms[wordOf(golden, "norm", "bn")]!,
  });
}

const isRecognition = ({ tensors }: GoldenCase): boolean =>
  tensors.has("param.conv0.weight") && tensors.has("output.logits");

async function recognitionCase(golden: GoldenCase, evaluate: Evaluate): Promise<Results> {
  const model = recognitionNetwork(golden);
  const loaded = load("recognitionNetwork", model, parametersOf(golden));
  const images = inputFor(golden, "input.image");
  const labels = inputFor(golden, "input.label");
  const pass = golden.config.mode === "train" ? new TrainingPass() : undefined;
  const noise = model.noiseInput(images.shape[0]!);
  const { logits, layers } = model.forward({ images, noise }, pass);
  const names = new Map(Array.from(loaded.parameters, ([name, tensor]) => [tensor, name]));
  const after = (pass?.updates ?? []).map(([buffer, next]) => [
    `output.after.${authorsName(loaded.kind, names.get(buffer)!)}`,
    next,
  ]);
  return evaluated(golden, evaluate, loaded, {
    outputs: {
      "output.logits": logits,
      ...oscillators(layers),
      "output.x_last_layer": layers.at(-1)!.last,
      ...(Object.fromEntries(after) as Record<string, Tensor>),
    },
    loss: crossEntropy(logits, labels),
    inputs: { image: images },
    feeds: {
      "input.image": tensorOf(golden, "input.image"),
      "input.label": tensorOf(golden, "input.label"),
      [NOISE]: tensorOf(golden, "noise.0"),
    },
  });
}

const recognition: GoldenKind = {
  name: "recognition network",
  slow: true,
  matches: isRecognition,
  run: recognitionCase,
};

/** Gradients in a file of their own, which names the one that has everything else. */
const recognitionGradients: GoldenKind = {
  name: "gradients of the recognition network",
  slow: true,
  matches: ({ tensors }) =>
    tensors.has("grad.param.conv0.weight") && ![...tensors.keys()].some((name) => name.startsWith("param.")),
  run: async (golden, evaluate) => {
    const file = /\bin (\S+\.safetensors)/.exec(golden.metadata.part ?? "")?.[1];
    check(file, () => `${golden.file}: its metadata does not name the file of the parameters`);
    const entry = { file, what: "", config: {}, tolerance: undefined };
    const whole = await readGolden(golden.system, golden.folder, entry);
    check(isRecognition(whole), () => `${file}: expected parameters and inputs of a recognition network`);
    return recognitionCase({ ...whole, tensors: new Map([...whole.tensors, ...golden.tensors]) }, evaluate);
  },
};

export const networkKinds: readonly GoldenKind[] = [
  objects,
  iterativeObjects,
  sudoku,
  sudokuTransformer,
  recognition,
  recognitionGradients,
];
