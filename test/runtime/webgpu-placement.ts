/*
 * Where ONNX Runtime puts the nodes of training steps that are opened on WebGPU. A script of its own, because the driver is
 * chosen by the environment. Prints one JSON object a line: the system, whether its session opens without the CPU, and the types
 * of nodes that values are copied for between the GPU and the CPU.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import * as ort from "onnxruntime-node";
import { ModelProtoSchema } from "../../src/graph/onnx/generated/onnx_pb.js";
import type { Runtime } from "striate";
import { StriateError, Trainer } from "striate";
import { input, isInf, where, writeOnnx } from "striate/graph";
import { SYSTEMS } from "../browser/pages/systems.js";

const options = { executionProviders: ["webgpu"], logSeverityLevel: 4 } as const;

async function trainingModel(name: string): Promise<Uint8Array> {
  const models: Uint8Array[] = [];
  const runtime: Runtime = {
    device: "webgpu",
    createSession: () => Promise.reject(new StriateError("not used")),
    createProgram: ({ model }) => {
      models.push(model);
      return Promise.reject(new StriateError("the model is all that is wanted"));
    },
  };
  const data = { count: 8, fill: () => undefined };
  await Trainer.open(SYSTEMS[name]!(), data, { batchSize: 2, seed: 5 }, runtime).catch((error: unknown) => {
    if (models.length === 0) throw error;
  });
  return models[0]!;
}

async function opensWithoutCpu(model: Uint8Array): Promise<boolean> {
  try {
    const extra = { session: { disable_cpu_ep_fallback: "1" } };
    await (await ort.InferenceSession.create(model, { ...options, extra })).release();
    return true;
  } catch (error) {
    if (!String(error).includes("fallback to CPU EP has been explicitly disabled")) throw error;
    return false;
  }
}

async function typesOnCpu(model: Uint8Array): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "striate-placement-"));
  const optimizedModelFilePath = join(folder, "placed.onnx");
  await (await ort.InferenceSession.create(model, { ...options, optimizedModelFilePath })).release();
  const { graph } = fromBinary(ModelProtoSchema, await readFile(optimizedModelFilePath));
  await rm(folder, { recursive: true });
  const nodes = graph!.node;
  const toHost = new Set(
    nodes.filter(({ opType }) => opType === "MemcpyToHost").flatMap(({ output }) => output),
  );
  const toDevice = new Set(
    nodes.filter(({ opType }) => opType === "MemcpyFromHost").flatMap((node) => node.input),
  );
  const onCpu = nodes.filter(
    (node) => node.input.some((name) => toHost.has(name)) || node.output.some((name) => toDevice.has(name)),
  );
  return onCpu.map(({ opType }) => opType).sort();
}

async function print(system: string, model: Uint8Array): Promise<void> {
  const alone = await opensWithoutCpu(model);
  console.log(JSON.stringify({ system, alone, onCpu: alone ? [] : await typesOnCpu(model) }));
}

// No kernel of WebGPU tells infinite values.
const x = input("x", [4]);
await print("one that needs the CPU", writeOnnx({ y: where(isInf(x), 0, x) }).bytes);
for (const system of Object.keys(SYSTEMS)) await print(system, await trainingModel(system));
process.exit(0);
