import { readFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { lower, topologicalOrder, writeOnnx } from "../../../src/graph/index.js";
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
} from "../../../src/graph/onnx/generated/onnx_pb.js";
import { loadOnnx } from "../../../src/graph/onnx/read/open-node.js";
import type { ImportedModel } from "../../../src/graph/onnx/read/read.js";
import { OnnxFile, readOnnx } from "../../../src/graph/onnx/read/read.js";
import { importWeights } from "../../../src/graph/onnx/import-weights.js";
import { initialState } from "../../../src/nn/module.js";
import { nodeRuntime } from "../../../src/runtime/node.js";
import { readCoupling } from "../../../src/systems/komplexnet/coupling-file-node.js";
import { readAnyWeights } from "../../../src/systems/predify/node.js";
import { readTorchCheckpoint } from "../../../src/data/formats/torch-tensor-node.js";
import { KomplexNet, KomplexNetTask } from "../../../src/systems/komplexnet/index.js";
import { freshValues, predify } from "../../../src/systems/predify/index.js";
import { describeModel } from "../../../src/train/model-description.js";
import { exportStep } from "../../../src/train/export.js";
import { openStepper } from "../../../src/train/stepper.js";
import { Random } from "../../../src/util/random.js";
import { asConstants } from "../../../src/nn/training-state.js";
import type { StoredTensor } from "../../../src/util/safetensors.js";
import { encodeSafetensors } from "../../../src/util/safetensors.js";
import { readSafetensors } from "../../../src/util/safetensors-node.js";
import { storedToFloat32 } from "../../../src/util/safetensors.js";
import { floats, ints, modelBytes, node, wave } from "../../graph/onnx/models.js";
import type { Sample } from "./sample.js";

const parametersOf = (task: { readonly parameters: Parameters<typeof initialState>[0] }) =>
  initialState(task.parameters, (name) => Random.derive(1, name));

/** A classifier of a few layers with many kinds of fields: attributes, lists, initializers, constants, open lengths. */
const CLASSIFIER = modelBytes({
  nodes: [
    node("Conv", ["x", "w", "b"], ["c"], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] }),
    node("Relu", ["c"], ["r"]),
    node("MaxPool", ["r"], ["p"], { kernel_shape: [2, 2], strides: [2, 2] }),
    node("Shape", ["p"], ["s"], { start: 0, end: 1 }),
    node("Concat", ["s", "rest"], ["target"], { axis: 0 }),
    node("Reshape", ["p", "target"], ["flat"]),
    node("Constant", [], ["k"], { value: { tensor: floats([0.5]) } }),
    node("Mul", ["flat", "k"], ["scaled"]),
    node("Gemm", ["scaled", "v"], ["y"], { alpha: { float: 1 }, transB: 0 }),
  ],
  inputs: [{ name: "x", shape: ["N", 1, 4, 4] }],
  outputs: ["y"],
  initializers: {
    w: wave([2, 1, 3, 3]),
    b: floats([0.1, 0.2]),
    rest: ints([-1]),
    v: wave([8, 3]),
  },
});

/** Loops, conditions and shapes that are computed: what the reader unrolls and folds. */
const COMPUTED = modelBytes({
  nodes: [
    node("ConstantOfShape", ["few"], ["z"], { value: { tensor: ints([3]) } }),
    node("Expand", ["z", "repeats"], ["z2"]),
    node("Range", ["zero", "limit", "one"], ["range"]),
    node("Pad", ["x", "pads"], ["padded"]),
    node("Tile", ["padded", "repeats"], ["tiled"]),
    node("Resize", ["tiled", "", "", "sizes"], ["resized"], { mode: "linear" }),
    node("Split", ["resized", "parts"], ["a", "b"], { axis: 3 }),
    node("Add", ["a", "b"], ["y"]),
  ],
  inputs: [{ name: "x", shape: ["N", 2, 3, 3] }],
  outputs: ["y", "z2", "range"],
  initializers: {
    few: ints([1]),
    repeats: ints([1, 2, 1, 1]),
    zero: ints([0], []),
    limit: ints([9], []),
    one: ints([1], []),
    pads: ints([0, 0, 1, 1, 0, 0, 1, 1]),
    sizes: ints([1, 4, 8, 8]),
    parts: ints([4, 4]),
  },
});

/** The values of `w` and `v` in another file. */
function withOutsideValues(): { readonly model: Uint8Array; readonly data: Uint8Array } {
  const proto = fromBinary(ModelProtoSchema, CLASSIFIER);
  const pieces: Uint8Array[] = [];
  for (const tensor of proto.graph!.initializer) {
    if (tensor.name !== "w" && tensor.name !== "v") continue;
    const bytes = tensor.rawData.slice();
    const offset = pieces.reduce((sum, piece) => sum + piece.length, 0);
    pieces.push(bytes);
    tensor.rawData = new Uint8Array();
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
    tensor.externalData = Object.entries({
      location: "net.data",
      offset: String(offset),
      length: String(bytes.length),
    }).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }));
  }
  return { model: toBinary(ModelProtoSchema, proto), data: Buffer.concat(pieces) };
}

/** Elements of one value above which ONNX Runtime is not asked to open a model. */
const LARGE = 2 ** 22;

/**
 * Opens a model in ONNX Runtime, which computes what is constant at once. A changed number may make a valid model that is
 * much larger: what ONNX Runtime takes for such a model says nothing about its reader.
 */
