import { checkWhole } from "../../util/check.js";
import { maskedCrc32c } from "../../util/checksums.js";

/** The messages of TensorFlow's `event.proto` and `summary.proto` that a scalar log needs. */
export interface TensorboardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  /** The first record of a file is `{ fileVersion: "brain.Event:2" }`. */
  readonly fileVersion?: string;
  /** Values by tag: `{ "loss/train": 0.25 }`. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** Marks a restart: TensorBoard then drops what other files of the run hold from this step on. */
  readonly restart?: boolean;
}

const wireVarint = 0;
const wireDouble = 1;
const wireBytes = 2;
const wireFloat = 5;

/** One event as protobuf bytes. Throws `StriateError` for a step that is no whole number. */
export function encodeEvent(event: TensorboardEvent): Uint8Array<ArrayBuffer> {
  const { wallTime, step, fileVersion, scalars, restart } = event;
  checkWhole("TensorBoard event: step", step, { from: 0, to: Number.MAX_SAFE_INTEGER });
  const parts = [double(1, wallTime), varintField(2, step)];
  if (fileVersion !== undefined) parts.push(text(3, fileVersion));
  if (scalars !== undefined) {
    const values = Object.entries(scalars).map(([tag, value]) => nested(1, text(1, tag), float(2, value)));
    parts.push(nested(5, ...values));
  }
  // SessionLog.START = 1
  if (restart === true) parts.push(nested(7, varintField(1, 1)));
  return concat(parts);
}

/** One TFRecord: length (8 bytes), its masked CRC-32C (4), the data, its masked CRC-32C (4), all little-endian. */
export function encodeTfRecord(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return record;
}

function tag(field: number, wire: number): Uint8Array<ArrayBuffer> {
  return varint((field << 3) | wire);
}

function varint(value: number): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let rest = value;
  // Not with shifts: a step may exceed 32 bits.
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function varintField(field: number, value: number): Uint8Array<ArrayBuffer> {
  return concat([tag(field, wireVarint), varint(value)]);
}

function double(field: number, value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return concat([tag(field, wireDouble), bytes]);
}

function float(field: number, value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return concat([tag(field, wireFloat), bytes]);
}

function text(field: number, value: string): Uint8Array<ArrayBuffer> {
  return nested(field, new TextEncoder().encode(value));
}

function nested(field: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = concat(parts);
  return concat([tag(field, wireBytes), varint(body.length), body]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
