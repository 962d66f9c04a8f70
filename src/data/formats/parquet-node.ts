import { installedVersion } from "../../util/peers-node.js";
import { loadPeer } from "../../util/peers.js";
import { StriateError, check } from "../../util/errors.js";
import { fileError } from "../../util/files-node.js";
import { stat } from "node:fs/promises";

/** Bytes of a column that are decoded at once, if the file says where its pages are. */
const AT_ONCE = 2 ** 26;
/** Largest column chunk that is read whole, which files without a page index demand. */
const LARGEST_CHUNK = 2 ** 31 - 1;

/** An opened Parquet file. */
export interface ParquetFile {
  readonly path: string;
  readonly rows: number;
  /** The columns, with the names of the fields of those that are structs. */
  readonly columns: readonly { readonly name: string; readonly fields: readonly string[] }[];
  /** The text of an entry of the file's own metadata, such as "huggingface". */
  metadata(key: string): string | undefined;
  /**
   * Reads the rows of some columns from the first to the last. Bytes stay bytes. Only a part of the rows is in memory:
   * those of one row group, or fewer if the file has a page index.
   */
  read(columns: readonly string[]): AsyncGenerator<Readonly<Record<string, unknown>>, void, undefined>;
}

/**
 * Opens a Parquet file with the package hyparquet, an optional peer. Files that are compressed with anything but Snappy
 * also need hyparquet-compressors.
 *
 * @throws StriateError if the file or a package is absent, or the file is damaged
 */
export async function openParquet(path: string): Promise<ParquetFile> {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } = await loadPeer(
    "hyparquet",
    () => import("hyparquet"),
    () => installedVersion("hyparquet"),
  );
  await stat(path).catch((cause: unknown) => {
    throw fileError("read", path, cause);
  });
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file).catch((cause: unknown) => {
    throw notParquet(path, cause);
  });
  const codecs = new Set(
    metadata.row_groups.flatMap(({ columns }) => columns.map((column) => column.meta_data?.codec)),
  );
  const needsMore = [...codecs].some((codec) => codec !== "SNAPPY" && codec !== "UNCOMPRESSED");
  const compressors = needsMore ? await loadCompressors() : undefined;
  return {
    path,
    rows: Number(metadata.num_rows),
    columns: parquetSchema(metadata).children.map(({ element, children }) => ({
      name: element.name,
      fields: children.map((child) => child.element.name),
    })),
    metadata: (key) => metadata.key_value_metadata?.find((entry) => entry.key === key)?.value,
    async *read(columns) {
      let start = 0;
      for (const group of metadata.row_groups) {
        const rows = Number(group.num_rows);
        const chunks = group.columns.filter(({ meta_data: own }) =>
          columns.includes(own?.path_in_schema[0] ?? ""),
        );
        const sizes = chunks.map(({ meta_data: own }) => Number(own?.total_uncompressed_size ?? 0));
        const indexed = chunks.every((chunk) => chunk.offset_index_offset !== undefined);
        const largest = Math.max(0, ...sizes);
        check(
          indexed || largest <= LARGEST_CHUNK,
          () =>
            `"${path}": expected row groups of at most 2 GB or a page index, got a column of ${largest} bytes in one row group: write the file again with smaller row groups`,
        );
        const parts = indexed ? Math.min(rows, Math.max(1, Math.ceil(largest / AT_ONCE))) : 1;
        for (let part = 0; part < parts; part++) {
          const rowStart = start + Math.floor((rows * part) / parts);
          const rowEnd = start + Math.floor((rows * (part + 1)) / parts);
          const found = await parquetReadObjects({
            file,
            metadata,
            columns: [...columns],
            rowStart,
            rowEnd,
            utf8: false,
            useOffsetIndex: indexed,
            ...(compressors && { compressors }),
          }).catch((cause: unknown) => {
            throw notParquet(path, cause);
          });
          check(
            found.length === rowEnd - rowStart,
            () => `"${path}": expected ${rowEnd - rowStart} rows from row ${rowStart}, got ${found.length}`,
          );
          yield* found;
        }
        start += rows;
      }
    },
  };
}

async function loadCompressors() {
  const { compressors } = await loadPeer(
    "hyparquet-compressors",
    () => import("hyparquet-compressors"),
    () => installedVersion("hyparquet-compressors"),
  );
  return compressors;
}

function notParquet(path: string, cause: unknown): StriateError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new StriateError(`"${path}" is not an intact Parquet file: ${why}`, { cause });
}
