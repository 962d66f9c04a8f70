import { dirname } from "node:path";
import { StriateError, check } from "../../../util/errors.js";
import { readFileChecked } from "../../../util/files-node.js";
import { diskTree } from "./image-folder-node.js";
import type { ClassOptions } from "./image-folder.js";
import { filesSource, labelsFor } from "./image-folder.js";
import type { ImageSource } from "../image-source.js";

const LARGEST = 2 ** 30;
/** Names of the columns, in the order in which they are looked for. */
const FILES = ["file", "filename", "file_name", "path", "image"];
const LABELS = ["label", "class", "category"];
const PARTS = ["split", "part", "subset"];

interface Row {
  readonly file: string;
  readonly label: string;
  readonly part: string | undefined;
}

/** The parts that the column "split" of a list names; empty if there is no such column. */
export async function csvParts(path: string): Promise<string[]> {
  return [...new Set((await rowsOf(path)).flatMap(({ part }) => (part === undefined ? [] : [part])))];
}

/**
 * Reads labelled images from a list: a CSV file with a header and the columns "file" (or "filename", "path", "image"),
 * "label" (or "class") and, if the list has parts, "split". Files are relative to the folder of the list. A label is a
 * name; the classes are all names of the list, in alphabetical order, or in numerical order if all are numbers.
 *
 * @param part the value of the column "split". Default: all rows
 * @throws StriateError for a list without these columns, rows of another length, files outside the folder, and a part
 * that no row has
 */
export async function csvImages(
  path: string,
  part: string | undefined,
  options: ClassOptions = {},
): Promise<ImageSource> {
  const rows = await rowsOf(path);
  const own = part === undefined ? rows : rows.filter((row) => row.part === part);
  check(
    own.length > 0,
    () => `"${path}": expected rows${part === undefined ? "" : ` of the part "${part}"`}, found none`,
  );
  const names = [...new Set(rows.map(({ label }) => label))];
  const isNumeric = names.every((name) => /^\d+$/.test(name));
  names.sort((a, b) => (isNumeric ? Number(a) - Number(b) : a < b ? -1 : 1));
  const { classes, places, labelling } = labelsFor(
    names.map((name) => ({ name })),
    options,
    `"${path}"`,
    { own: "labels of the list, in alphabetical order" },
  );
  const placeOf = new Map(names.map((name, i) => [name, places[i]!]));
  const source = filesSource(
    diskTree,
    dirname(path),
    own.map(({ file }) => file),
    own.map(({ label }) => placeOf.get(label)!),
    classes,
  );
  return { ...source, name: part === undefined ? path : `${path} (${part})`, labelling };
}

async function rowsOf(path: string): Promise<Row[]> {
  const bytes = await readFileChecked(path, { what: "list of images", maxBytes: LARGEST });
  const [header = [], ...rows] = parseCsv(new TextDecoder().decode(bytes), path);
  const names = header.map((name) => name.trim().toLowerCase());
  const column = (known: readonly string[], needed: boolean): number => {
    const found = known.map((name) => names.indexOf(name)).find((at) => at >= 0);
    check(
      found !== undefined || !needed,
      () =>
        `"${path}": expected a column ${known[0]!} in its first line, got ${names.join(", ") || "nothing"}`,
    );
    return found ?? -1;
  };
  const [file, label, part] = [column(FILES, true), column(LABELS, true), column(PARTS, false)];
  return rows.map((row, i) => {
    check(
      row.length === header.length,
      () => `"${path}", row ${i + 1}: expected ${header.length} columns, got ${row.length}`,
    );
    const name = row[file]!;
    check(
      name !== "" && !name.split(/[/\\]/).includes("..") && !/^([/\\]|[A-Za-z]:)/.test(name),
      () => `"${path}", row ${i + 1}: expected a file inside the folder of the list, got "${name}"`,
    );
    check(row[label] !== "", () => `"${path}", row ${i + 1}: expected a label for "${name}", got none`);
    return { file: name, label: row[label]!, part: part < 0 ? undefined : row[part]! };
  });
}

/** The rows of a CSV text (RFC 4180). Empty lines are left out. */
export function parseCsv(text: string, path: string): string[][] {
  const rows: string[][] = [];
  let [row, field, at] = [[] as string[], "", 0];
  const endField = (): void => {
    row.push(field);
    field = "";
  };
  const endRow = (): void => {
    endField();
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  const source = text.replace(/^\uFEFF/, "");
  while (at < source.length) {
    const letter = source[at]!;
    if (letter === '"' && field === "") {
      let end = at + 1;
      for (; ; end++) {
        if (end >= source.length)
          throw new StriateError(`"${path}", row ${rows.length + 1}: a quotation mark is not closed`);
        if (source[end] !== '"') continue;
        if (source[end + 1] !== '"') break;
        end++;
      }
      field = source.slice(at + 1, end).replaceAll('""', '"');
      at = end + 1;
    } else if (letter === ",") {
      endField();
      at++;
    } else if (letter === "\n" || letter === "\r") {
      endRow();
      at += source.startsWith("\r\n", at) ? 2 : 1;
    } else {
      field += letter;
      at++;
    }
  }
  if (field !== "" || row.length > 0) endRow();
  return rows;
}
