import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseNpy } from "../../src/data/formats/npy.js";
import { readNpy, readNpyHeader } from "../../src/data/formats/npy-node.js";
import { temporaryFolder } from "../support/folders.js";
import { npyBytes } from "../support/npy.js";

function raw(length: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  write(new DataView(bytes.buffer));
  return bytes;
}

describe("NumPy files", () => {
  it.each([
    ["|u1", Uint8Array.of(1, 255), [1, 255]],
    ["|b1", Uint8Array.of(0, 1), [0, 1]],
    ["|i1", Uint8Array.of(1, 255), [1, -1]],
    [
      "<i2",
      raw(4, (v) => {
        v.setInt16(2, -300, true);
      }),
      [0, -300],
    ],
    [
      ">u2",
      raw(4, (v) => {
        v.setUint16(2, 40000);
      }),
      [0, 40000],
    ],
    [
      "<u4",
      raw(8, (v) => {
        v.setUint32(0, 4e9, true);
      }),
      [4e9, 0],
    ],
    [
      ">i4",
      raw(8, (v) => {
        v.setInt32(4, -7);
      }),
      [0, -7],
    ],
    [
      "<i8",
      raw(16, (v) => {
        v.setBigInt64(8, -9n, true);
      }),
      [0, -9],
    ],
    [
      "<u8",
      raw(16, (v) => {
        v.setBigUint64(0, 12n, true);
      }),
      [12, 0],
    ],
    [
      "<f4",
      raw(8, (v) => {
        v.setFloat32(4, 1.5, true);
      }),
      [0, 1.5],
    ],
    [
      ">f8",
      raw(16, (v) => {
        v.setFloat64(0, -2.25);
      }),
      [-2.25, 0],
    ],
  ] as const)("reads %s", (descr, data, expected) => {
    for (const version of [1, 2, 3]) {
      const { shape, data: found } = parseNpy(npyBytes({ descr, shape: "(2,)", version }, data), "x.npy");
      expect(shape).toEqual([2]);
      expect(Array.from(found)).toEqual(expected);
    }
  });

  it("reads shapes of any rank", () => {
    expect(parseNpy(npyBytes({ shape: "()" }, Uint8Array.of(5)), "x")).toEqual({
      shape: [],
      data: Uint8Array.of(5),
    });
    expect(parseNpy(npyBytes({ shape: "(2, 3, 1)" }, new Uint8Array(6)), "x").shape).toEqual([2, 3, 1]);
    expect(parseNpy(npyBytes({ shape: "(0, 3)" }, new Uint8Array(0)), "x").data).toHaveLength(0);
  });

  it.each([
    ["an empty file", new Uint8Array(0), "expected a NumPy file"],
    ["another file", new TextEncoder().encode("PK\u0003\u0004 something else"), "expected a NumPy file"],
    [
      "a later version",
      npyBytes({ shape: "(1,)", version: 9 }, new Uint8Array(1)),
      "expected version 1, 2 or 3 of the NumPy format, got 9",
    ],
    [
      "missing data",
      npyBytes({ shape: "(4, 2)" }, new Uint8Array(7)),
      "truncated: shape 4x2 needs 8 bytes of data, got 7",
    ],
    ["data too many", npyBytes({ shape: "(2,)" }, new Uint8Array(3)), "needs 2 bytes of data, got 1 more"],
    [
      "a cut header",
      npyBytes({ shape: "(1,)" }, new Uint8Array(1)).slice(0, 40),
      "truncated: the header needs",
    ],
    ["pickled objects", npyBytes({ descr: "|O", shape: "(1,)" }, new Uint8Array(8)), 'got element type "|O"'],
    [
      "complex numbers",
      npyBytes({ descr: "<c8", shape: "(1,)" }, new Uint8Array(8)),
      'got element type "<c8"',
    ],
    ["Fortran order", npyBytes({ fortran: true, shape: "(2, 2)" }, new Uint8Array(4)), "Fortran order"],
    ["a strange header", npyBytes({ shape: "[2]" }, new Uint8Array(2)), "expected a NumPy header"],
    ["an absurd shape", npyBytes({ shape: "(99999999, 99999999, 9999)" }, new Uint8Array(2)), "is too large"],
    [
      "64 bits too many",
      npyBytes(
        { descr: "<i8", shape: "(1,)" },
        raw(8, (v) => {
          v.setBigInt64(0, 2n ** 40n, true);
        }),
      ),
      "x.npy: expected 64-bit integers that fit into 32 bits, got 1099511627776",
    ],
  ] as const)("refuses %s", (_what, bytes, message) => {
    expect(() => parseNpy(bytes, "x.npy")).toThrow(message);
    expect(() => parseNpy(bytes, "x.npy")).toThrow("x.npy");
  });

  it("reads some rows of a file, and refuses what is not there", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "rows.npy");
    await writeFile(
      path,
      npyBytes(
        { shape: "(5, 2)" },
        Uint8Array.from({ length: 10 }, (_, i) => i),
      ),
    );
    expect(await readNpyHeader(path)).toMatchObject({ shape: [5, 2], descr: "|u1", itemBytes: 1 });
    expect((await readNpy(path)).data).toHaveLength(10);
    expect(await readNpy(path, { rows: [3, 5] })).toEqual({ shape: [2, 2], data: Uint8Array.of(6, 7, 8, 9) });
    await expect(readNpy(path, { rows: [3, 6] })).rejects.toThrow(
      "rows: expected 0 <= start <= end <= 5, got 3 and 6",
    );
    await expect(readNpy(path, { maxBytes: 9 })).rejects.toThrow("expected at most 9 bytes to read, got 10");
    await writeFile(path, npyBytes({ shape: "(5, 2)" }, new Uint8Array(4)));
    await expect(readNpy(path, { rows: [0, 1] })).rejects.toThrow("truncated");
    await expect(readNpy(join(folder, "none.npy"))).rejects.toThrow("there is no such file");
    await expect(readNpy(folder)).rejects.toThrow("it is a folder");
    await writeFile(path, "x");
    await expect(readNpy(path)).rejects.toThrow("expected a NumPy file, got only 1 bytes");
  });
});
