import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { createHash } from "node:crypto";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { TensorProto } from "../../../src/graph/onnx/generated/onnx_pb.js";
import {
  FunctionProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
} from "../../../src/graph/onnx/generated/onnx_pb.js";
import { loadOnnx, openOnnx, sha256OfModel } from "../../../src/graph/onnx/read/open-node.js";
import { OnnxFile, readOnnx } from "../../../src/graph/onnx/read/read.js";
import { StriateError } from "../../../src/util/errors.js";
import { temporaryFolder } from "../../support/folders.js";
import { floats, modelBytes, node } from "./models.js";

const W = [1, 2, 3];
const B = [0.5, 0.25, 0];

/** y = x w + b, with the values of both in another file, those of `b` behind 16 other bytes. */
const VALUES = new Uint8Array(Float32Array.of(...W, 9, 9, 9, 9, ...B).buffer);

interface Description {
  readonly location?: string;
  readonly offset?: string;
  readonly length?: string;
}

function model(described: Readonly<Record<string, Description>> = {}): Uint8Array {
  const own: Readonly<Record<string, Description>> = {
    w: { location: "net.data", offset: "0", length: "12" },
    b: { location: "net.data", offset: "28" },
    ...described,
  };
  const proto = fromBinary(
    ModelProtoSchema,
    modelBytes({
      nodes: [node("Mul", ["x", "w"], ["scaled"]), node("Add", ["scaled", "b"], ["y"])],
      inputs: [{ name: "x", shape: ["N", 3] }],
      outputs: ["y"],
      initializers: { w: floats(W), b: floats(B) },
    }),
  );
  for (const tensor of proto.graph!.initializer) putOutside(tensor, own[tensor.name]!);
  return toBinary(ModelProtoSchema, proto);
}

function putOutside(tensor: TensorProto, description: Description): void {
  tensor.rawData = new Uint8Array();
  tensor.floatData = [];
  tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
  tensor.externalData = Object.entries(description).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value: value as string }),
  );
}

const parametersOf = ({ parameters }: ReturnType<typeof readOnnx>) =>
  Object.fromEntries([...parameters].map(([name, { data }]) => [name, [...data.data]]));

function refusal(bytes: Uint8Array, values = VALUES): string {
  try {
    readOnnx(bytes, { what: "net.onnx", externalData: new Map([["net.data", values]]) });
  } catch (error) {
    expect(error).toBeInstanceOf(StriateError);
    return (error as Error).message;
  }
  return "accepted";
}

describe("values beside the file", () => {
  it("are found in functions of the file, too", () => {
    const proto = fromBinary(ModelProtoSchema, model());
    const value = node("Constant", [], ["c"], { value: { tensor: floats(W) } });
    putOutside(value.attribute[0]!.t!, { location: "more.data", offset: "0", length: "12" });
    const scaled = node("Mul", ["a", "c"], ["r"]);
    const body = { name: "Scaled", domain: "own", input: ["a"], output: ["r"], node: [value, scaled] };
    proto.functions.push(create(FunctionProtoSchema, body));
    proto.graph!.node.push(
      create(NodeProtoSchema, { opType: "Scaled", domain: "own", input: ["y"], output: ["z"] }),
    );
    proto.graph!.output[0]!.name = "z";
    const file = new OnnxFile(
      toBinary(ModelProtoSchema, proto),
      "net.onnx",
      new Map([
        ["net.data", VALUES],
        ["more.data", new Uint8Array(Float32Array.of(...W).buffer)],
      ]),
    );
    expect(file.locations).toEqual(["net.data", "more.data"]);
    expect(file.read().outputs.z!.shape).toEqual(["N", 3]);
  });

  it("come from whole files by name", () => {
    const read = readOnnx(model(), { externalData: new Map([["net.data", VALUES]]) });
    expect(parametersOf(read)).toEqual({ w: W, b: B });
  });

  it("come from the model's own folder and the folders in it", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "values"));
    await writeFile(join(folder, "net.onnx"), model({ b: { location: "values/b.bin" } }));
    await writeFile(join(folder, "net.data"), VALUES);
    await writeFile(join(folder, "values", "b.bin"), new Uint8Array(Float32Array.of(...B).buffer));
    expect(parametersOf(await loadOnnx(join(folder, "net.onnx")))).toEqual({ w: W, b: B });
  });

  it("are a part of what the model's checksum is of", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "net.onnx");
    await writeFile(path, model());
    await writeFile(join(folder, "net.data"), VALUES);
    const file = await openOnnx(path);
    expect(file.locations).toEqual(["net.data"]);
    const expected = createHash("sha256").update(model()).update(VALUES).digest("hex");
    expect(await sha256OfModel(path, file)).toBe(expected);
  });

  it("are asked for where nobody brings them", () => {
    expect(() => readOnnx(model(), { what: "net.onnx" })).toThrow(
      'net.onnx: initializer "w": its values are in "net.data", beside the model: open the model by its path',
    );
    expect(new OnnxFile(model()).locations).toEqual(["net.data"]);
  });

  it.each([
    [{ w: { location: "other.data" } }, 'its values are in "other.data", which externalData does not have'],
    [{ w: {} }, "its values are in another file, but the model does not name the file"],
    [{ w: { location: "net.data", length: "8" } }, 'expected 12 bytes in "net.data", got 8'],
    [{ w: { location: "net.data", offset: "-4" } }, 'the offset in "net.data" is "-4"'],
    [{ w: { location: "net.data", offset: "1e3" } }, 'the offset in "net.data" is "1e3"'],
    [
      { w: { location: "net.data", offset: "32" } },
      'in "net.data" at bytes 32 to 44, but the file has only 40 bytes',
    ],
  ])("are refused if the model describes them wrongly (%j)", (described, message) => {
    expect(refusal(model(described))).toContain(message);
  });

  it("are never read from outside of the model's folder", async () => {
    const folder = await temporaryFolder();
    const inside = join(folder, "inside");
    await mkdir(inside);
    await writeFile(join(folder, "net.data"), VALUES);
    await symlink(join(folder, "net.data"), join(inside, "link.data"));
    await symlink(folder, join(inside, "up"));
    const path = join(inside, "net.onnx");
    const locations = [
      "../net.data",
      join(folder, "net.data"),
      "link.data",
      "up/net.data",
      "a/../../net.data",
    ];
    for (const location of locations) {
      await writeFile(path, model({ w: { location } }));
      await expect(loadOnnx(path)).rejects.toThrow("files are read only from the model's own folder");
    }
  });

  it("of a missing or shortened file are one clear error", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "net.onnx");
    await writeFile(path, model());
    await expect(loadOnnx(path)).rejects.toThrow(
      /initializer "w": Could not read the values in ".*net\.data"/,
    );
    await writeFile(join(folder, "net.data"), VALUES.subarray(0, 30));
    await expect(loadOnnx(path)).rejects.toThrow(
      "at bytes 28 to 40, but the file has only 30 bytes: it is truncated",
    );
  });
});
