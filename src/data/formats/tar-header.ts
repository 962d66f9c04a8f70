import { check } from "../../util/errors.js";

/** Size of a header and of the blocks to which contents are filled up, in bytes. */
export const TAR_BLOCK = 512;

/** The text of a field of a header, up to its first byte 0. */
export function tarText(header: Uint8Array, start: number, length: number): string {
  const bytes = header.subarray(start, start + length);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** The name of a file in its own header: the prefix of ustar, if there is one, and the name. */
export function tarName(header: Uint8Array): string {
  return [tarText(header, 345, 155), tarText(header, 0, 100)].filter((part) => part !== "").join("/");
}

/** Whether a header is that of a regular file. */
export function isTarFile(header: Uint8Array): boolean {
  return header[156] === 0x30 || header[156] === 0;
}

/**
 * The size of a file's contents in bytes.
 *
 * @param what the archive in an error
 * @throws StriateError for a size that is no octal number
 */
export function tarSize(header: Uint8Array, what: string): number {
  const digits = tarText(header, 124, 12).trim();
  check(/^[0-7]+$/.test(digits), () => `${what}: expected an octal file size, got "${digits}"`);
  return Number.parseInt(digits, 8);
}

/** The size of contents that are filled up to whole blocks, in bytes. */
export function tarPadded(size: number): number {
  return Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}
