import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openTensorboardWriter } from "../../src/train/run/tensorboard-node.js";
import { encodeEvent, encodeTfRecord } from "../../src/train/run/tensorboard.js";
import { crc32c } from "../../src/util/checksums.js";
import { temporaryFolder } from "../support/folders.js";

test("CRC-32C of the vectors of RFC 3720, appendix B.4, and of the usual check string", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
});

/** Undoes the mask and compares; the mask's constant is that of the TFRecord description. */
function expectCrc(masked: number, data: Uint8Array): void {
  const rotated = (masked - 0xa282ead8) >>> 0;
  expect(((rotated >>> 17) | (rotated << 15)) >>> 0).toBe(crc32c(data));
}

function readRecords(bytes: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length;) {
    const length = Number(view.getBigUint64(at, true));
    expectCrc(view.getUint32(at + 8, true), bytes.subarray(at, at + 8));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(data).toHaveLength(length);
    expectCrc(view.getUint32(at + 12 + length, true), data);
    records.push(data);
    at += 16 + length;
  }
  return records;
}

type Fields = Map<number, (number | Uint8Array)[]>;

/** A protobuf message by field number: varints and floats as numbers, the rest as bytes. */
function readMessage(bytes: Uint8Array): Fields {
  const fields: Fields = new Map();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const wire = key & 7;
    let value: number | Uint8Array;
    if (wire === 0) value = varint();
    else if (wire === 1) value = view.getFloat64((at += 8) - 8, true);
    else if (wire === 5) value = view.getFloat32((at += 4) - 4, true);
    else if (wire === 2) {
      const length = varint();
      value = bytes.subarray(at, (at += length));
    } else throw new Error(`wire type ${wire}`);
    const field = key >> 3;
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}

const text = (value: unknown): string => new TextDecoder().decode(value as Uint8Array);

interface Decoded {
  wallTime: unknown;
  step: unknown;
  version?: string;
  scalars?: [string, unknown][];
  restart?: unknown;
}

function readEvent(bytes: Uint8Array): Decoded {
  const event = readMessage(bytes);
  const [summary] = event.get(5) ?? [];
  const [version] = event.get(3) ?? [];
  const [session] = event.get(7) ?? [];
  const values = summary === undefined ? [] : (readMessage(summary as Uint8Array).get(1) ?? []);
  const scalars = values.map((value): [string, unknown] => {
    const fields = readMessage(value as Uint8Array);
    return [text(fields.get(1)?.[0]), fields.get(2)?.[0]];
  });
  return {
    wallTime: event.get(1)?.[0],
    step: event.get(2)?.[0],
    ...(version === undefined ? {} : { version: text(version) }),
    ...(scalars.length === 0 ? {} : { scalars }),
    ...(session === undefined ? {} : { restart: readMessage(session as Uint8Array).get(1)?.[0] }),
  };
}

test("what is written reads back: version, then scalars with step and time", async () => {
  const folder = join(await temporaryFolder(), "tensorboard");
  let now = 1_700_000_000_500;
  const writer = await openTensorboardWriter(folder, { now: () => now });
  now += 1000;
  writer.scalars(1, { "loss/train": 0.5, "Genauigkeit ü": -2 });
  writer.scalars(5_000_000_000, { loss: NaN });
  writer.scalars(7, { best: Infinity });
  writer.close();
  expect(await readdir(folder)).toEqual([
    expect.stringMatching(/^events\.out\.tfevents\.1700000000\..+\.\d+\.0$/),
  ]);
  const events = readRecords(await readFile(writer.path)).map(readEvent);
  expect(events).toEqual([
    { wallTime: 1_700_000_000.5, step: 0, version: "brain.Event:2" },
    {
      wallTime: 1_700_000_001.5,
      step: 1,
      scalars: [
        ["loss/train", 0.5],
        ["Genauigkeit ü", -2],
      ],
    },
    { wallTime: 1_700_000_001.5, step: 5_000_000_000, scalars: [["loss", NaN]] },
    { wallTime: 1_700_000_001.5, step: 7, scalars: [["best", Infinity]] },
  ]);
});

test("a resume begins a new file that sorts after the old one and marks the restart", async () => {
  const folder = await temporaryFolder();
  const now = (): number => 1_700_000_000_000;
  const first = await openTensorboardWriter(folder, { now });
  first.scalars(9, { loss: 1 });
  first.close();
  const before = await readFile(first.path);
  const second = await openTensorboardWriter(folder, { now, resumeStep: 5 });
  second.scalars(6, { loss: 2 });
  second.close();
  expect(second.path > first.path).toBe(true);
  expect(await readFile(first.path)).toEqual(before);
  expect(readRecords(await readFile(second.path)).map(readEvent)).toEqual([
    { wallTime: 1_700_000_000, step: 0, version: "brain.Event:2" },
    { wallTime: 1_700_000_000, step: 6, restart: 1 },
    { wallTime: 1_700_000_000, step: 6, scalars: [["loss", 2]] },
  ]);
});

test("the bytes of one record, worked out by hand from the descriptions of the formats", () => {
  // 1: double 1.0; 2: varint 300; 5: { 1: { 1: "a", 2: float 0.5 } }
  const event = [9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 16, 0xac, 2, 42, 10, 10, 8, 10, 1, 97, 21, 0, 0, 0, 0x3f];
  expect([...encodeEvent({ wallTime: 1, step: 300, scalars: { a: 0.5 } })]).toEqual(event);
  expect(encodeTfRecord(Uint8Array.from(event))).toHaveLength(event.length + 16);
  expect(() => encodeEvent({ wallTime: 1, step: -1 })).toThrow(
    /step: expected a whole number from 0 .*, got -1/,
  );
});
