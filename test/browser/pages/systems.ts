import {
  KomplexNet,
  KomplexNetTask,
  Random,
  Trainer,
  asConstants,
  exportOnnx,
  init,
  initialState,
  initialValues,
  predify,
  readOnnx,
} from "striate";
import type { Runtime, Task } from "striate";
import {
  ObjectNetwork,
  ObjectTask,
  RecognitionNetwork,
  RecognitionTask,
  SudokuNetwork,
  SudokuTask,
} from "striate/akorn";
import {
  conv,
  flatten,
  gemm,
  globalAveragePool,
  input,
  lower,
  maxPool,
  parameter,
  relu,
  writeOnnx,
} from "striate/graph";
import { FeedbackTask, HyperparameterTask } from "striate/predify";
import {
  EVNet,
  EVNetTask,
  VOneBlock,
  VOneNet,
  VOneNetTask,
  evnetFrontEnd,
  resNetBackEnd,
  sampleReceptiveFields,
} from "striate/vonenet";

/** conv-relu-pool-conv-relu-mean-linear with drawn weights, as a file from elsewhere. */
function predified() {
  const shapes = { a: [4, 3, 3, 3], b: [6, 4, 3, 3], read: [3, 6] };
  const parameters = new Map(
    Object.entries(shapes).map(([name, shape]) => [name, parameter(shape, init.normal(0, 0.3), { name })]),
  );
  const weight = (name: keyof typeof shapes) => parameters.get(name)!;
  const a = relu(conv(input("image", ["batch", 3, 8, 8]), weight("a"), undefined, { padding: 1 }));
  const b = relu(conv(maxPool(a, 2, { stride: 2 }), weight("b"), undefined, { padding: 1 }));
  const logits = gemm(flatten(globalAveragePool(b)), weight("read"), undefined, { transB: 1 });
  const values = initialState(parameters, (name) => Random.derive(7, name));
  const model = readOnnx(writeOnnx(lower({ logits }, "portable"), { values: asConstants(values) }).bytes);
  return predify(model, { pcoders: 2 });
}

const komplexNet = { timesteps: 3, channels: 2, hidden: 6, coupling: { size: 5 }, imageSize: 16 } as const;

/** A small one of every system, with what it is trained for. */
export const SYSTEMS: Readonly<Record<string, () => Task>> = {
  KomplexNet: () => new KomplexNetTask(new KomplexNet(komplexNet)),
  "KomplexNet with feedback": () =>
    new KomplexNetTask(new KomplexNet({ ...komplexNet, feedback: { size: 5 } })),
  "AKOrN for objects": () =>
    new ObjectTask(new ObjectNetwork({ channels: 16, heads: 2, imageSize: 16, timesteps: 3 }), 16),
  "AKOrN for Sudoku": () => new SudokuTask(new SudokuNetwork({ channels: 16, heads: 2, timesteps: 3 })),
  "AKOrN for recognition": () =>
    new RecognitionTask(new RecognitionNetwork({ channels: 8, layers: 2, timesteps: 2, imageSize: 16 })),
  VOneNet: () => {
    const fields = sampleReceptiveFields({ simple: 6, complex: 6 });
    const block = new VOneBlock({
      fields,
      imageSize: 32,
      visualDegrees: 1,
      stride: 4,
      noise: { kind: "neuronal" },
    });
    return new VOneNetTask(new VOneNet(block, resNetBackEnd(18, { classes: 5, width: 1 / 16 })));
  },
  EVNet: () => {
    const frontEnd = evnetFrontEnd("lgn-v2-connection", {
      imageSize: 32,
      visualDegrees: 2,
      simple: 6,
      complex: 6,
      kernelSize: 15,
    });
    return new EVNetTask(new EVNet(frontEnd, resNetBackEnd(18, { classes: 5, channels: [8, 4, 4, 4] })));
  },
  Predify: () => new FeedbackTask(predified(), { timesteps: 2 }),
  "Predify's hyper-parameters": () => new HyperparameterTask(predified(), { timesteps: 2 }),
};

export interface SystemRun {
  /** Losses and norms of the gradient of two training steps. */
  readonly steps: readonly number[];
  /** What the exported network answers, by name. */
  readonly answers: Readonly<Record<string, readonly number[]>>;
}

/** Whole numbers where a field counts something, else numbers in [0, 1). */
function valueOf(field: string, at: number): number {
  if (field === "labels") return at % 3;
  if (field === "solution") return 1 + (at % 9);
  if (field === "puzzle") return at % 4 === 0 ? 1 + ((at * 7) % 9) : 0;
  return ((at * 7) % 13) / 13;
}

/** Two steps of training, then answers of the network as it was before, read back from its exported file. */
export async function runSystem(runtime: Runtime, name: string): Promise<SystemRun> {
  const task = SYSTEMS[name]!();
  const data = {
    count: 8,
    fill: (_: ArrayLike<number>, fields: Readonly<Record<string, Float32Array>>) => {
      for (const [field, values] of Object.entries(fields))
        values.forEach((_, i) => (values[i] = valueOf(field, i)));
    },
  };
  const recipe = { batchSize: 2, seed: 5, learningRate: 0.001 };
  const trainer = await Trainer.open(task, data, recipe, runtime);
  const steps: number[] = [];
  for (let step = 0; step < 2; step++) {
    const { loss, gradientNorm = 0 } = await trainer.advance();
    steps.push(loss, gradientNorm);
  }
  await trainer.close();
  const model = exportOnnx(task, initialValues(task, { seed: 3 }));
  const session = await runtime.createSession(model.bytes);
  const feeds = model.inputs.map(({ name: field, shape }) => {
    const dims = shape.map((dim) => (typeof dim === "number" ? dim : 2));
    const size = dims.reduce((a, b) => a * b, 1);
    return [
      field,
      {
        dtype: "float32" as const,
        shape: dims,
        data: Float32Array.from({ length: size }, (_, i) => valueOf(field, i)),
      },
    ] as const;
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.close();
  return {
    steps,
    answers: Object.fromEntries(
      Object.entries(results).map(([output, { data: values }]) => [output, Array.from(values, Number)]),
    ),
  };
}
