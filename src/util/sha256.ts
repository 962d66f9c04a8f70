/** Whether digests can be computed here; a page must be served over https or from localhost. */
export function hasDigests(): boolean {
  return (globalThis as { crypto?: { subtle?: SubtleCrypto } }).crypto?.subtle !== undefined;
}

/** SHA-256 of bytes as 64 hexadecimal digits, in browsers and in Node. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
