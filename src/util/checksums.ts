/*
 * SHA-256, and reflected cyclic redundancy checks of 32 bits. The latter use tables that process four bytes
 * at a time (Kounavis & Berry 2005).
 */

type Tables = readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array];

/**
 * Builds the four tables. Table k holds, for each byte, the checksum of this byte followed by k zero bytes.
 */
function tablesOf(polynomial: number): Tables {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    return crc;
  });
  const further = (before: Uint32Array) => before.map((crc) => (crc >>> 8) ^ first[crc & 0xff]!);
  const second = further(first);
  const third = further(second);
  return [first, second, third, further(third)];
}

/** The Castagnoli polynomial 0x1EDC6F41 (RFC 3720, section 12.1). */
const castagnoli = /* @__PURE__ */ tablesOf(0x82f63b78);
/** The polynomial 0x04C11DB7 of ZIP, gzip and PNG. */
const ieee = /* @__PURE__ */ tablesOf(0xedb88320);

function check(bytes: Uint8Array, [t0, t1, t2, t3]: Tables, before: number): number {
  let crc = ~before;
  let i = 0;
  for (const end = bytes.length - 3; i < end; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc = t3[crc & 0xff]! ^ t2[(crc >>> 8) & 0xff]! ^ t1[(crc >>> 16) & 0xff]! ^ t0[crc >>> 24]!;
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}

/** CRC-32 as in ZIP, unsigned. `before` is the checksum of the preceding bytes, if there are any. */
export function crc32(bytes: Uint8Array, before = 0): number {
  return check(bytes, ieee, before);
}

/** CRC-32C (Castagnoli), unsigned. */
export function crc32c(bytes: Uint8Array): number {
  return check(bytes, castagnoli, 0);
}

/**
 * The masked CRC-32C of TFRecord files: the checksum rotated right by 15 bits, plus a constant, modulo 2^32.
 */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/**
 * Whether SHA-256 can be computed here. In a browser, the page must be served over https or from localhost.
 */
export function hasDigests(): boolean {
  return (globalThis as { crypto?: { subtle?: SubtleCrypto } }).crypto?.subtle !== undefined;
}

/** SHA-256 of bytes as 64 hexadecimal digits, in browsers and in Node. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
