export interface NpyParts {
  readonly descr?: string;
  readonly fortran?: boolean;
  readonly shape: string;
  readonly version?: number;
}

/** The bytes of a NumPy file, put together by the format's description. */
export function npyBytes(
  { descr = "|u1", fortran = false, shape, version = 1 }: NpyParts,
  data: Uint8Array,
): Uint8Array {
  const dictionary = `{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': ${shape}, }`;
  const start = version === 1 ? 10 : 12;
  const text = `${dictionary.padEnd(Math.ceil((start + dictionary.length + 1) / 64) * 64 - start - 1)}\n`;
  const bytes = new Uint8Array(start + text.length + data.length);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, text.length, true);
  else view.setUint32(8, text.length, true);
  bytes.set(new TextEncoder().encode(text), start);
  bytes.set(data, start + text.length);
  return bytes;
}
