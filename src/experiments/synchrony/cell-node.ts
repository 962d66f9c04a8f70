import { join } from "node:path";
import type { TensorData } from "../../graph/index.js";
import type { State } from "../../nn/module.js";
import type { SessionOptions } from "../../runtime/runtime.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import { readCoupling } from "../../systems/komplexnet/coupling-file-node.js";
import { Evaluator } from "../../train/evaluator.js";
import { createRateEstimator } from "../../train/progress.js";
import type { TrainOptions } from "../../train/run-node.js";
import { train } from "../../train/run-node.js";
import { initialValues } from "../../train/trainer.js";
import type { CommonCellOptions } from "../cell-options-node.js";
import { cellTraining } from "../cell-options-node.js";
import { cellFolder } from "../cells-node.js";
import { readWeights, writeWeights } from "../weights-node.js";
import { savePictures } from "../digits/pictures-node.js";
import type { Condition, SceneSources } from "../digits/scenes.js";
import { testScenes, trainingScenes } from "../digits/scenes.js";
import type { Tested, Tester } from "../digits/tester-node.js";
import { openTester } from "../digits/tester-node.js";
import type { AblationCell, CellConfig, Dynamics, KernelCell, NetworkCell } from "./config.js";
import { SETS } from "./config.js";
import { hasPhases, kernelTask, networkTask } from "./models.js";

const TEST_BATCH = 64;

export interface NetworkResult {
  readonly kind: "network";
  readonly conditions: readonly (Tested & { readonly condition: string })[];
  readonly learningCurve: readonly {
    readonly step: number;
    readonly images: number;
    readonly loss: number;
    readonly setAccuracy: number;
  }[];
  readonly imagesPerSecond: number;
  readonly seconds: number;
}

export interface KernelResult {
  readonly kind: "kernel";
  /** Synchrony loss on validation scenes after each timestep. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly imagesPerSecond: number;
  readonly seconds: number;
}

export interface AblationResult {
  readonly kind: "ablation";
  /** The trained dynamics first. */
  readonly rows: readonly { readonly dynamics: Dynamics; readonly tested: Tested }[];
  readonly seconds: number;
}

export type CellResult = NetworkResult | KernelResult | AblationResult;

export interface CellOptions extends CommonCellOptions {
  readonly training: SceneSources;
  readonly testing: SceneSources;
}

/** Does what a cell asks for; undefined when it was stopped. */
export function runCell(config: CellConfig, options: CellOptions): Promise<CellResult | undefined> {
  switch (config.kind) {
    case "network":
      return runNetwork(config, options);
    case "kernel":
      return runKernel(config, options);
    case "ablation":
      return runAblation(config, options);
  }
}

function recipe(config: NetworkCell | KernelCell, options: CellOptions) {
  const { learningRate, clipNorm, evaluateEvery } = config;
  return { ...cellTraining(config, options), learningRate, clipNorm, evaluateEvery } satisfies TrainOptions;
}

