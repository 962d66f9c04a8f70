import { join } from "node:path";
import type { TensorData } from "../../graph/index.js";
import type { State } from "../../nn/module.js";
import { sessionOptionsOf } from "../../runtime/runtime.js";
import { readCoupling } from "../../systems/komplexnet/coupling-file-node.js";
import { train } from "../../train/run/run-node.js";
import { initialValues } from "../../train/trainer.js";
import { closing } from "../../util/closing.js";
import { byKind, withEvaluator } from "../cell-work.js";
import { cellFolder } from "../cells.js";
import type { DigitsOptions } from "../digits/cell.js";
import { learningCurveOf, saveNetwork, testBatch, testConditions, trainNetwork } from "../digits/cell.js";
import type { DigitsCondition } from "../digits/scenes.js";
import { testScenes, trainingScenes } from "../digits/scenes.js";
import type { DigitsTestResult, Tester } from "../digits/tester.js";
import { openTester } from "../digits/tester.js";
import { cellTraining, loadWeights, progressOf, saveWeights, writeCellWeights } from "../training.js";
import { hasPhases, kernelTask, networkTask } from "./networks.js";
import type { AblationCell, SynchronyCell, Dynamics, KernelCell, SynchronyNetworkCell } from "./plan.js";
import { SYNCHRONY_SETS } from "./plan.js";
import type { SynchronyResult, SynchronyNetworkResult } from "./results.js";

/**
 * Runs a cell: trains and tests a network, trains a coupling kernel, or tests a trained network with other
 * dynamics. Returns undefined if the cell was stopped.
 */
export const runSynchronyCell = byKind<SynchronyCell, SynchronyResult, DigitsOptions>({
  network: runNetwork,
  kernel: runKernel,
  ablation: runAblation,
});

async function runNetwork(config: SynchronyNetworkCell, options: DigitsOptions) {
  const { seed, model, start, validationScenes, testScenes } = config;
  const { cells } = options;
  const set = SYNCHRONY_SETS[config.set];
  const coupling = start?.kind === "kernel" ? await readCoupling(kernelPath(cells, start)) : undefined;
  const task = networkTask(config, { coupling });
  const batch = testBatch(validationScenes, testScenes);
  return closing(openTester(task, batch, seed, sessionOptionsOf(options)), async (tester) => {
    const values = start?.kind === "network" ? await loadWeights(cells, start) : undefined;
    const run = await trainNetwork(config, set, { task, tester, start: values }, options);
    if (run === undefined) return undefined;
    const conditions = await testAll(config, run.values, coupling, options);
    if (conditions === undefined) return undefined;
    await saveWeights(cells, config, run.values);
    const answers = networkTask(config, {
      coupling,
      ...(hasPhases(model) && { phases: true, layers: true }),
    });
    await saveNetwork(config, run, { answers, set, clean: set.conditions[0]! }, options);
    return {
      conditions,
      learningCurve: learningCurveOf(config, run),
      imagesPerSecond: run.imagesPerSecond,
    };
  });
}

/**
 * Tests a network under all conditions, with one session for each layout of the masks (number of objects,
 * overlap channel).
 */
async function testAll(
  config: SynchronyNetworkCell,
  values: State,
  coupling: TensorData | undefined,
  options: DigitsOptions,
): Promise<SynchronyNetworkResult["conditions"] | undefined> {
  const { model, seed, testScenes } = config;
  const phases = hasPhases(model);
  const testers = new Map<string, Promise<Tester>>();
  const open = (layout: MaskLayout): Promise<Tester> => {
    const key = JSON.stringify(layout);
    const task = networkTask(config, { coupling, phases, synchrony: phases, ...layout });
    const tester =
      testers.get(key) ?? openTester(task, testBatch(testScenes), seed, sessionOptionsOf(options));
    testers.set(key, tester);
    return tester;
  };
  try {
    return await testConditions(
      SYNCHRONY_SETS[config.set].conditions,
      () => testScenes,
      options,
      (condition, onBatch) => testUnder(config, condition, values, options, open, onBatch),
    );
  } finally {
    for (const tester of testers.values()) await (await tester).close();
  }
}

