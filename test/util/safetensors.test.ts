import { existsSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StriateError } from "../../src/util/errors.js";
import { decodeSafetensors, encodeSafetensors, storedToFloat32 } from "../../src/util/safetensors.js";
import type { SafetensorsDtype, StoredTensor } from "../../src/util/safetensors.js";
import { readSafetensors, writeSafetensors } from "../../src/util/safetensors-node.js";
import { temporaryFolder } from "../support/folders.js";

const arrays = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  U16: Uint16Array,
  U32: Uint32Array,
  U64: BigUint64Array,
  BOOL: Uint8Array,
} as const;

const tensor: fc.Arbitrary<StoredTensor> = fc
  .tuple(
    fc.constantFrom(...(Object.keys(arrays) as SafetensorsDtype[])),
    fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
  )
  .map(([dtype, shape, stream]) => {
    const array = arrays[dtype];
    const count = shape.reduce((product, size) => product * size, 1);
    const bytes = Uint8Array.from([...stream.take(count * array.BYTES_PER_ELEMENT)]);
    return { dtype, shape, data: new array(bytes.buffer) };
  });

const name = fc
  .oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "0", "constructor", "a.b"))
  .filter((text) => text !== "__metadata__");
const file = fc.tuple(
  fc.array(fc.tuple(name, tensor), { maxLength: 6 }).map((entries) => new Map(entries)),
  fc.dictionary(
    fc.oneof(fc.string({ unit: "binary" }), fc.constant("__proto__")),
    fc.string({ unit: "binary" }),
  ),
);

const bytesOf = ({ data }: StoredTensor): number[] => [
  ...new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
];

describe("round trip", () => {
  test("tensors of every dtype and metadata come back bit for bit, at any alignment", () => {
    fc.assert(
      fc.property(file, fc.integer({ min: 0, max: 9 }), ([tensors, metadata], offset) => {
        const bytes = encodeSafetensors(tensors, metadata);
        const moved = new Uint8Array(bytes.length + offset).subarray(offset);
        moved.set(bytes);
        const back = decodeSafetensors(moved);
        expect(Object.entries(back.metadata).sort()).toEqual(Object.entries(metadata).sort());
        expect([...back.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
        for (const [key, { dtype, shape, data }] of back.tensors) {
          const original = tensors.get(key)!;
          expect({ dtype, shape, kind: data.constructor }).toEqual({
            dtype: original.dtype,
            shape: original.shape,
            kind: original.data.constructor,
          });
          expect(bytesOf({ dtype, shape, data })).toEqual(bytesOf(original));
        }
      }),
    );
  });

  test("the bytes do not depend on insertion order, and every array lies aligned", () => {
    fc.assert(
      fc.property(file, ([tensors, metadata]) => {
        const bytes = encodeSafetensors(tensors, metadata);
        const shuffled = new Map([...tensors].reverse());
        const reversed = Object.fromEntries(Object.entries(metadata).reverse());
        expect(encodeSafetensors(shuffled, reversed)).toEqual(bytes);
        for (const { data } of decodeSafetensors(bytes).tensors.values()) {
          if (data.length > 0) expect(data.buffer).toBe(bytes.buffer);
        }
      }),
    );
  });

  test("the layout is the format's: little-endian length, header padded to 8 bytes, data", () => {
    const bytes = encodeSafetensors(
      new Map([["w", { dtype: "F32", shape: [2], data: Float32Array.of(1, -2) }]]),
      {
        k: "v",
      },
    );
    const size = bytes.length - 16;
    expect(size % 8).toBe(0);
    expect([...bytes.subarray(0, 8)]).toEqual([size, 0, 0, 0, 0, 0, 0, 0]);
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + size)).trimEnd()).toBe(
      '{"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
    );
    expect([...bytes.subarray(8 + size)]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
  });
});

