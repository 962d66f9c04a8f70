import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { AttributeProtoSchema, ModelProtoSchema } from "../../../src/graph/onnx/generated/onnx_pb.js";
import { encodeAttribute } from "../../../src/graph/onnx/write/encode.js";
import { WireMessage } from "../../../src/graph/onnx/write/wire.js";
import { writeOnnx } from "../../../src/graph/onnx/write/write.js";
import { add, constant, input, tensorData } from "../../../src/graph/index.js";

/** What the library for protobuf reads of an attribute. */
function read(value: Parameters<typeof encodeAttribute>[1]) {
  return fromBinary(AttributeProtoSchema, encodeAttribute("a", value, () => "node").encoded());
}

describe("the wire format", () => {
  it.each([0, 1, 127, 128, 300, 2 ** 31, 2 ** 53 - 1, -1, -(2 ** 40)])("whole number %d comes back", (n) => {
    expect(read(n)).toMatchObject({ name: "a", type: 2, i: BigInt(n) });
    expect(read([n, 5, n]).ints).toEqual([BigInt(n), 5n, BigInt(n)]);
  });

  it("numbers, texts and tensors come back", () => {
    expect(read({ float: 0.1 })).toMatchObject({ type: 1, f: Math.fround(0.1) });
    expect(read({ floats: [0.5, -0, Infinity] }).floats).toEqual([0.5, -0, Infinity]);
    expect(new TextDecoder().decode(read("naïve").s)).toBe("naïve");
    expect(read({ strings: ["", "b"] }).strings.map((one) => new TextDecoder().decode(one))).toEqual([
      "",
      "b",
    ]);
    const { t } = read({ tensor: tensorData([1, 2, 3, 4], [2, 2]) });
    expect(t).toMatchObject({ dims: [2n, 2n], dataType: 1 });
    expect(new Float32Array(Uint8Array.from(t!.rawData).buffer)).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  it("long messages keep every byte", () => {
    const long = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
    const message = new WireMessage().bytes(1, long).text(2, "end");
    expect(message.encoded().length).toBe(100_000 + 1 + 3 + 1 + 1 + 3);
    expect(message.encoded().subarray(4, 100_004)).toEqual(long);
  });

  it("a model is read with its axes, metadata and description", () => {
    const x = input("x", ["batch", 3, "length?"]);
    const { bytes } = writeOnnx(
      { y: add(x, constant([1, 2, 3], [3, 1])) },
      { metadata: { key: "value" }, description: "words", name: "net" },
    );
    const model = fromBinary(ModelProtoSchema, bytes);
    expect(model).toMatchObject({ irVersion: 8n, producerName: "striate", docString: "words" });
    expect(model.metadataProps).toMatchObject([{ key: "key", value: "value" }]);
    expect(model.opsetImport).toMatchObject([{ domain: "", version: 18n }]);
    expect(model.graph).toMatchObject({ name: "net", node: [{ opType: "Add", output: ["y"] }] });
    expect(model.graph!.initializer).toMatchObject([{ dims: [3n, 1n], dataType: 1 }]);
    expect(model.graph!.input[0]!.type!.tensorType!.shape!.dim.map((dim) => dim.value)).toEqual([
      { case: "dimParam", value: "batch" },
      { case: "dimValue", value: 3n },
      { case: undefined },
    ]);
  });
});
