import {
  KomplexNet,
  KomplexNetTask,
  PauseController,
  Trainer,
  adam,
  createWebRuntime,
  createWorkerRuntime,
  deleteRun,
  initialValues,
  train,
  trainingStep,
  writeTrainingStep,
} from "striate";
import type { TrainOptions, WorkerRuntime } from "striate";
import { answersOf, smallRun } from "./losses.js";

/** What a test asks of the page: plain data, because it comes from another process. */
export interface Asked extends Partial<
  Pick<
    TrainOptions,
    "device" | "wasmPaths" | "threads" | "folder" | "resume" | "checkpointEvery" | "config" | "seed"
  >
> {
  readonly steps: number;
  /** Bytes of a checkpoint to go on from. */
  readonly from?: readonly number[];
  readonly abortAt?: number;
  readonly pauseAt?: number;
  /** Whether the exported model is run as well. */
  readonly answer?: boolean;
}

export interface Answer {
  readonly step: number;
  readonly finished: boolean;
  readonly device: string;
  /** From the first step that was done here. */
  readonly losses: readonly number[];
  readonly checkpoint: readonly number[];
  readonly model: readonly number[];
  /** What the exported model answers here, if that was asked. */
  readonly logits: readonly number[];
  readonly warnings: readonly string[];
  /** Steps done while the run was paused. */
  readonly pausedSteps: number;
}

/** How long the page was held up while it trained. */
export interface Frames {
  /** Milliseconds between one frame and the next, sorted. */
  readonly gaps: readonly number[];
  /** Tasks of more than 50 ms while steps ran, and while the run was prepared. */
  readonly longTasks: readonly number[];
  readonly longTasksBefore: readonly number[];
  readonly steps: number;
  readonly seconds: number;
}

let shared: Promise<WorkerRuntime> | undefined;

/** Trains in a worker that all runs of the page share, or in one of its own if the test says what that should be. */
async function run(asked: Asked): Promise<Answer> {
  const { task, data, recipe } = smallRun();
  const { device, wasmPaths, threads } = asked;
  const isOwn = device !== undefined || wasmPaths !== undefined || threads !== undefined;
  const runtime = isOwn ? undefined : await (shared ??= createWorkerRuntime());
  const { from, abortAt, pauseAt, answer = false, ...options } = asked;
  const losses: number[] = [];
  const warnings: string[] = [];
  const ending = new AbortController();
  const pause = new PauseController();
  let pausedSteps = -1;
  window.step = 0;
  const trained = await train(task, data, {
    ...recipe,
    ...options,
    ...(runtime && { runtime }),
    ...(from && { from: Uint8Array.from(from) }),
    signal: ending.signal,
    pause,
    onWarning: (message) => warnings.push(message),
    onProgress: ({ step, loss }) => {
      losses.push(loss!);
      window.step = step;
      if (step === abortAt) ending.abort();
      if (step !== pauseAt) return;
      pause.pause();
      const before = losses.length;
      setTimeout(() => {
        pausedSteps = losses.length - before;
        pause.resume();
      }, 500);
    },
  });
  const model = trained.export();
  const logits = answer ? await answerTo(model) : [];
  return {
    step: trained.step,
    finished: trained.finished,
    device: trained.device,
    losses,
    checkpoint: Array.from(trained.checkpoint()),
    model: Array.from(model),
    logits,
    warnings,
    pausedSteps,
  };
}

async function answerTo(model: Uint8Array): Promise<number[]> {
  const runtime = await createWorkerRuntime();
  const logits = await answersOf(runtime, model);
  await runtime.close();
  return logits;
}

const largerTask = () =>
  new KomplexNetTask(new KomplexNet({ timesteps: 6, channels: 8, hidden: 64, coupling: { size: 9 } }));

/** Milliseconds that the training step of the larger network takes to be made, without a pause. */
function prepared(): number {
  const began = performance.now();
  const task = largerTask();
  const { inputs, loss } = task.loss(4);
  const step = trainingStep({ inputs, loss, parameters: task.parameters, optimizer: adam(), clipNorm: 2 });
  const { bytes } = writeTrainingStep(step, initialValues(task, { seed: 5 }), "wasm");
  if (bytes.length === 0) throw new Error("nothing was written");
  return performance.now() - began;
}

/** Trains a larger network and watches the page's frames meanwhile. */
async function frames(steps: number, inWorker: boolean): Promise<Frames> {
  const task = largerTask();
  const { data, recipe } = smallRun();
  const tasks: { start: number; length: number }[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      tasks.push({ start: startTime, length: duration });
  });
  observer.observe({ type: "longtask" });
  const at: number[] = [];
  let watching = true;
  const frame = (time: number) => {
    at.push(time);
    if (watching) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  // From the first step on: what comes before is the tracing of the network.
  let began = 0;
  if (inWorker) {
    await train(task, data, {
      ...recipe,
      steps: steps + 1,
      onProgress: ({ step }) => {
        if (step === 1) began = performance.now();
      },
    });
  } else {
    const trainer = await Trainer.open(task, data, recipe, await createWebRuntime());
    await trainer.advance();
    began = performance.now();
    for (let step = 0; step < steps; step++) await trainer.advance();
  }
  const ended = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 300));
  watching = false;
  observer.disconnect();
  const during = at.filter((time) => time >= began && time <= ended);
  const lengths = (some: typeof tasks) => some.map(({ length }) => length);
  return {
    gaps: during
      .slice(1)
      .map((time, i) => time - during[i]!)
      .sort((a, b) => a - b),
    longTasks: lengths(tasks.filter(({ start }) => start >= began && start <= ended)),
    longTasksBefore: lengths(tasks.filter(({ start }) => start < began)),
    steps,
    seconds: (ended - began) / 1000,
  };
}

export interface TrainingPage {
  readonly run: typeof run;
  readonly frames: typeof frames;
  readonly prepared: typeof prepared;
  readonly deleteRun: typeof deleteRun;
  /** The paths and lengths of the site's files. */
  readonly files: () => Promise<Record<string, number>>;
  /** Cuts a file's end off. */
  readonly damage: (path: string) => Promise<void>;
}

async function folderOf(names: readonly string[]): Promise<FileSystemDirectoryHandle> {
  let handle = await navigator.storage.getDirectory();
  for (const name of names) handle = await handle.getDirectoryHandle(name);
  return handle;
}

async function listed(
  folder: FileSystemDirectoryHandle,
  before: string,
  into: Record<string, number>,
): Promise<Record<string, number>> {
  for await (const entry of folder.values()) {
    const path = `${before}${entry.name}`;
    if (entry.kind === "file") into[path] = (await entry.getFile()).size;
    else await listed(entry, `${path}/`, into);
  }
  return into;
}

declare global {
  interface Window {
    training?: TrainingPage;
    /** The last step of the run that is going on. */
    step?: number;
  }
}

window.training = {
  run,
  frames,
  prepared,
  deleteRun,
  files: async () => listed(await folderOf([]), "", {}),
  damage: async (path) => {
    const names = path.split("/");
    const folder = await folderOf(names.slice(0, -1));
    const file = await folder.getFileHandle(names.at(-1)!);
    const stream = await file.createWritable({ keepExistingData: true });
    await stream.truncate(100);
    await stream.close();
  },
};