function raw(header: string | object, dataBytes = 0, claimed?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const info = (begin: unknown, end: unknown, shape: unknown = [1], dtype: unknown = "F32"): object => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe("hostile files give one clear error", () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ["too short for a length", new Uint8Array(5), /truncated: expected at least 8 bytes of header, got 5/],
    [
      "header beyond the file",
      raw("{}", 0, 100n),
      /truncated: its header ends at byte 108, but the file ends at byte 10/,
    ],
    [
      "absurd header length",
      raw("{}", 0, 2n ** 64n - 1n),
      /expected a header of at most 100000000 bytes, it states 18446744073709551615/,
    ],
    ["empty header", raw(""), /does not begin with "\{"/],
    ["header is an array", raw("[]"), /does not begin with "\{"/],
    ["bad JSON", raw("{nonsense"), /not valid JSON/],
    ["bad UTF-8", raw("{}").map((byte, i) => (i === 9 ? 0xff : byte)), /not valid UTF-8/],
    ["duplicate tensor", raw('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{}}'), /"a" twice/],
    ["tensor info no object", raw({ a: 3 }), /"a".*expected an object/],
    [
      "unknown dtype",
      raw({ a: info(0, 4, [1], "F8_E4M3") }, 4),
      /"a".*unknown dtype "F8_E4M3", expected one of F64/,
    ],
    ["inherited dtype name", raw({ a: info(0, 4, [1], "toString") }, 4), /unknown dtype "toString"/],
    ["missing dtype", raw({ a: { shape: [1], data_offsets: [0, 4] } }, 4), /unknown dtype \(missing\)/],
    ["negative size", raw({ a: info(0, 4, [-1]) }, 4), /shape \[-1\]/],
    ["fractional size", raw({ a: info(0, 4, [0.5, 2]) }, 4), /shape \[0.5,2\]/],
    ["negative offset", raw({ a: info(-4, 0) }, 4), /data_offsets \[-4,0\]/],
    ["swapped offsets", raw({ a: info(4, 0) }, 4), /needs 4 bytes, but its data_offsets state -4/],
    ["one offset", raw({ a: { dtype: "F32", shape: [1], data_offsets: [0] } }, 4), /data_offsets \[0\]/],
    ["shape does not fit", raw({ a: info(0, 4, [2]) }, 4), /F32 of shape \[2\] needs 8 bytes.*state 4/],
    ["overflowing shape", raw({ a: info(0, 4, [2 ** 52, 2 ** 52, 2 ** 52]) }, 4), /needs .* bytes/],
    [
      "end beyond the file",
      raw({ a: info(0, 8, [2]) }, 4),
      /ends at byte 8.*at byte 4: the file is truncated/,
    ],
    ["overlap", raw({ a: info(0, 8, [2]), b: info(4, 8) }, 8), /"b".*inside the tensor before it/],
    ["same place twice", raw({ a: info(0, 4), b: info(0, 4) }, 4), /inside the tensor before it/],
    ["gap", raw({ a: info(0, 4), b: info(8, 12) }, 12), /"b".*bytes 4 to 8 belong to no tensor/],
    ["gap at the start", raw({ a: info(4, 8) }, 8), /bytes 0 to 4 belong to no tensor/],
    ["bytes left over", raw({ a: info(0, 4) }, 9), /5 bytes after its last tensor/],
    ["unknown key", raw({ a: { ...info(0, 4), extra: 1 } }, 4), /unknown key "extra"/],
    ["metadata no object", raw({ __metadata__: [] }), /__metadata__ .*not a JSON object/],
    ["metadata no string", raw({ __metadata__: { a: 1 } }), /__metadata__ .*"a" is not a string/],
    ["very deep JSON", raw(`{"a":${"[".repeat(200_000)}`), /not valid JSON/],
  ];
  test.each(cases)("%s", (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, "the file")).toThrow(StriateError);
    expect(() => decodeSafetensors(bytes, "the file")).toThrow(message);
  });

  test("a long name is cut in messages", () => {
    const bytes = raw({ ["x".repeat(10_000)]: 1 });
    expect(() => decodeSafetensors(bytes)).toThrow(/x{80}…/);
  });

  test("deeply nested but valid JSON is refused, not a crash", () => {
    const depth = 100_000;
    expect(() => decodeSafetensors(raw(`{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`))).toThrow(
      StriateError,
    );
    const metadata = `{"__metadata__":{"a":${'{"a":'.repeat(depth)}1${"}".repeat(depth)}}}`;
    expect(() => decodeSafetensors(raw(metadata))).toThrow(StriateError);
  });

  const sample = encodeSafetensors(
    new Map<string, StoredTensor>([
      ["a.weight", { dtype: "F32", shape: [2, 3], data: new Float32Array(6) }],
      ["b", { dtype: "BOOL", shape: [3], data: new Uint8Array(3) }],
      ["none", { dtype: "I64", shape: [0], data: new BigInt64Array(0) }],
    ]),
    { step: "3" },
  );

  test("every truncation is refused", () => {
    for (let length = 0; length < sample.length; length++) {
      expect(() => decodeSafetensors(sample.subarray(0, length))).toThrow(StriateError);
    }
  });

  test("flipped bits give a sound result or a StriateError, nothing else", () => {
    const flips = fc.array(fc.nat({ max: sample.length * 8 - 1 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(flips, (bits) => {
        const bytes = sample.slice();
        for (const bit of bits) bytes[bit >> 3]! ^= 1 << (bit & 7);
        let tensors;
        try {
          ({ tensors } = decodeSafetensors(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(StriateError);
          return;
        }
        for (const { shape, data } of tensors.values()) {
          expect(data).toHaveLength(shape.reduce((product, size) => product * size, 1));
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("random bytes after a plausible length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.string(), (tail, text) => {
        for (const body of [tail, new TextEncoder().encode(`{${text}}`)]) {
          const bytes = new Uint8Array([body.length, 0, 0, 0, 0, 0, 0, 0, ...body]);
          try {
            decodeSafetensors(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(StriateError);
          }
        }
      }),
    );
  });
});

test("the writer refuses arrays that do not fit", () => {
  const write = (key: string, entry: object): (() => unknown) => {
    return () => encodeSafetensors(new Map([[key, entry as StoredTensor]]));
  };
  expect(write("w", { dtype: "F32", shape: [3], data: new Float32Array(2) })).toThrow(
    /"w" of shape \[3\] needs 3 values, got 2/,
  );
  expect(write("w", { dtype: "F32", shape: [2], data: new Float64Array(2) })).toThrow(
    /F32 needs a Float32Array, got Float64Array/,
  );
  expect(write("w", { dtype: "F31", shape: [2], data: new Float64Array(2) })).toThrow(/unknown dtype "F31"/);
  expect(write("w", { dtype: "F32", shape: [-1], data: new Float32Array(0) })).toThrow(/shape \[-1\]/);
  expect(write("__metadata__", { dtype: "F32", shape: [0], data: new Float32Array(0) })).toThrow(
    /reserves that name/,
  );
  expect(write("\ud800", { dtype: "F32", shape: [0], data: new Float32Array(0) })).toThrow(
    /not valid Unicode/,
  );
});

test("floating-point tensors are given as float32", () => {
  const values = (dtype: SafetensorsDtype, data: StoredTensor["data"]): number[] => [
    ...storedToFloat32({ dtype, shape: [data.length], data }),
  ];
  expect(values("F32", Float32Array.of(1.5))).toEqual([1.5]);
  expect(values("F64", Float64Array.of(0.1))).toEqual([Math.fround(0.1)]);
  expect(values("F16", Uint16Array.of(0x3e00))).toEqual([1.5]);
  expect(values("BF16", Uint16Array.of(0x3fc0))).toEqual([1.5]);
  expect(() => values("U16", Uint16Array.of(1))).toThrow(/got U16/);
});

describe("files", () => {
  test("written and read again; errors name the file", async () => {
    const path = join(await temporaryFolder(), "weights.safetensors");
    const tensors = new Map<string, StoredTensor>([
      ["w", { dtype: "I32", shape: [], data: Int32Array.of(7) }],
    ]);
    await writeSafetensors(path, tensors, { a: "b" });
    const back = await readSafetensors(path);
    expect(back.metadata).toEqual({ a: "b" });
    expect(back.tensors.get("w")).toEqual(tensors.get("w"));
    await expect(readSafetensors(path, { maxBytes: 10 })).rejects.toThrow(
      /weights.safetensors" is too large/,
    );
    await writeFile(path, "garbage that is no tensor file");
    await expect(readSafetensors(path)).rejects.toThrow(
      /"[^"]*weights.safetensors" is not a safetensors file/,
    );
  });

  test("files of the reference implementation read, and write to the same tensors", async (context) => {
    const folder = new URL("../../../shared/goldens/komplexnet/", import.meta.url).pathname;
    if (!existsSync(folder)) return context.skip(`no golden files at ../shared/goldens/komplexnet`);
    const names = (await readdir(folder)).filter((entry) => entry.endsWith(".safetensors"));
    expect(names.length).toBeGreaterThan(0);
    for (const entry of names) {
      const { tensors, metadata } = await readSafetensors(join(folder, entry));
      expect(tensors.size, entry).toBeGreaterThan(0);
      const back = decodeSafetensors(encodeSafetensors(tensors, metadata));
      expect(back.metadata).toEqual(metadata);
      expect([...back.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
      for (const [key, value] of tensors) {
        const copy = back.tensors.get(key)!;
        expect([copy.dtype, copy.shape], `${entry} ${key}`).toEqual([value.dtype, value.shape]);
        const left = Buffer.from(copy.data.buffer, copy.data.byteOffset, copy.data.byteLength);
        const right = Buffer.from(value.data.buffer, value.data.byteOffset, value.data.byteLength);
        expect(left.equals(right), `${entry} ${key}`).toBe(true);
      }
    }
  });
});