interface MaskLayout {
  readonly objects: number;
  readonly overlapChannel: boolean;
}

async function testUnder(
  config: Pick<SynchronyNetworkCell, "set" | "testScenes" | "measuredScenes">,
  condition: DigitsCondition,
  values: State,
  { testing }: DigitsOptions,
  open: (layout: MaskLayout) => Promise<Tester>,
  onBatch?: (done: number, images: number) => void,
): Promise<DigitsTestResult> {
  const set = SYNCHRONY_SETS[config.set];
  const overlapChannel = (condition.maxOverlap ?? 0) > 0;
  const objects = condition.digits ?? set.digits;
  const data = testScenes(testing, set, condition, config.testScenes, overlapChannel);
  const tester = await open({ objects, overlapChannel });
  const maskChannels = 1 + objects + (overlapChannel ? 1 : 0);
  const background = (set.background ?? "none") !== "none";
  return tester.test(values, data, {
    label: condition.id,
    measure: { scenes: config.measuredScenes, maskChannels, overlapChannel, background },
    ...(onBatch && { onBatch }),
  });
}

async function runKernel(config: KernelCell, options: DigitsOptions) {
  const { seed, set, learningRate, clipNorm, evaluateEvery } = config;
  const scenes = (stream: string, count: number) =>
    trainingScenes(options.training, SYNCHRONY_SETS[set], { seed, stream, count });
  const validation = scenes("validation", config.validationScenes);
  const task = kernelTask(config);
  const batch = testBatch(config.validationScenes);
  return withEvaluator(task, batch, options, async (evaluator) => {
    const measure = async (values: State): Promise<number[]> => {
      const indices = Array.from({ length: batch }, (_, i) => i);
      const { synchronyLoss } = await evaluator.run(values, validation, indices, [seed, "kernel phases"]);
      return Array.from(synchronyLoss!.data as Float32Array);
    };
    const before = await measure(initialValues(task, { seed }));
    const run = await train(task, scenes("train", config.trainScenes), {
      ...cellTraining(config, options),
      learningRate,
      clipNorm,
      evaluateEvery,
      evaluate: async (values) => ({ synchronyLoss: (await measure(values)).at(-1)! }),
    });
    if (!run.finished) return undefined;
    await writeCellWeights(
      kernelPath(options.cells, config),
      new Map([["coupling", run.values.get("coupling")!]]),
    );
    return { before, after: await measure(run.values), imagesPerSecond: run.imagesPerSecond };
  });
}

/**
 * Tests a trained network with the dynamics of training, and then with each change to them. If the coupling
 * is trained, its size is fixed, so changes of the size are left out.
 */
async function runAblation(config: AblationCell, options: DigitsOptions) {
  const { start, testScenes: count, seed, measuredScenes } = config;
  const values = await loadWeights(options.cells, start);
  const condition = SYNCHRONY_SETS[start.set].conditions[0]!;
  const rows: { dynamics: Dynamics; tested: DigitsTestResult }[] = [];
  const possible = config.changes.filter(
    ({ couplingSize }) => couplingSize === undefined || start.mode === "channels",
  );
  const settings = [{}, ...possible].map((change) => ({ ...start.dynamics, ...change }));
  const report = progressOf(options, "testing", settings.length * count);
  for (const dynamics of settings) {
    if (options.signal.aborted) return undefined;
    const task = networkTask(start, { dynamics, phases: true });
    const changed = new Map(values);
    // A frozen kernel is a Gaussian, so a frozen kernel of another size is the Gaussian of that size.
    if (dynamics.couplingSize !== start.dynamics.couplingSize) {
      changed.set("coupling", initialValues(task, { seed }).get("coupling")!);
    }
    const opened = openTester(task, testBatch(count), seed, sessionOptionsOf(options));
    const cell = { set: start.set, testScenes: count, measuredScenes };
    const tested = await closing(opened, () => testUnder(cell, condition, changed, options, () => opened));
    rows.push({ dynamics, tested });
    report(rows.length * count, count);
  }
  return { rows };
}

const kernelPath = (cells: string, kernel: KernelCell): string =>
  join(cellFolder(cells, kernel), "coupling.safetensors");
