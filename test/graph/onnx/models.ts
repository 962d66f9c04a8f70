import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as ort from "onnxruntime-node";
import type { Shape } from "../../../src/graph/dims.js";
import type { DType, TensorData } from "../../../src/graph/dtype.js";
import { onnxTypeCode, tensorData } from "../../../src/graph/dtype.js";
import { bytesOf, encodeAttribute, encodeDescription } from "../../../src/graph/onnx/write/encode.js";
import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
} from "../../../src/graph/onnx/generated/onnx_pb.js";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
} from "../../../src/graph/onnx/generated/onnx_pb.js";
import type { ImportedModel, ReadOptions } from "../../../src/graph/onnx/read/read.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { writeOnnx } from "../../../src/graph/onnx/write/write.js";
import type { Attribute, Attributes } from "../../../src/graph/tensor.js";

/* Small ONNX files made by hand, and running them in ONNX Runtime: the oracle of what a file means. */

export interface PortText {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype?: DType;
  /** Whether the port is a sequence of such tensors. Default false. */
  readonly sequence?: boolean;
}

export interface GraphText {
  readonly nodes: readonly NodeProto[];
  readonly inputs?: readonly PortText[];
  readonly outputs: readonly string[];
  readonly initializers?: Readonly<Record<string, TensorData>>;
}

export function node(
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Attributes = {},
  extra: readonly AttributeProto[] = [],
): NodeProto {
  return create(NodeProtoSchema, {
    opType: type,
    name: `${type}_of_${outputs.join("_")}`,
    input: [...inputs],
    output: [...outputs],
    attribute: [
      ...Object.entries(attributes).map(([name, value]) => attributeOf(name, value, type)),
      ...extra,
    ],
  });
}

export function body(name: string, graph: GraphText): AttributeProto {
  return create(AttributeProtoSchema, {
    name,
    type: AttributeProto_AttributeType.GRAPH,
    g: graphProto(graph),
  });
}

function graphProto({ nodes, inputs = [], outputs, initializers = {} }: GraphText): GraphProto {
  return create(GraphProtoSchema, {
    name: "test",
    node: [...nodes],
    input: inputs.map(({ name, shape, dtype = "float32", sequence = false }) => {
      const tensorType = {
        elemType: onnxTypeCode(dtype),
        shape: {
          dim: shape.map((dim) => ({
            value:
              typeof dim === "number"
                ? { case: "dimValue" as const, value: BigInt(dim) }
                : { case: "dimParam" as const, value: dim },
          })),
        },
      };
      // The tensors of a sequence differ in shape, so their type has none.
      const { elemType } = tensorType;
      return {
        name,
        type: sequence ? { sequenceType: { elemType: { tensorType: { elemType } } } } : { tensorType },
      };
    }),
    output: outputs.map((name) => ({ name })),
    initializer: Object.entries(initializers).map(([name, data]) => tensorOf(data, name)),
  });
}

export function modelProto(graph: GraphText, opset = 18): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: "", version: BigInt(opset) }],
    graph: graphProto(graph),
  });
}

export function modelBytes(graph: GraphText, opset = 18): Uint8Array {
  return toBinary(ModelProtoSchema, modelProto(graph, opset));
}

export type Feeds = Readonly<Record<string, TensorData>>;

function tensorsOf(feeds: Feeds): Record<string, ort.Tensor> {
  const tensors = Object.entries(feeds).map(([name, { dtype, data, shape }]) => [
    name,
    new ort.Tensor(dtype as "float32", data as Float32Array, shape),
  ]);
  return Object.fromEntries(tensors) as Record<string, ort.Tensor>;
}

export async function run(bytes: Uint8Array, feeds: Feeds): Promise<Record<string, TensorData>> {
  const opened = await open(bytes);
  const results = await opened.run(feeds);
  await opened.release();
  return results;
}

export interface Opened {
  /** Feeds what the file asks for. */
  readonly run: (feeds: Feeds) => Promise<Record<string, TensorData>>;
  readonly release: () => Promise<void>;
}

/** A file to be run more than once. */
export async function open(bytes: Uint8Array): Promise<Opened> {
  const options = { logSeverityLevel: 3, intraOpNumThreads: 1 } as const;
  const session = await ort.InferenceSession.create(bytes, options);
  return {
    run: async (feeds) => {
      const wanted = Object.entries(feeds).filter(([name]) => session.inputNames.includes(name));
      const results = await session.run(tensorsOf(Object.fromEntries(wanted)));
      const read = Object.entries(results).map(([name, value]) => [
        name,
        { dtype: value.type as DType, shape: value.dims, data: value.data as Float32Array },
      ]);
      return Object.fromEntries(read) as Record<string, TensorData>;
    },
    release: () => session.release(),
  };
}

/** Whether ONNX Runtime runs a file; it says nothing if it does not. */
export async function isTaken(bytes: Uint8Array, feeds: Feeds): Promise<boolean> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const taken = await session.run(tensorsOf(feeds)).then(
    () => true,
    () => false,
  );
  await session.release();
  return taken;
}

/** Reads a file and writes it again, its parameters with their values. */
export function rewritten(
  bytes: Uint8Array,
  options?: ReadOptions,
): { model: ImportedModel; bytes: Uint8Array } {
  const model = readOnnx(bytes, options);
  const data = new Map([...model.parameters.values()].map((parameter) => [parameter.tensor, parameter.data]));
  return { model, bytes: writeOnnx(model.outputs, { values: (tensor) => data.get(tensor) }).bytes };
}

/** Largest difference between two sets of outputs; Infinity where names, types or shapes differ. */
export function difference(a: Record<string, TensorData>, b: Record<string, TensorData>): number {
  if (Object.keys(a).sort().join() !== Object.keys(b).sort().join()) return Infinity;
  let largest = 0;
  for (const [name, left] of Object.entries(a)) {
    const right = b[name]!;
    if (left.dtype !== right.dtype || left.shape.join() !== right.shape.join()) return Infinity;
    for (const [i, value] of left.data.entries()) {
      const gap = Math.abs(Number(value) - Number(right.data[i]));
      if (!(gap <= largest) && !Object.is(Number(value), Number(right.data[i]))) largest = gap;
    }
  }
  return largest;
}

/** Reproducible values around 0. */
export function wave(shape: readonly number[], phase = 0): TensorData {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensorData(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + phase) * 2),
    shape,
  );
}

export function ints(values: readonly number[], shape?: readonly number[]): TensorData {
  return tensorData(BigInt64Array.from(values, BigInt), shape, "int64");
}

export function floats(values: readonly number[], shape?: readonly number[]): TensorData {
  return tensorData(Float32Array.from(values), shape);
}

/** What our own writer makes of an attribute, as the library for protobuf reads it. */
function attributeOf(name: string, value: Attribute, type: string): AttributeProto {
  return fromBinary(AttributeProtoSchema, encodeAttribute(name, value, () => type).encoded());
}

function tensorOf(data: TensorData, name: string): TensorProto {
  return fromBinary(TensorProtoSchema, encodeDescription(data, name).bytes(9, bytesOf(data)).encoded());
}