async function used(model: ImportedModel): Promise<void> {
  describeModel(model.metadata, "the model");
  const constants = { values: asConstants(valuesOf(model)) };
  const all = topologicalOrder(Object.values(model.outputs)).flatMap(({ outputs }) => outputs);
  const largest = Math.max(
    ...all.map(({ shape }) => shape.reduce<number>((a, n) => a * (typeof n === "number" ? n : 1), 1)),
  );
  const { bytes } = writeOnnx(lower(model.outputs, "cpu", constants), constants);
  if (largest <= LARGE) await (await nodeRuntime.createSession(bytes)).close();
}

const valuesOf = (model: ImportedModel) =>
  new Map(Array.from(model.parameters, ([name, { data }]) => [name, data]));

async function onnxOf(folder: string): Promise<void> {
  await used(await loadOnnx(join(folder, "net.onnx")));
}

/** ONNX files, read, written for ONNX Runtime and opened there. */
export function models(): Sample[] {
  const quantised = modelBytes({
    nodes: [
      node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
      node("DequantizeLinear", ["q", "scale", "zero"], ["d"]),
      node("DequantizeLinear", ["w", "scales", "zeros"], ["dw"], { axis: 0 }),
      node("Conv", ["d", "dw"], ["y"]),
    ],
    inputs: [{ name: "x", shape: ["N", 2, 4, 4] }],
    outputs: ["y"],
    initializers: {
      scale: floats([0.1], []),
      zero: { dtype: "uint8", shape: [], data: Uint8Array.of(3) },
      w: { dtype: "int8", shape: [2, 2, 1, 1], data: Int8Array.of(1, -2, 3, -4) },
      scales: floats([0.1, 0.2]),
      zeros: { dtype: "int8", shape: [2], data: Int8Array.of(0, 0) },
    },
  });
  const komplex = new KomplexNetTask(new KomplexNet({ timesteps: 2, imageSize: 16 }));
  const outside = withOutsideValues();
  const predictive = predify(readOnnx(CLASSIFIER, { what: "net.onnx" }), {
    pcoders: [{ after: "r" }],
    inputSize: [1, 4, 4],
  });
  const decoders = new Map(
    Array.from(freshValues(predictive, 1), ([name, { shape, data }]): [string, StoredTensor] => [
      name,
      { dtype: "F32", shape: [...shape], data },
    ]),
  );
  const kernel = new Map<string, StoredTensor>([
    ["coupling", { dtype: "F32", shape: [8, 8, 3, 3], data: new Float32Array(576).fill(0.1) }],
  ]);
  const weights = encodeSafetensors(
    new Map([
      ["w", { dtype: "F32", shape: [2, 1, 3, 3], data: new Float32Array(18).fill(1) }],
      ["b", { dtype: "F16", shape: [2], data: Uint16Array.of(1, 2) }],
      ["v", { dtype: "F64", shape: [8, 3], data: new Float64Array(24).fill(0.5) }],
    ]),
  );
  const one = (name: string, bytes: Uint8Array, read = onnxOf): Sample => ({
    name,
    files: { "net.onnx": bytes },
    damaged: "net.onnx",
    read,
  });
  return [
    one("ONNX model", CLASSIFIER),
    one("ONNX model with computed shapes", COMPUTED),
    one("quantised ONNX model", quantised),
    one("file of one timestep", exportStep(komplex, parametersOf(komplex)).bytes, async (folder) => {
      const stepper = await openStepper(nodeRuntime, await readFile(join(folder, "net.onnx")));
      await stepper.close();
    }),
    one("ONNX model under Predify", CLASSIFIER, async (folder) => {
      predify(await loadOnnx(join(folder, "net.onnx")), { pcoders: [{ after: "r" }] });
    }),
    {
      ...one("ONNX model beside its values", outside.model),
      files: { "net.onnx": outside.model, "net.data": outside.data },
    },
    {
      ...one("values beside an ONNX model", outside.data),
      files: { "net.onnx": outside.model, "net.data": outside.data },
      damaged: "net.data",
    },
    {
      name: "decoders of Predify, safetensors",
      files: { "d.safetensors": encodeSafetensors(decoders) },
      damaged: "d.safetensors",
      read: (folder) => readAnyWeights(join(folder, "d.safetensors"), predictive),
    },
    {
      name: "decoders of Predify, PyTorch",
      files: { "d.pth": readFileSync(new URL("../../fixtures/predify-pcoder.pth", import.meta.url)) },
      damaged: "d.pth",
      read: async (folder) => {
        const { tensors } = await readTorchCheckpoint(join(folder, "d.pth"));
        return [...tensors];
      },
    },
    {
      name: "coupling kernel",
      files: { "k.safetensors": encodeSafetensors(kernel) },
      damaged: "k.safetensors",
      read: (folder) => readCoupling(join(folder, "k.safetensors")),
    },
    {
      name: "weights for an ONNX model",
      files: { "w.safetensors": weights },
      damaged: "w.safetensors",
      read: async (folder) => {
        const { tensors } = await readSafetensors(join(folder, "w.safetensors"));
        const floating = Array.from(
          tensors,
          ([name, stored]) => [name, { shape: stored.shape, data: storedToFloat32(stored) }] as const,
        );
        importWeights(new OnnxFile(CLASSIFIER, "net.onnx"), new Map(floating), { partial: true });
      },
    },
  ];
}
