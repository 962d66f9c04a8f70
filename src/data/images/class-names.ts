import { StriateError, check } from "../../util/errors.js";
import { isJsonObject, parseStrictJson, shorten } from "../../util/json.js";
import { closest } from "../../util/suggest.js";
import { IMAGENET_ROWS } from "./imagenet-classes.js";

/** The names of a class. */
export interface ClassName {
  /** The class's name, or several names separated by commas: "tench, Tinca tinca". */
  readonly name: string;
  /** The class's WordNet id, such as "n01440764". */
  readonly synset?: string;
}

/** The names of a network's classes in the order of its outputs. */
export interface ClassOrder {
  /** Source of the names for error messages, such as the name of a file. */
  readonly from: string;
  readonly classes: readonly ClassName[];
}

/** The 1000 classes of ImageNet's classification task, in the order of the outputs of nearly all published networks. */
export const IMAGENET_CLASSES: readonly ClassName[] = IMAGENET_ROWS.trim()
  .split(/;\s+/)
  .map((row) => ({ synset: row.slice(0, 9), name: row.slice(10) }));

/** Class 0 of networks with 1001 outputs, such as TensorFlow's networks for ImageNet. */
const BACKGROUND: ClassName = { name: "background" };

const SYNSET = /^n\d{8}$/;

/**
 * Reads the names of a network's classes, in the order of its outputs. A text file has one class per line: a
 * name, a WordNet id, or an id followed by names ("n01440764 tench, Tinca tinca"). Lines may be numbered from
 * 0 or 1. The number stands before the names, or after them and then separated by a comma, semicolon or tab;
 * numbered lines may be in any order. A JSON file is a list of names (or of objects with a "name" and
 * optionally an "id" or "index"), an object with numbers as keys ({"0": ["n01440764", "tench"], ...}), or an
 * object with names as keys ({"tench": 0, ...}).
 *
 * @throws StriateError for text in any other format, for gaps in the numbers, and for an empty line between
 * other lines
 */
