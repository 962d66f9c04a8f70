import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { GraphProto, ModelProto } from "../../../src/graph/onnx/generated/onnx_pb.js";
import {
  AttributeProto_AttributeType as Kind,
  ModelProtoSchema,
  NodeProtoSchema,
  SparseTensorProtoSchema,
  TensorProtoSchema,
  TensorProto_DataLocation,
  ValueInfoProtoSchema,
} from "../../../src/graph/onnx/generated/onnx_pb.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { writeOnnx } from "../../../src/graph/onnx/write/write.js";
import { StriateError } from "../../../src/util/errors.js";
import type { GraphText } from "./models.js";
import { body, floats, modelBytes, modelProto, node, rewritten } from "./models.js";

const x = { name: "x", shape: ["N", 3] } as const;
const line: GraphText = {
  nodes: [node("Mul", ["x", "w"], ["scaled"]), node("Add", ["scaled", "b"], ["y"])],
  inputs: [x],
  outputs: ["y"],
  initializers: { w: floats([1, 2, 3]), b: floats([0.5], []) },
};

/** The line model with something about it changed. */
function spoilt(change: (graph: GraphProto, model: ModelProto) => void, opset = 18): Uint8Array {
  const model = modelProto(line, opset);
  change(model.graph!, model);
  return toBinary(ModelProtoSchema, model);
}

function refusal(bytes: Uint8Array): string {
  try {
    readOnnx(bytes, { what: "net.onnx" });
  } catch (error) {
    expect(error).toBeInstanceOf(StriateError);
    return (error as Error).message;
  }
  return "accepted";
}

const graphOf = (graph: Partial<GraphText>): Uint8Array => modelBytes({ ...line, ...graph });

describe("readOnnx", () => {
  it("reads from any position in memory, as Node's Buffers lie", () => {
    const bytes = graphOf({});
    for (const offset of [0, 1, 2, 3]) {
      const buffer = Buffer.alloc(bytes.length + 4);
      buffer.set(bytes, offset);
      const { parameters } = readOnnx(buffer.subarray(offset, offset + bytes.length));
      expect([...parameters.get("w")!.data.data]).toEqual([1, 2, 3]);
    }
  });

  it("gives inputs, outputs, every named value, parameters and where the file came from", () => {
    const model = readOnnx(
      spoilt((_, proto) => {
        proto.producerName = "somebody";
        proto.producerVersion = "2";
        proto.metadataProps = [{ $typeName: "onnx.StringStringEntryProto", key: "seed", value: "7" }];
      }, 13),
    );
    expect(model.inputs.x!.shape).toEqual(["N", 3]);
    expect(model.outputs.y!.shape).toEqual(["N", 3]);
    expect([...model.values.keys()].sort()).toEqual(["b", "scaled", "w", "x", "y"]);
    expect(model.values.get("scaled")!.node.type).toBe("Mul");
    expect([...model.nodes.values()]).toEqual([model.values.get("scaled"), model.values.get("y")]);
    expect(model.opset).toBe(13);
    expect(model.producer).toBe("somebody 2");
    expect(model.metadata).toEqual({ seed: "7" });
    expect([...model.parameters.keys()]).toEqual(["w"]);
    const { tensor, data } = model.parameters.get("w")!;
    expect(tensor.node.leaf).toMatchObject({ kind: "parameter", name: "w", trainable: true });
    expect(data.data).toEqual(Float32Array.of(1, 2, 3));
    expect(model.values.get("b")!.node.leaf?.kind).toBe("constant");
  });

  it("keeps the names of the file when it is written again", () => {
    const text = new TextDecoder("latin1").decode(rewritten(modelBytes(line)).bytes);
    for (const name of ["scaled", "w", "b", "x", "y", "N"]) expect(text).toContain(name);
  });

  it("keeps running statistics out of training and settings out of the parameters", () => {
    const model = readOnnx(
      graphOf({
        nodes: [
          node("Clip", ["x", "low"], ["c"]),
          node("BatchNormalization", ["c", "w", "shift", "mean", "variance"], ["n"]),
          node("Shape", ["n"], ["lengths"]),
          node("Cast", ["lengths"], ["real"], { to: 1 }),
          node("Mul", ["real", "factor"], ["larger"]),
          node("Cast", ["larger"], ["target"], { to: 7 }),
          node("Reshape", ["n", "target"], ["y"]),
        ],
        initializers: {
          w: floats([1, 2, 3]),
          shift: floats([1, 2, 3]),
          mean: floats([0, 0, 0]),
          variance: floats([1, 1, 1]),
          low: floats([0], [1]),
          factor: floats([1, 1]),
          empty: floats([], [0]),
        },
      }),
    );
    const trainable = [...model.parameters].map(([name, { tensor }]) => [
      name,
      tensor.node.leaf?.kind === "parameter" && tensor.node.leaf.trainable,
    ]);
    expect(trainable).toEqual([
      ["w", true],
      ["shift", true],
      ["mean", false],
      ["variance", false],
    ]);
  });

  it("takes initializers that old files list among the inputs for what they are", () => {
    const model = readOnnx(graphOf({ inputs: [x, { name: "w", shape: [3] }] }));
    expect(Object.keys(model.inputs)).toEqual(["x"]);
  });

  it("gives axes without a usable name one, the same one for the same text", () => {
    const model = readOnnx(
      graphOf({
        inputs: [
          { name: "x", shape: ["floor(h/2)", 3] },
          { name: "z", shape: ["floor(h/2)", -1, ""] },
        ],
      }),
    );
    expect(model.inputs.x!.shape).toEqual(["floor_h/2_", 3]);
    expect(model.inputs.z!.shape).toEqual(["floor_h/2_", "z_1", "z_2"]);
  });

  it("fixes or renames axes on request", () => {
    const { inputs, outputs } = readOnnx(modelBytes(line), { inputShapes: { x: [4, 3] } });
    expect([inputs.x!.shape, outputs.y!.shape]).toEqual([
      [4, 3],
      [4, 3],
    ]);
    const message = /input "x": expected a shape that fits \[N, 3\] in the file, got \[4, 4\]/;
    expect(() => readOnnx(modelBytes(line), { inputShapes: { x: [4, 4] } })).toThrow(message);
    expect(() => readOnnx(modelBytes(line), { inputShapes: { z: [4] } })).toThrow('got "z"');
  });

  it("reads nodes in any order", () => {
    const model = readOnnx(graphOf({ nodes: line.nodes.toReversed() }));
    expect(model.outputs.y!.node.type).toBe("Add");
  });

  it("writes nodes with a value that the file names like a made one", () => {
    const nodes = [node("Relu", ["x"], ["Mul_0"]), node("Mul", ["Mul_0", "w"], ["y"])];
    const model = readOnnx(graphOf({ nodes }));
    expect(writeOnnx(model.outputs).bytes.length).toBeGreaterThan(0);
  });
});

