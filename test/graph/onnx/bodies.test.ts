import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { FunctionProto } from "../../../src/graph/onnx/generated/onnx_pb.js";
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType,
  FunctionProtoSchema,
  ModelProtoSchema,
} from "../../../src/graph/onnx/generated/onnx_pb.js";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import { tensorData } from "../../../src/graph/dtype.js";
import { importProblems } from "./imports.js";
import type { GraphText } from "./models.js";
import { body, floats, ints, modelBytes, modelProto, node, wave } from "./models.js";

const f = (float: number) => ({ float });
const scalarPort = (name: string, dtype: "int64" | "bool") => ({ name, shape: [], dtype });
const yes = tensorData(Uint8Array.of(1), [], "bool");

/** x -> tanh(x w) + step, three times; also gives every state. */
function loopFile(trips: number, again: readonly [string, string] = ["Identity", "go"]): GraphText {
  return {
    nodes: [
      node("Loop", ["trips", "yes", "x"], ["last", "all"], {}, [
        body("body", {
          nodes: [
            node("MatMul", ["h", "w"], ["p"]),
            node("Tanh", ["p"], ["t"]),
            node("Cast", ["step"], ["n"], { to: 1 }),
            node("Add", ["t", "n"], ["next"]),
            node(again[0], [again[1]], ["still"]),
            node("Mul", ["next", "scale"], ["given"]),
          ],
          inputs: [scalarPort("step", "int64"), scalarPort("go", "bool"), { name: "h", shape: [2, 2] }],
          outputs: ["still", "next", "given"],
          initializers: { scale: floats([0.5, 2]) },
        }),
      ]),
    ],
    inputs: [
      { name: "x", shape: [2, 2] },
      { name: "w", shape: [2, 2] },
    ],
    outputs: ["last", "all"],
    initializers: { trips: ints([trips], []), yes },
  };
}

describe("Loop", () => {
  const feeds = { x: wave([2, 2]), w: wave([2, 2], 0.7) };

  it("is unrolled, with what it carries and what it collects", async () => {
    const bytes = modelBytes(loopFile(3));
    expect(await importProblems(bytes, feeds)).toEqual([]);
    expect(readOnnx(bytes).outputs.all!.shape).toEqual([3, 2, 2]);
    expect([...readOnnx(bytes).parameters.keys()]).toEqual(["scale"]);
  });

  it("ends when its own condition says so", async () => {
    expect(await importProblems(modelBytes(loopFile(9, ["Not", "go"])), feeds)).toEqual([]);
    expect(readOnnx(modelBytes(loopFile(9, ["Not", "go"]))).outputs.all!.shape).toEqual([1, 2, 2]);
  });

  it("lies in another, and counts by the steps of that", async () => {
    const inner = body("body", {
      nodes: [node("Add", ["s", "x"], ["s2"]), node("Identity", ["c2"], ["d2"])],
      inputs: [scalarPort("j", "int64"), scalarPort("c2", "bool"), { name: "s", shape: [2] }],
      outputs: ["d2", "s2"],
    });
    const bytes = modelBytes({
      nodes: [
        node("Loop", ["trips", "", "x"], ["y"], {}, [
          body("body", {
            nodes: [
              node("Add", ["i", "one"], ["count"]),
              node("Loop", ["count", "c", "h"], ["h2"], {}, [inner]),
              node("Mul", ["h2", "h2"], ["h3"]),
              node("Identity", ["c"], ["d"]),
            ],
            inputs: [scalarPort("i", "int64"), scalarPort("c", "bool"), { name: "h", shape: [2] }],
            outputs: ["d", "h3"],
          }),
        ]),
      ],
      inputs: [{ name: "x", shape: [2] }],
      outputs: ["y"],
      initializers: { trips: ints([2], []), one: ints([1], []) },
    });
    expect(await importProblems(bytes, { x: floats([0.3, -0.4]) })).toEqual([]);
  });

  it("is refused if it runs until something that is fed, as often as something that is fed, or too often", () => {
    const fed = loopFile(3);
    const inputs = [...fed.inputs!, scalarPort("trips", "int64")];
    const { trips: _, ...initializers } = fed.initializers!;
    expect(() => readOnnx(modelBytes({ ...fed, inputs, initializers }))).toThrow(
      /number of iterations of the Loop/,
    );
    const until = loopFile(3, ["Cast", "go"]);
    expect(() =>
      readOnnx(modelBytes({ ...until, initializers: { ...initializers, trips: ints([1e6], []) } })),
    ).toThrow(/Cast/);
    expect(() => readOnnx(modelBytes(loopFile(1e6)))).toThrow(/more than 65536 nodes/);
  });
});

