import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readPickle } from "../../src/data/formats/pickle.js";
import { readTorchCheckpoint } from "../../src/data/formats/torch-tensor-node.js";
import type { TorchFile } from "../fixtures/torch-files.js";
import { torchFile } from "../fixtures/torch-files.js";

const pathOf = async (name: TorchFile): Promise<string> => {
  const path = join(await mkdtemp(join(tmpdir(), "striate-torch-")), `${name}.pth`);
  await writeFile(path, torchFile(name));
  return path;
};

const W = [0, 1, 2, 3, 4, 5];

describe("Checkpoints of PyTorch", () => {
  it.each(["settings1", "settings", "settings4"] as const)(
    "give their tensors, whatever lies beside them (%s)",
    async (name) => {
      const { tensors, unread } = await readTorchCheckpoint(await pathOf(name));
      expect([...tensors.keys()]).toEqual(["state_dict.module.a.weight", "state_dict.module.a.bias"]);
      expect(tensors.get("state_dict.module.a.weight")).toEqual({
        shape: [2, 3],
        data: Float32Array.from(W),
      });
      expect(tensors.get("state_dict.module.a.bias")).toEqual({ shape: [2], data: Float32Array.of(1, 4) });
      expect(unread.size).toBe(0);
    },
  );

  it("give numbers of 16 bits as float32 and name the tensors that cannot be read", async () => {
    const { tensors, unread } = await readTorchCheckpoint(await pathOf("halves"));
    expect(tensors.get("half")?.data).toEqual(Float32Array.from(W));
    expect([...tensors.get("brain")!.data].map((n) => n.toFixed(4))).toEqual([
      "0.0000",
      "0.3008",
      "0.6016",
      "0.9023",
      "1.2031",
      "1.5000",
    ]);
    expect([...unread]).toEqual([
      ["complex", 'its elements are of the unsupported type "ComplexFloatStorage"'],
    ]);
  });

  it("of whole modules name tensors as state_dict() does", async () => {
    const { tensors } = await readTorchCheckpoint(await pathOf("module"));
    expect([...tensors].map(([name, { shape }]) => `${name} ${shape.join("x")}`)).toEqual([
      "0.weight 2x1x1x1",
      "0.bias 2",
      "1.weight 2",
      "1.bias 2",
      "1.running_mean 2",
      "1.running_var 2",
      "1.num_batches_tracked ",
    ]);
    expect([...tensors.get("0.bias")!.data]).toEqual([3, 4]);
  });

  it("of the old format may hold many tensors", async () => {
    const { tensors, unread } = await readTorchCheckpoint(await pathOf("old"));
    expect([...unread.keys()]).toEqual(["z"]);
    expect(Object.fromEntries([...tensors].map(([name, { data }]) => [name, [...data]]))).toEqual({
      a: W,
      b: [1, 2, 2 ** 31 - 1],
      c: [0, 3, 1, 4, 2, 5],
      d: W,
    });
  });

  it("cannot fill the memory with one number", async () => {
    await expect(readTorchCheckpoint(await pathOf("expanded"))).rejects.toThrow(
      "the shape [8192, 8192] repeats the 1 numbers of its storage too often",
    );
  });

  it("with two tensors of one name are refused", async () => {
    await expect(readTorchCheckpoint(await pathOf("twice"))).rejects.toThrow(
      'two of its tensors are called "a.b"',
    );
  });
});

describe("Pickles", () => {
  const read = (text: string): unknown => readPickle(Buffer.from(text, "latin1"), 0, "it", {}).value;

  it("keep only keys that are text or numbers, without making text of others", () => {
    // Each list holds the one before twice: as text the last would have 2^40 parts.
    const remembered = (i: number) => String.fromCharCode(i);
    const lists = Array.from({ length: 40 }, (_, i) => {
      const before = `h${remembered(i)}`;
      return `(${before}${before}lq${remembered(i + 1)}0`;
    });
    expect(read(`}(K\x01lq\x000${lists.join("")}h${remembered(40)}K\x02s.`)).toEqual(new Map());
    expect(read("}(U\x01aK\x01K\x02K\x03NK\x04u.")).toEqual(
      new Map<string | number, number>([
        ["a", 1],
        [2, 3],
      ]),
    );
  });

  it.each([
    ["K", "it is cut off"],
    ["X\xff\xff\xff\xffabc.", "it is cut off"],
    ["B\xff\xff\xff\x7fabc.", "it is cut off"],
    ["\x8b\xff\xff\xff\x7fabc.", "an integer of 2147483647 bytes"],
    ["(K\x01a.", "it takes more values than the stack holds"],
    ["K\x01K\x02a.", "it appends to something that is not a list"],
    ["h\x07.", "an object that it has not created"],
    ["Iten\n.", "expected an integer"],
    ["\xff.", "the instruction 0xff is unknown"],
    ["NQ.", "it refers to an object outside the pickle"],
  ])("that are damaged or hostile are refused (%j)", (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  it("execute nothing", () => {
    expect(read("cos\nsystem\n(U\x02lstR.")).toMatchObject({ name: "os.system", args: ["ls"] });
    expect(read("\x8c\x02os\x8c\x06system\x93U\x02ls\x85R.")).toMatchObject({ name: "os.system" });
  });

  it("of the old format may not have lists as keys of storages, whose text would never end", async () => {
    const integer = (magic: string) => [0x8a, 10, ...Buffer.from(magic, "hex").reverse(), 0x2e];
    const path = join(await mkdtemp(join(tmpdir(), "striate-torch-")), "keys.pth");
    // A list that holds another one twice, 40 times over
    const nested = [0x5d, ...Array.from({ length: 40 }, () => [0x32, 0x86]).flat()];
    const file = [
      ...integer("1950a86a20f9469cfc6c"),
      0x4b,
      1,
      0x2e,
      0x7d,
      0x2e,
      0x7d,
      0x2e,
      ...nested,
      0x85,
      0x2e,
    ];
    await writeFile(path, Buffer.from([...file, ...Buffer.alloc(8)]));
    await expect(readTorchCheckpoint(path)).rejects.toThrow("expected text or a number, got object");
  });
});