describe("readOnnx refuses, naming the thing", () => {
  const cases: readonly [string, () => Uint8Array, RegExp][] = [
    ["an empty file", () => new Uint8Array(0), /net\.onnx has no graph/],
    ...(
      [
        ["a text", "Hello, this is no model.", /net\.onnx: expected an ONNX file, got text/],
        [
          "a pointer",
          "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n",
          /Git LFS pointer/,
        ],
        ["a web page", "\n<!DOCTYPE html>\n<html><body>Sign in</body>", /an HTML page/],
        ["a ZIP archive", "PK\x03\x04\x00\x00\x08data.pkl", /a ZIP archive, such as a PyTorch checkpoint/],
        ["a pickle", "\x80\x02}q\x00X\x06\x00\x00\x00weight", /a Python pickle/],
        ["a Keras file", "\x89HDF\r\n\x1a\n\x00\x00", /an HDF5 file/],
        ["weights", '\x10\x00\x00\x00\x00\x00\x00\x00{"w":{}}      ', /a safetensors file/],
        ["a mobile model", "\x1c\x00\x00\x00TFL3\x14\x00", /a TensorFlow Lite model/],
      ] as const
    ).map(
      ([what, text, message]) =>
        [what, () => Uint8Array.from(text, (letter) => letter.charCodeAt(0)), message] as [
          string,
          () => Uint8Array,
          RegExp,
        ],
    ),
    ["a truncated file", () => modelBytes(line).slice(0, -20), /net\.onnx is damaged/],
    ["no operator version", () => spoilt((_, model) => (model.opsetImport = [])), /expected one version/],
    ["opset 0", () => spoilt(() => undefined, 0), /expected opset 1 to 28, got 0/],
    ["opset 99", () => spoilt(() => undefined, 99), /expected opset 1 to 28, got 99/],
    [
      "values outside the file",
      () =>
        spoilt((graph) => {
          const w = graph.initializer[0]!;
          w.dataLocation = TensorProto_DataLocation.EXTERNAL;
          w.externalData = [
            { $typeName: "onnx.StringStringEntryProto", key: "location", value: "../../etc/passwd" },
          ];
        }),
      /initializer "w": its values are in "\.\.\/\.\.\/etc\/passwd", beside the model/,
    ],
    [
      "too few bytes",
      () => spoilt((graph) => (graph.initializer[0]!.dims = [4n])),
      /"w": float32\[4\]: expected 16 bytes, got 12/,
    ],
    [
      "huge dims",
      () => spoilt((graph) => (graph.initializer[0]!.dims = [2n ** 40n, 2n ** 22n])),
      /"w": expected a valid shape, got \[1099511627776, 4194304\]/,
    ],
    [
      "negative dims",
      () => spoilt((graph) => (graph.initializer[0]!.dims = [-3n])),
      /expected a valid shape, got \[-3\]/,
    ],
    [
      "no values for huge dims",
      () =>
        spoilt(
          (graph) =>
            (graph.initializer[0] = create(TensorProtoSchema, { name: "w", dataType: 1, dims: [2n ** 30n] })),
        ),
      /expected 1073741824 elements, got 0/,
    ],
    [
      "an unknown element type",
      () => spoilt((graph) => (graph.initializer[0]!.dataType = 77)),
      /"w": ONNX element type 77 is not supported/,
    ],
    [
      "text values",
      () => spoilt((graph) => (graph.initializer[0]!.dataType = 8)),
      /the element type string is not supported/,
    ],
    [
      "a sparse initializer",
      () =>
        spoilt((graph) =>
          graph.sparseInitializer.push(create(SparseTensorProtoSchema, { values: { name: "w2" } })),
        ),
      /"w2" is sparse/,
    ],
    [
      "two initializers of one name",
      () => spoilt((graph) => graph.initializer.push(graph.initializer[0]!)),
      /"w" is made twice/,
    ],
    ["two inputs of one name", () => graphOf({ inputs: [x, x] }), /two inputs are named "x"/],
    [
      "an input that is no tensor",
      () => spoilt((graph) => graph.input.push(create(ValueInfoProtoSchema, { name: "list" }))),
      /input "list": expected a tensor/,
    ],
    [
      "an input without a shape",
      () => spoilt((graph) => (graph.input[0]!.type!.tensorType!.shape = undefined)),
      /input "x" has no shape/,
    ],
    [
      "a very long axis",
      () => graphOf({ inputs: [{ name: "x", shape: [2 ** 40, 3] }] }),
      /axis 0 of length 1099511627776 is too long/,
    ],
    [
      "a missing value",
      () => graphOf({ nodes: [node("Add", ["x", "ghost"], ["y"])] }),
      /node "Add_of_y" \(Add\): it reads "ghost", which nothing makes/,
    ],
    ["a missing output", () => graphOf({ outputs: ["z"] }), /nothing makes the output "z"/],
    ["no output", () => graphOf({ outputs: [] }), /the graph has no output/],
    ["an output twice", () => graphOf({ outputs: ["y", "y"] }), /two outputs are named "y"/],
    [
      "a cycle",
      () => graphOf({ nodes: [node("Add", ["x", "y"], ["a"]), node("Mul", ["a", "w"], ["y"])] }),
      /\(Add\) needs its own result \(the graph has a cycle\)/,
    ],
    [
      "a value made twice",
      () => graphOf({ nodes: [node("Relu", ["x"], ["y"]), node("Neg", ["x"], ["y"])] }),
      /node "Neg_of_y" \(Neg\) makes "y", which node "Relu_of_y"/,
    ],
    ["a value that is an input", () => graphOf({ nodes: [node("Relu", ["x"], ["w"])] }), /"w" is made twice/],
    [
      "an unknown operator",
      () => graphOf({ nodes: [node("StringSplit", ["x"], ["y"])] }),
      /node "StringSplit_of_y" \(StringSplit\): the operator StringSplit is not supported \(it works on text, which Striate does not have\)/,
    ],
    [
      "an invented operator",
      () => graphOf({ nodes: [node("constructor", ["x"], ["y"])] }),
      /constructor is not a standard operator/,
    ],
    [
      "our own operators",
      () => graphOf({ nodes: [node("StopGradient", ["x"], ["y"])] }),
      /StopGradient is not a standard operator/,
    ],
    [
      "a quantised operator of floats",
      () => graphOf({ nodes: [node("DequantizeLinear", ["x", "w"], ["y"])] }),
      /expected quantised values/,
    ],
    [
      "another domain",
      () =>
        graphOf({
          nodes: [create(NodeProtoSchema, { opType: "FusedConv", domain: "com.microsoft", output: ["y"] })],
        }),
      /node "y" \(com\.microsoft\.FusedConv\): expected a standard operator/,
    ],
    [
      "a Loop",
      () =>
        graphOf({ nodes: [node("Loop", ["x"], ["y"], {}, [body("body", { nodes: [], outputs: ["z"] })])] }),
      /\(Loop\): the number of iterations of the Loop is known only when the graph runs/,
    ],
    [
      "an If that depends on what is fed, with branches of different shapes",
      () =>
        graphOf({
          nodes: [
            node("If", ["flag"], ["y"], {}, [
              body("then_branch", { nodes: [node("Relu", ["x"], ["t"])], outputs: ["t"] }),
              body("else_branch", { nodes: [node("Transpose", ["x"], ["e"])], outputs: ["e"] }),
            ]),
          ],
          inputs: [x, { name: "flag", shape: [], dtype: "bool" }],
        }),
      /\(If\): its condition depends on an input, so both results must have the same type and shape, got float32\[N, 3\] and float32\[3, N\]/,
    ],
    [
      "shapes that do not fit",
      () => graphOf({ initializers: { w: floats([1, 2]), b: floats([1], []) } }),
      /node "Mul_of_scaled" \(Mul\): Mul\(float32\[N, 3\], float32\[2\]\): the shapes do not broadcast/,
    ],
    [
      "an operand too few",
      () => graphOf({ nodes: [node("Add", ["x"], ["y"])] }),
      /\(Add\): Add\(float32\[N, 3\]\): input b is missing/,
    ],
    [
      "an output too many",
      () => graphOf({ nodes: [node("Relu", ["x"], ["y", "z"])] }),
      /the operator has no output 1 \("z"\)/,
    ],
    [
      "an attribute twice",
      () =>
        graphOf({
          nodes: [node("Flatten", ["x"], ["y"], { axis: 1 }, [...node("", [], [], { axis: 1 }).attribute])],
        }),
      /"axis" is given twice/,
    ],
    [
      "an attribute of an odd kind",
      () =>
        spoilt((graph) =>
          graph.node[0]!.attribute.push({
            $typeName: "onnx.AttributeProto",
            name: "to",
            type: Kind.TYPE_PROTO,
            f: 0,
            i: 0n,
            s: new Uint8Array(),
            floats: [],
            ints: [],
            strings: [],
            refAttrName: "",
          }),
        ),
      /attribute "to" is of a kind \(13\)/,
    ],
    [
      "a high rank",
      () =>
        graphOf({
          nodes: [node("Reshape", ["x", "s"], ["y"])],
          inputs: [x, { name: "s", shape: [2 ** 30], dtype: "int64" }],
        }),
      /rank 1073741824 is too high/,
    ],
    [
      "names that double without end",
      () =>
        graphOf({
          nodes: [
            node("Shape", ["x"], ["s0"]),
            ...Array.from({ length: 60 }, (_, i) => node("Mul", [`s${i}`, `s${i}`], [`s${i + 1}`])),
            node("Expand", ["w", "s60"], ["y"]),
          ],
        }),
      /node "Expand_of_y"/,
    ],
    [
      "dropout that is told when it runs whether it trains",
      () =>
        graphOf({
          nodes: [node("Dropout", ["x", "", "on"], ["y"])],
          inputs: [x, { name: "on", shape: [], dtype: "bool" }],
        }),
      /expected a constant training mode of Dropout/,
    ],
  ];
  for (const [what, bytes, message] of cases) {
    it(what, () => {
      expect(refusal(bytes())).toMatch(message);
    });
  }

  it("a deeply nested graph", () => {
    let graph: GraphText = { nodes: [node("Relu", ["x"], ["y"])], outputs: ["y"] };
    for (let i = 0; i < 200; i++) {
      graph = { nodes: [node("If", ["c"], ["y"], {}, [body("then_branch", graph)])], outputs: ["y"] };
    }
    expect(refusal(modelBytes(graph))).toMatch(/damaged|depth/);
  });

  it("gives the model's own name to what it is called", () => {
    expect(refusal(new Uint8Array(0))).toContain("net.onnx");
    expect(() => readOnnx(new Uint8Array(0))).toThrow("ONNX model has no graph");
  });
});