export function parseClassNames(text: string, what: string): ClassName[] {
  const content = text.replace(/^\ufeff/, "").trim();
  check(content !== "", () => `${what}: expected names of classes, found none`);
  return /^[[{]/.test(content)
    ? namesFromJson(parseStrictJson(content, what), what)
    : namesFromLines(content.split(/\r?\n/), what);
}

function namesFromLines(lines: readonly string[], what: string): ClassName[] {
  const empty = lines.findIndex((line) => line.trim() === "");
  check(
    empty < 0,
    () =>
      `${what}: expected a class in every line, got an empty line ${empty + 1}: all later classes would have the wrong number`,
  );
  const texts = byStatedNumbers(lines, what);
  return texts.map((line) => {
    const [head = "", ...rest] = line.trim().split(/[\s,]+/);
    if (!SYNSET.test(head)) return { name: line.trim() };
    return {
      synset: head,
      name:
        rest.length === 0
          ? head
          : line
              .trim()
              .slice(head.length + 1)
              .trim(),
    };
  });
}

/**
 * Sorts the names by the numbers in their lines; leaves them in the order of the lines if these have no
 * numbers.
 */
function byStatedNumbers(lines: readonly string[], what: string): readonly string[] {
  for (const form of [
    /^\s*(?<number>\d+)\s*[:,;\t]\s*(?<name>\S.*)$/,
    /^(?<name>.*\S)\s*[,;\t]\s*(?<number>\d+)\s*$/,
  ]) {
    const found = numberedBy(lines, form);
    if (found !== undefined) return inNumberOrder(found, what);
  }
  // A number and a space may belong to the name: "3 cats".
  const found = numberedBy(lines, /^\s*(?<number>\d+)\s+(?<name>\S.*)$/);
  return found !== undefined && areConsecutive(found.map(([number]) => number))
    ? inNumberOrder(found, what)
    : lines;
}

type Numbered<T> = readonly (readonly [number: number, entry: T])[];

/** The numbers and names in lines that all have the given form; undefined if any line has another form. */
function numberedBy(lines: readonly string[], form: RegExp): Numbered<string> | undefined {
  const found = lines.map((line) => form.exec(line)?.groups);
  if (!found.every((groups) => groups !== undefined)) return undefined;
  return found.map(({ number, name }) => [Number(number), name!] as const);
}

/** Whether the numbers are 0, 1, 2, ... or 1, 2, 3, ..., in any order. */
function areConsecutive(numbers: readonly number[]): boolean {
  const sorted = [...numbers].sort((a, b) => a - b);
  const first = sorted[0];
  return (first === 0 || first === 1) && sorted.every((number, i) => number === first + i);
}

/** Sorts entries by their numbers. Throws {@link StriateError} if numbers are missing or repeated. */
function inNumberOrder<T>(numbered: Numbered<T>, what: string): T[] {
  const numbers = numbered.map(([number]) => number);
  check(
    areConsecutive(numbers),
    () =>
      `${what}: expected consecutive numbers from 0 or 1, each once, got ${shorten(numbers.join(", "), 40)}`,
  );
  return [...numbered].sort(([a], [b]) => a - b).map(([, entry]) => entry);
}

const NUMBER_KEYS = ["id", "index", "label", "number", "class_id", "output"] as const;

/** The number that an entry of a JSON list contains; undefined if it has none. */
function statedNumber(entry: unknown): number | undefined {
  const stated = Array.isArray(entry)
    ? (entry as readonly unknown[]).find(
        (part) => typeof part === "number" || (typeof part === "string" && /^\d+$/.test(part)),
      )
    : isJsonObject(entry)
      ? NUMBER_KEYS.map((key) => entry[key]).find((value) => value !== undefined)
      : undefined;
  const isNumber = typeof stated === "number" || (typeof stated === "string" && /^\d+$/.test(stated));
  return isNumber ? Number(stated) : undefined;
}

/** Reads names from a JSON list of names, or of entries with numbers. */
function namesFromList(list: readonly unknown[], what: string): ClassName[] {
  const numbers = list.map(statedNumber);
  if (numbers.every((number) => number === undefined))
    return list.map((entry, i) => nameFromJson(entry, `${what}: entry ${i}`));
  const numbered = list.map((entry, i) => {
    const where = `${what}: entry ${i}`;
    const number = numbers[i];
    check(number !== undefined, () => `${where}: expected a number, as in other entries, got none`);
    const name = Array.isArray(entry)
      ? (entry as readonly unknown[]).find((part) => typeof part === "string" && !/^\d+$/.test(part))
      : entry;
    return [number, nameFromJson(name, where)] as const;
  });
  return inNumberOrder(numbered, what);
}

function namesFromJson(content: unknown, what: string): ClassName[] {
  if (Array.isArray(content)) return namesFromList(content, what);
  check(isJsonObject(content), () => `${what}: expected a list of names or an object, got ${typeof content}`);
  const entries = Object.entries(content);
  const byNumber = entries.every(([key]) => /^\d+$/.test(key));
  const pairs = byNumber
    ? entries.map(([key, entry]) => [Number(key), nameFromJson(entry, `${what}: class ${key}`)] as const)
    : entries.map(([key, place]) => {
        check(
          typeof place === "number" && Number.isInteger(place),
          () => `${what}: "${shorten(key)}": expected the number of its output, got ${JSON.stringify(place)}`,
        );
        return [place, named(key)] as const;
      });
  const places = new Map(pairs);
  return Array.from({ length: pairs.length }, (_, i) => {
    const name = places.get(i);
    check(
      name,
      () => `${what}: expected the numbers 0 to ${pairs.length - 1}, but no class has the number ${i}`,
    );
    return name;
  });
}

function nameFromJson(entry: unknown, where: string): ClassName {
  if (typeof entry === "string") return named(entry);
  if (Array.isArray(entry) && entry.length === 2 && entry.every((part) => typeof part === "string")) {
    const [synset, name] = entry as [string, string];
    return { synset, name };
  }
  check(
    isJsonObject(entry) && typeof entry.name === "string",
    () => `${where}: expected a name, [id, name] or {"name": ...}, got ${shorten(JSON.stringify(entry))}`,
  );
  const synset = entry.wnid ?? entry.synset;
  return { name: entry.name, ...(typeof synset === "string" && { synset }) };
}

function named(name: string): ClassName {
  return SYNSET.test(name) ? { name, synset: name } : { name };
}

const plain = (name: string): string => name.trim().toLowerCase().replaceAll(/[_-]+/g, " ");

/**
 * For each class of a data set, its position in a network's class order. Classes are matched by WordNet id or
 * by name, ignoring case, hyphens and underscores.
 *
 * @throws StriateError for a class that the network does not have, or a name that several of the network's classes
 * share.
 */
export function placesOf(classes: readonly ClassName[], order: ClassOrder, what: string): number[] {
  const places = new Map<string, number[]>();
  for (const [place, one] of order.classes.entries())
    for (const key of keysOf(one)) places.set(key, [...(places.get(key) ?? []), place]);
  return classes.map(({ name, synset }) => {
    const found = (synset === undefined ? undefined : places.get(plain(synset))) ?? places.get(plain(name));
    if (found === undefined) {
      const near = closest(plain(name), [...places.keys()]);
      throw new StriateError(
        `${what}: "${name}" is none of the ${order.classes.length} classes (${someNames(order.classes)}) of ${order.from}` +
          (near === undefined ? "" : ` (did you mean ${near}?)`),
      );
    }
    const [place, other] = found as [number, number | undefined];
    check(
      other === undefined,
      () =>
        `${what}: "${name}" is the name of both output ${place} and output ${other!} of ${order.from}: use WordNet ids`,
    );
    return place;
  });
}

/** All names and ids of a class, in the form in which they are compared. */
function keysOf({ name, synset }: ClassName): ReadonlySet<string> {
  return new Set([name, ...name.split(","), synset ?? name].map(plain));
}

/**
 * Whether two lists name the same classes in the same order: the two classes at each position share a name or an id.
 */
export function sameOrder(a: readonly ClassName[], b: readonly ClassName[]): boolean {
  return (
    a.length === b.length &&
    a.every((one, i) => {
      const others = keysOf(b[i]!);
      return [...keysOf(one)].some((key) => others.has(key));
    })
  );
}

/** The first four names of a list, for error messages. */
export function someNames(classes: readonly ClassName[]): string {
  const shown = classes.slice(0, 4).map(({ name }) => name);
  return [...shown, ...(classes.length > shown.length ? ["..."] : [])].join(", ");
}

/**
 * ImageNet's class order if the data set's classes are WordNet ids from ImageNet and the network has
 * ImageNet's number of outputs: 1000, or 1001 if the first is a background class. Otherwise undefined.
 */
export function imageNetOrder(
  classes: readonly ClassName[],
  outputs: number | undefined,
): ClassOrder | undefined {
  const known = new Set(IMAGENET_CLASSES.map(({ synset }) => synset));
  if ((outputs !== 1000 && outputs !== 1001) || classes.length === 0 || classes.length === outputs)
    return undefined;
  if (!classes.every(({ name, synset = name }) => known.has(synset))) return undefined;
  return namedOrder("imagenet", outputs);
}

/**
 * The built-in class order of this name. The only such name is "imagenet"; the result is undefined for other
 * names.
 */
export function namedOrder(name: string, outputs?: number): ClassOrder | undefined {
  if (name !== "imagenet") return undefined;
  return outputs === 1001
    ? { from: "ImageNet with a background class first", classes: [BACKGROUND, ...IMAGENET_CLASSES] }
    : { from: "ImageNet", classes: IMAGENET_CLASSES };
}
