import { Random } from "../../../src/util/random.js";

/** A damaged copy of a file, and in words what was damaged. */
export interface Mutation {
  readonly bytes: Uint8Array;
  readonly what: string;
}

/** Numbers at and beyond the ends of what a length field may say. */
const EXTREMES = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  2n ** 24n,
  2n ** 30n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 40n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
] as const;

/** What may stand in a text in the place of a number. */
const NUMBERS = [
  "0",
  "-1",
  "1e999",
  "NaN",
  "4294967296",
  "9007199254740993",
  "99999999999999999999",
  "0.5",
  "",
];

/** Bytes at either end of a file that are damaged as often as all the others together: headers and directories. */
const EDGE = 256;

/**
 * Damages a file in one to three places. The same seed and number give the same damage to the same file.
 *
 * @param number number of the mutation, any whole number
 */
export function mutate(original: Uint8Array, seed: number, number: number): Mutation {
  const random = Random.derive(seed, "mutation", number);
  const times = [1, 1, 1, 2, 3][random.integer(0, 5)]!;
  let bytes: Uint8Array = original.slice();
  const said: string[] = [];
  for (let i = 0; i < times && bytes.length > 0; i++) {
    const damage = DAMAGES[random.integer(0, DAMAGES.length)]!;
    const damaged = damage(bytes, random);
    bytes = damaged.bytes;
    said.push(damaged.what);
  }
  return { bytes, what: said.join("; ") };
}

type Damage = (bytes: Uint8Array, random: Random) => Mutation;

const DAMAGES: readonly Damage[] = [
  flip,
  flip,
  overwrite,
  overwrite,
  cut,
  repeat,
  zero,
  length,
  length,
  number,
];

function place(bytes: Uint8Array, random: Random): number {
  const side = random.integer(0, 4);
  const edge = Math.min(EDGE, bytes.length);
  if (side === 0) return random.integer(0, edge);
  if (side === 1) return bytes.length - 1 - random.integer(0, edge);
  return random.integer(0, bytes.length);
}

function flip(bytes: Uint8Array, random: Random): Mutation {
  const at = place(bytes, random);
  const bit = random.integer(0, 8);
  bytes[at]! ^= 1 << bit;
  return { bytes, what: `bit ${bit} of byte ${at} flipped` };
}

function overwrite(bytes: Uint8Array, random: Random): Mutation {
  const at = place(bytes, random);
  const end = Math.min(bytes.length, at + random.integer(1, 9));
  for (let i = at; i < end; i++) bytes[i] = random.integer(0, 256);
  return { bytes, what: `bytes ${at} to ${end - 1} overwritten` };
}

function cut(bytes: Uint8Array, random: Random): Mutation {
  const at = place(bytes, random);
  return { bytes: bytes.subarray(0, at), what: `cut off at byte ${at}` };
}

function repeat(bytes: Uint8Array, random: Random): Mutation {
  const from = place(bytes, random);
  const end = Math.min(bytes.length, from + random.integer(1, 129));
  const at = place(bytes, random);
  const joined = Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, end), bytes.subarray(at)]);
  return { bytes: joined, what: `bytes ${from} to ${end - 1} repeated at byte ${at}` };
}

function zero(bytes: Uint8Array, random: Random): Mutation {
  const at = place(bytes, random);
  const end = Math.min(bytes.length, at + random.integer(1, 65));
  bytes.fill(0, at, end);
  return { bytes, what: `bytes ${at} to ${end - 1} zeroed` };
}

/** Puts an extreme number where a length may stand: one whose value now is not larger than the file. */
function length(bytes: Uint8Array, random: Random): Mutation {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const widths = ([1, 2, 4, 8] as const).filter((width) => width <= bytes.length);
  const width = widths[random.integer(0, widths.length)]!;
  const little = random.integer(0, 2) === 1;
  let at = 0;
  for (let tries = 0; tries < 16; tries++) {
    at = Math.min(place(bytes, random), bytes.length - width);
    const now = numberAt(view, at, width, little);
    if (now > 0n && now <= BigInt(bytes.length)) break;
  }
  const near = numberAt(view, at, width, little) + [-1n, 1n][random.integer(0, 2)]!;
  const value = random.integer(0, 5) === 0 ? near : EXTREMES[random.integer(0, EXTREMES.length)]!;
  const wrapped = BigInt.asUintN(8 * width, value);
  if (width === 1) view.setUint8(at, Number(wrapped));
  else if (width === 2) view.setUint16(at, Number(wrapped), little);
  else if (width === 4) view.setUint32(at, Number(wrapped), little);
  else view.setBigUint64(at, wrapped, little);
  return { bytes, what: `${width} bytes at ${at} set to ${wrapped}` };
}

function numberAt(view: DataView, at: number, width: 1 | 2 | 4 | 8, little: boolean): bigint {
  if (width === 1) return BigInt(view.getUint8(at));
  if (width === 2) return BigInt(view.getUint16(at, little));
  return width === 4 ? BigInt(view.getUint32(at, little)) : view.getBigUint64(at, little);
}

/** Puts another number in the place of one that is written as text; flips a bit if there is none. */
function number(bytes: Uint8Array, random: Random): Mutation {
  const text = Buffer.from(bytes).toString("latin1");
  const found = [...text.matchAll(/\d+/g)];
  if (found.length === 0) return flip(bytes, random);
  const { index, 0: old } = found[random.integer(0, found.length)]!;
  const other = NUMBERS[random.integer(0, NUMBERS.length)]!;
  const changed = text.slice(0, index) + other + text.slice(index + old.length);
  return {
    bytes: Buffer.from(changed, "latin1"),
    what: `the text ${old} at byte ${index} set to "${other}"`,
  };
}
