import { StriateError, check } from "../../util/errors.js";
import { isJsonObject, parseStrictJson, shorten } from "../../util/json.js";
import { closest } from "../../util/suggest.js";
import { IMAGENET_ROWS } from "./imagenet-classes.js";

/** What a class is called. */
export interface ClassName {
  /** Names with commas between them where it has several: "tench, Tinca tinca". */
  readonly name: string;
  /** Its WordNet id, such as "n01440764". */
  readonly synset?: string;
}

/** Names of a network's classes in the order of its outputs. */
export interface ClassOrder {
  /** Where they come from, for messages: a file's name. */
  readonly from: string;
  readonly classes: readonly ClassName[];
}

/** The classes of ImageNet's classification task in the order that nearly all published networks have. */
export const IMAGENET_CLASSES: readonly ClassName[] = IMAGENET_ROWS.trim()
  .split(/;\s+/)
  .map((row) => ({ synset: row.slice(0, 9), name: row.slice(10) }));

/** Class 0 of networks with 1001 outputs, as TensorFlow's for ImageNet. */
const BACKGROUND: ClassName = { name: "background" };

const SYNSET = /^n\d{8}$/;

/**
 * Reads names of classes in the order of a network's outputs. Text has one class a line: a name, a WordNet id, or an id and
 * names ("n01440764 tench, Tinca tinca"), with or without numbers from 0 or 1 before the names, or after them behind a comma,
 * semicolon or tab; lines with numbers may stand in any order. JSON is a list of names (or of objects with a name, and perhaps
 * an "id" or "index"), an object of names by number ({"0": ["n01440764", "tench"], ...}), or one of numbers by name
 * ({"tench": 0, ...}).
 *
 * @throws StriateError for text that is none of these, gaps in the numbers, and an empty line among others
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
  check(empty < 0, () => `${what}: line ${empty + 1} is empty: names after it would count one too far`);
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

/** Names in the order of the numbers beside them, or as they come if there are none. */
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

/** Numbers and names of lines that all have a form; undefined if not all do. */
function numberedBy(lines: readonly string[], form: RegExp): Numbered<string> | undefined {
  const found = lines.map((line) => form.exec(line)?.groups);
  if (!found.every((groups) => groups !== undefined)) return undefined;
  return found.map(({ number, name }) => [Number(number), name!] as const);
}

/** Whether numbers are all from 0, or from 1, in any order. */
function areConsecutive(numbers: readonly number[]): boolean {
  const sorted = [...numbers].sort((a, b) => a - b);
  const first = sorted[0];
  return (first === 0 || first === 1) && sorted.every((number, i) => number === first + i);
}

/** Entries in the order of their numbers. Throws {@link StriateError} for numbers with gaps, or twice the same. */
function inNumberOrder<T>(numbered: Numbered<T>, what: string): T[] {
  const numbers = numbered.map(([number]) => number);
  check(
    areConsecutive(numbers),
    () =>
      `${what}: its entries have numbers (${shorten(numbers.join(", "), 40)}), expected each from 0 or from 1 on once`,
  );
  return [...numbered].sort(([a], [b]) => a - b).map(([, entry]) => entry);
}

const NUMBER_KEYS = ["id", "index", "label", "number", "class_id", "output"] as const;

/** The number that an entry of a JSON list states; undefined if it states none. */
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

/** A JSON list of names, or of entries that state their numbers. */
function namesFromList(list: readonly unknown[], what: string): ClassName[] {
  const numbers = list.map(statedNumber);
  if (numbers.every((number) => number === undefined))
    return list.map((entry, i) => nameFromJson(entry, `${what}: entry ${i}`));
  const numbered = list.map((entry, i) => {
    const where = `${what}: entry ${i}`;
    const number = numbers[i];
    check(number !== undefined, () => `${where} has no number, others have one`);
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
    check(name, () => `${what}: ${pairs.length} classes, but none has the number ${i}`);
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
 * The place of each of a data set's classes in a network's order, by WordNet id or by name (case, hyphens and underscores
 * aside).
 *
 * @throws StriateError for a class that is not in it, or a name that several classes in it share.
 */
export function placesOf(own: readonly ClassName[], order: ClassOrder, what: string): number[] {
  const places = new Map<string, number[]>();
  for (const [place, one] of order.classes.entries())
    for (const key of keysOf(one)) places.set(key, [...(places.get(key) ?? []), place]);
  return own.map(({ name, synset }) => {
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
        `${what}: "${name}" is the name of outputs ${place} and ${other!} of ${order.from}: use their ids`,
    );
    return place;
  });
}

/** Everything that a class may be called. */
function keysOf({ name, synset }: ClassName): ReadonlySet<string> {
  return new Set([name, ...name.split(","), synset ?? name].map(plain));
}

/** Whether two lists name the same classes in the same order: each pair has a name or an id in common. */
export function sameOrder(a: readonly ClassName[], b: readonly ClassName[]): boolean {
  return (
    a.length === b.length &&
    a.every((one, i) => {
      const others = keysOf(b[i]!);
      return [...keysOf(one)].some((key) => others.has(key));
    })
  );
}

/** The first four names of a list. */
export function someNames(classes: readonly ClassName[]): string {
  const shown = classes.slice(0, 4).map(({ name }) => name);
  return [...shown, ...(classes.length > shown.length ? ["..."] : [])].join(", ");
}

/**
 * ImageNet's order for a data set whose classes are WordNet ids, if the network has as many outputs: 1000, or 1001 with a
 * background class first. Undefined for anything else.
 */
export function imageNetOrder(
  own: readonly ClassName[],
  outputs: number | undefined,
): ClassOrder | undefined {
  const known = new Set(IMAGENET_CLASSES.map(({ synset }) => synset));
  if ((outputs !== 1000 && outputs !== 1001) || own.length === 0 || own.length === outputs) return undefined;
  if (!own.every(({ name, synset = name }) => known.has(synset))) return undefined;
  return namedOrder("imagenet", outputs);
}

/** The order that comes with Striate under a name: "imagenet". Undefined for other names. */
export function namedOrder(name: string, outputs?: number): ClassOrder | undefined {
  if (name !== "imagenet") return undefined;
  return outputs === 1001
    ? { from: "ImageNet with a background class first", classes: [BACKGROUND, ...IMAGENET_CLASSES] }
    : { from: "ImageNet", classes: IMAGENET_CLASSES };
}