describe("Scan", () => {
  for (const attributes of [
    {},
    { scan_input_directions: [1, 0], scan_output_directions: [1] },
    { scan_input_axes: [0, -1], scan_output_axes: [1] },
  ]) {
    it(`is unrolled: ${JSON.stringify(attributes)}`, async () => {
      const isLast = "scan_input_axes" in attributes;
      const bytes = modelBytes({
        nodes: [
          node("Scan", ["start", "a", "b"], ["last", "all"], { num_scan_inputs: 2, ...attributes }, [
            body("body", {
              nodes: [
                node("Mul", ["s", "p"], ["m"]),
                node("Add", ["m", "q"], ["s2"]),
                node("Sin", ["s2"], ["given"]),
              ],
              inputs: ["s", "p", "q"].map((name) => ({ name, shape: [2] })),
              outputs: ["s2", "given"],
            }),
          ]),
        ],
        inputs: [
          { name: "start", shape: [2] },
          { name: "a", shape: [3, 2] },
          { name: "b", shape: isLast ? [2, 3] : [3, 2] },
        ],
        outputs: ["last", "all"],
      });
      const feeds = { start: wave([2]), a: wave([3, 2], 0.4), b: wave(isLast ? [2, 3] : [3, 2], 1) };
      expect(await importProblems(bytes, feeds)).toEqual([]);
    });
  }
});

const DOMAIN = "pkg.test";

function functionProto(name: string, parts: Partial<FunctionProto>): FunctionProto {
  const standard = { domain: "", version: 18n };
  const own = { domain: DOMAIN, version: 1n };
  return Object.assign(
    create(FunctionProtoSchema, { name, domain: DOMAIN, opsetImport: [standard, own] }),
    parts,
  );
}

function calling(type: string, ...rest: Parameters<typeof node> extends [string, ...infer R] ? R : never) {
  return Object.assign(node(type, ...rest), { domain: DOMAIN });
}

const reference = (name: string, from: string, type: AttributeProto_AttributeType) =>
  create(AttributeProtoSchema, { name, refAttrName: from, type });

const leak = () =>
  functionProto("Leak", {
    input: ["v", "shift"],
    output: ["w"],
    attributeProto: [
      create(AttributeProtoSchema, { name: "slope", type: AttributeProto_AttributeType.FLOAT, f: 0.25 }),
    ],
    node: [
      node("LeakyRelu", ["v"], ["l"], {}, [reference("alpha", "slope", AttributeProto_AttributeType.FLOAT)]),
      node("Add", ["l", "shift"], ["w"]),
    ],
  });

function fileWith(graph: GraphText, functions: readonly FunctionProto[]): Uint8Array {
  const model = modelProto(graph);
  model.opsetImport.push({ ...model.opsetImport[0]!, domain: DOMAIN, version: 1n });
  model.functions.push(...functions);
  return toBinary(ModelProtoSchema, model);
}

describe("functions of the file", () => {
  const inputs = [{ name: "x", shape: [2, 2] }];
  const feeds = { x: floats([1, -1.5, 0.5, -2], [2, 2]) };

  it("are inlined, with attributes that are given and those that are not, and call each other", async () => {
    const twice = functionProto("Twice", {
      input: ["v"],
      output: ["w"],
      node: [
        calling("Leak", ["v", "v"], ["l"], {}, [
          reference("slope", "slope", AttributeProto_AttributeType.FLOAT),
        ]),
        calling("Leak", ["l", "v"], ["w"]),
      ],
    });
    const graph = {
      nodes: [
        calling("Twice", ["x"], ["a"], { slope: f(0.1) }),
        calling("Twice", ["a"], ["b"]),
        node("Tanh", ["b"], ["y"]),
      ],
      inputs,
      outputs: ["y"],
    };
    expect(await importProblems(fileWith(graph, [leak(), twice]), feeds)).toEqual([]);
  });

  it("are read in the version of the standard that they import", () => {
    const old = functionProto("Sums", {
      input: ["v"],
      output: ["w"],
      node: [node("ReduceSum", ["v"], ["w"], { axes: [1], keepdims: 0 })],
    });
    old.opsetImport[0]!.version = 11n;
    const graph = { nodes: [calling("Sums", ["x"], ["y"])], inputs, outputs: ["y"] };
    expect(readOnnx(fileWith(graph, [old])).outputs.y!.shape).toEqual([2]);
  });

  it("are refused if they call themselves or are not there", () => {
    const graph = { nodes: [calling("Leak", ["x", "x"], ["y"])], inputs, outputs: ["y"] };
    const endless = functionProto("Leak", {
      input: ["v"],
      output: ["w"],
      node: [calling("Leak", ["v"], ["w"])],
    });
    expect(() => readOnnx(fileWith(graph, []))).toThrow(/of the domain "pkg.test"/);
    expect(() => readOnnx(fileWith(graph, [endless]))).toThrow(/2 inputs|expected 1 inputs, got 2/);
    const alone = { ...graph, nodes: [calling("Leak", ["x"], ["y"])] };
    expect(() => readOnnx(fileWith(alone, [endless]))).toThrow(/the function "Leak" calls itself/);
  });
});
