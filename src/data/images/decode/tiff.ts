/** The tags of a TIFF file's first image that say how its samples are stored. */
export interface TiffTags {
  /** Compression: 1 for none, 7 for JPEG ... */
  readonly compression: number;
  /** Colour space: 2 for RGB, 6 for YCbCr ... */
  readonly photometric: number;
}

const COMPRESSION = 259;
const PHOTOMETRIC = 262;

/**
 * Reads the tags of a TIFF or BigTIFF file. Returns undefined for other files, and if the list of tags is
 * damaged.
 */
export function tiffTags(bytes: Uint8Array): TiffTags | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const order = view.getUint16(0);
    const little = order === 0x4949;
    if (!little && order !== 0x4d4d) return undefined;
    const version = view.getUint16(2, little);
    if (version !== 42 && version !== 43) return undefined;
    const big = version === 43;
    const offset = (at: number) => (big ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little));
    const start = offset(big ? 8 : 4);
    const count = big ? Number(view.getBigUint64(start, little)) : view.getUint16(start, little);
    const [first, size, value] = big ? [start + 8, 20, 12] : [start + 2, 12, 8];
    const tags = new Map<number, number>();
    for (let i = 0; i < count && i < 4096; i++) {
      const at = first + i * size;
      tags.set(view.getUint16(at, little), view.getUint16(at + value, little));
    }
    return { compression: tags.get(COMPRESSION) ?? 1, photometric: tags.get(PHOTOMETRIC) ?? 1 };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
