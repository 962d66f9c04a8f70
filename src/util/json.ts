import { check, StriateError } from "./errors.js";

/** Any value that does not change when it is written as JSON and read back. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** Whether a value is an object, but not null or an array. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Parses JSON. Throws `StriateError` for invalid JSON, and for a key that occurs twice in one object. A
 * byte-order mark at the start, which editors on Windows write, is ignored. `what` names the text in
 * messages.
 */
export function parseStrictJson(marked: string, what: string): unknown {
  const text = marked.replace(/^\ufeff/, "");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new StriateError(`${what} is not valid JSON: ${shorten(detail)}.`, { cause });
  }
  const twice = findDuplicateKey(text);
  if (twice !== undefined) throw new StriateError(`${what} has the key "${shorten(twice)}" twice.`);
  return value;
}

/** Finds the first key that occurs twice in one object of `text`, which must be valid JSON. */
function findDuplicateKey(text: string): string | undefined {
  // One set of keys for every open object; undefined for an open array.
  const open: (Set<string> | undefined)[] = [];
  let expectKey = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (expectKey && keys !== undefined) {
        const key = JSON.parse(text.slice(at, end)) as string;
        if (keys.has(key)) return key;
        keys.add(key);
      }
      expectKey = false;
      at = end - 1;
    } else if (char === "{") {
      open.push(new Set());
      expectKey = true;
    } else if (char === "[") {
      open.push(undefined);
      expectKey = false;
    } else if (char === "}" || char === "]") {
      open.pop();
      expectKey = false;
    } else if (char === ",") {
      expectKey = open.at(-1) !== undefined;
    }
  }
  return undefined;
}

/** The index after the closing quote of the string that starts at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/**
 * Copies `value` to plain JSON data. Undefined properties are left out. Throws {@link StriateError} with the path of
 * any value that JSON would change or drop (NaN, a function, a Map).
 */
export function toJson(value: unknown, what: string): Json {
  return copyJson(value, what, "", 0);
}

/** Largest depth of nesting. Data that is nested more deeply is malicious or contains itself. */
const maxDepth = 200;

function copyJson(value: unknown, what: string, path: string, depth: number): Json {
  check(
    depth <= maxDepth,
    () => `${what} is nested more than ${maxDepth} levels deep, at "${shorten(path)}".`,
  );
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number" && Number.isFinite(value)) return Object.is(value, -0) ? 0 : value;
  if (Array.isArray(value)) return value.map((item, i) => copyJson(item, what, `${path}[${i}]`, depth + 1));
  if (isJsonObject(value) && isPlain(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(
      entries.map(([key, item]) => [
        key,
        copyJson(item, what, path === "" ? key : `${path}.${key}`, depth + 1),
      ]),
    );
  }
  const kind =
    typeof value === "number" ? value : typeof value === "object" ? value.constructor.name : typeof value;
  throw new StriateError(`${what}: "${path}" is not plain JSON data, but ${kind}.`);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export interface JsonDifference {
  /** Path of the first key that differs, with dots between keys; "" for the whole value. */
  readonly path: string;
  readonly expected: Json | undefined;
  readonly found: Json | undefined;
}

/** The first difference between two JSON values, in the key order of `expected`; undefined if they are equal. */
export function firstDifference(
  expected: Json | undefined,
  found: Json | undefined,
  path = "",
): JsonDifference | undefined {
  if (Object.is(expected, found)) return undefined;
  if (isContainer(expected) && isContainer(found) && Array.isArray(expected) === Array.isArray(found)) {
    const left = new Map<string, Json>(Object.entries(expected));
    const right = new Map<string, Json>(Object.entries(found));
    for (const key of new Set([...left.keys(), ...right.keys()])) {
      const inner = Array.isArray(expected) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
      const difference = firstDifference(left.get(key), right.get(key), inner);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  return { path, expected, found };
}

function isContainer(value: Json | undefined): value is readonly Json[] | JsonObject {
  return typeof value === "object" && value !== null;
}

/** Shortens a text of any length for a message. */
export function shorten(text: string, most = 80): string {
  return text.length <= most ? text : `${text.slice(0, most)}…`;
}