async function runNetwork(config: NetworkCell, options: CellOptions): Promise<NetworkResult | undefined> {
  const started = performance.now();
  const { seed, set, model, start } = config;
  const { training, cells } = options;
  const session = sessionOptionsOf(options);
  const coupling = start?.kind === "kernel" ? await readCoupling(kernelPath(cells, start)) : undefined;
  const task = networkTask(config, { coupling });
  const scenes = trainingScenes(training, SETS[set], { seed, stream: "train", count: config.trainScenes });
  const count = config.validationScenes;
  const validation = trainingScenes(training, SETS[set], { seed, stream: "validation", count });
  const batch = Math.min(TEST_BATCH, count, config.testScenes);
  const tester = await openTester(networkTask(config, { coupling }), batch, seed, session);
  try {
    const run = await train(task, scenes, {
      ...recipe(config, options),
      ...(start?.kind === "network" && { values: await readWeights(weightsPath(cells, start)) }),
      ...(config.selectBest && { selectBest: "setAccuracy" }),
      evaluate: async (values) => (await tester.test(values, validation, { label: "validation" })).metrics,
    });
    if (!run.finished) return undefined;
    const conditions = await testAll(config, run.values, coupling, session, options);
    if (conditions === undefined) return undefined;
    const folder = cellFolder(cells, config);
    await writeWeights(join(folder, WEIGHTS), run.values);
    const shown = testScenes(options.testing, SETS[set], SETS[set].conditions[0]!, config.testScenes);
    const answers = networkTask(config, {
      coupling,
      ...(hasPhases(model) && { phases: true, layers: true }),
    });
    await savePictures(answers, run.values, shown, { ...session, folder, seed });
    await run.export(join(folder, "model.onnx"), {
      system: "KomplexNet",
      configuration: { model, seed },
    });
    return {
      kind: "network",
      conditions,
      learningCurve: run.evaluations.map(({ step, loss = NaN, setAccuracy = NaN }) => ({
        step,
        images: step * config.batchSize,
        loss,
        setAccuracy,
      })),
      imagesPerSecond: run.imagesPerSecond,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await tester.close();
  }
}

async function testAll(
  config: NetworkCell,
  values: State,
  coupling: TensorData | undefined,
  session: SessionOptions,
  { testing, signal, onProgress }: CellOptions,
): Promise<NetworkResult["conditions"] | undefined> {
  const { conditions } = SETS[config.set];
  const steps = conditions.length * config.testScenes;
  const rate = createRateEstimator({ steps });
  const done: (Tested & { condition: string })[] = [];
  const testers = new Map<string, Promise<Tester>>();
  try {
    for (const [i, condition] of conditions.entries()) {
      if (signal.aborted) return undefined;
      const { id } = condition;
      const onBatch = (tested: number, images: number) => {
        const step = i * config.testScenes + tested;
        onProgress("testing", { step, steps, ...rate.update(step, images) });
      };
      const open = (layout: Layout) => {
        const key = JSON.stringify(layout);
        const phases = hasPhases(config.model);
        const task = networkTask(config, { coupling, phases, synchrony: phases, ...layout });
        const tester =
          testers.get(key) ?? openTester(task, Math.min(TEST_BATCH, config.testScenes), config.seed, session);
        testers.set(key, tester);
        return tester;
      };
      done.push({ condition: id, ...(await testUnder(config, condition, values, testing, open, onBatch)) });
    }
    return done;
  } finally {
    for (const tester of testers.values()) await (await tester).close();
  }
}

interface Layout {
  readonly objects: number;
  readonly overlapChannel: boolean;
}

async function testUnder(
  {
    set,
    testScenes: count,
    measuredScenes: scenes,
  }: Pick<NetworkCell, "set" | "testScenes" | "measuredScenes">,
  condition: Condition,
  values: State,
  testing: SceneSources,
  open: (layout: Layout) => Promise<Tester>,
  onBatch?: (done: number, images: number) => void,
): Promise<Tested> {
  const overlapChannel = (condition.maxOverlap ?? 0) > 0;
  const objects = condition.digits ?? SETS[set].digits;
  const data = testScenes(testing, SETS[set], condition, count, overlapChannel);
  const tester = await open({ objects, overlapChannel });
  const maskChannels = 1 + objects + (overlapChannel ? 1 : 0);
  const background = (SETS[set].background ?? "none") !== "none";
  return tester.test(values, data, {
    label: condition.id,
    measure: { scenes, maskChannels, overlapChannel, background },
    ...(onBatch && { onBatch }),
  });
}

async function runKernel(config: KernelCell, options: CellOptions): Promise<KernelResult | undefined> {
  const started = performance.now();
  const { seed, set, trainScenes, validationScenes } = config;
  const { training, cells } = options;
  const session = sessionOptionsOf(options);
  const task = kernelTask(config);
  const scenes = trainingScenes(training, SETS[set], { seed, stream: "train", count: trainScenes });
  const validation = trainingScenes(training, SETS[set], {
    seed,
    stream: "validation",
    count: validationScenes,
  });
  const batch = Math.min(TEST_BATCH, validationScenes);
  const evaluator = await Evaluator.open(task, batch, new Map(), workerRuntime, session);
  const measure = async (values: State): Promise<number[]> => {
    const indices = Array.from({ length: batch }, (_, i) => i);
    const { synchronyLoss } = await evaluator.run(values, validation, indices, [seed, "kernel phases"]);
    return Array.from(synchronyLoss!.data as Float32Array);
  };
  try {
    const before = await measure(initialValues(task, { seed }));
    const run = await train(task, scenes, {
      ...recipe(config, options),
      evaluate: async (values) => ({ synchronyLoss: (await measure(values)).at(-1)! }),
    });
    if (!run.finished) return undefined;
    await writeWeights(kernelPath(cells, config), new Map([["coupling", run.values.get("coupling")!]]));
    return {
      kind: "kernel",
      before,
      after: await measure(run.values),
      imagesPerSecond: run.imagesPerSecond,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await evaluator.close();
  }
}

/** Where the coupling is trained, its size cannot change: such rows are left out. */
async function runAblation(config: AblationCell, options: CellOptions): Promise<AblationResult | undefined> {
  const started = performance.now();
  const { start, testScenes: count, seed, measuredScenes } = config;
  const { testing, cells, signal, onProgress } = options;
  const session = sessionOptionsOf(options);
  const values = await readWeights(weightsPath(cells, start));
  const condition = SETS[start.set].conditions[0]!;
  const rows: { dynamics: Dynamics; tested: Tested }[] = [];
  const possible = config.changes.filter(
    ({ couplingSize }) => couplingSize === undefined || start.mode === "channels",
  );
  const settings = [{}, ...possible].map((change) => ({ ...start.dynamics, ...change }));
  const rate = createRateEstimator({ steps: settings.length * count });
  for (const dynamics of settings) {
    if (signal.aborted) return undefined;
    const task = networkTask(start, { dynamics, phases: true });
    const own = new Map(values);
    // A frozen kernel of another size starts as the Gaussian of that size.
    if (dynamics.couplingSize !== start.dynamics.couplingSize) {
      own.set("coupling", initialValues(task, { seed }).get("coupling")!);
    }
    const tester = await openTester(task, Math.min(TEST_BATCH, count), seed, session);
    try {
      const open = () => Promise.resolve(tester);
      const cell = { set: start.set, testScenes: count, measuredScenes };
      rows.push({ dynamics, tested: await testUnder(cell, condition, own, testing, open) });
    } finally {
      await tester.close();
    }
    const step = rows.length * count;
    onProgress("testing", { step, steps: settings.length * count, ...rate.update(step, count) });
  }
  return { kind: "ablation", rows, seconds: (performance.now() - started) / 1000 };
}

const WEIGHTS = "weights.safetensors";
const weightsPath = (cells: string, network: NetworkCell): string =>
  join(cellFolder(cells, network), WEIGHTS);
const kernelPath = (cells: string, kernel: KernelCell): string =>
  join(cellFolder(cells, kernel), "coupling.safetensors");
