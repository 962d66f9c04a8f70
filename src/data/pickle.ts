import { StriateError, check } from "../util/errors.js";

/** A Python name that a pickle refers to. */
export interface PickleGlobal {
  readonly global: true;
  /** "module.name" */
  readonly name: string;
}

/** Whether a value of a pickle is a Python name. */
export function isPickleGlobal(value: unknown): value is PickleGlobal {
  return typeof value === "object" && value !== null && "global" in value;
}

const MARK = Symbol("mark");
const LARGEST = 2 ** 24;

/**
 * Reads a Python pickle of protocol 2 made of numbers, text, lists, tuples and dictionaries. It executes nothing: names stay
 * names, a call of one becomes what `make` gives for it, a persistent id what `load` gives. Tuples and lists become arrays.
 *
 * @param at where the pickle begins; `end` of the result is where it ends
 * @throws StriateError for bytes that are cut off, are no such pickle, or ask for what `make` and `load` refuse.
 */
export function readPickle(
  bytes: Uint8Array,
  at: number,
  what: string,
  make: (global: PickleGlobal, args: readonly unknown[]) => unknown,
  load: (id: unknown) => unknown,
): { readonly value: unknown; readonly end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: unknown[] = [];
  const memo = new Map<number, unknown>();
  const take = (count: number): number => {
    check(count <= LARGEST && at + count <= bytes.length, () => "it is cut off");
    at += count;
    return at - count;
  };
  const text = (length: number) => new TextDecoder().decode(bytes.subarray(take(length), at));
  const line = (): string => {
    const end = bytes.indexOf(0x0a, at);
    check(end >= 0, () => "it is cut off");
    const found = text(end - at);
    at = end + 1;
    return found;
  };
  const pop = (): unknown => {
    check(stack.length > 0, () => "it takes more than there is");
    return stack.pop();
  };
  const popToMark = (): unknown[] => {
    const mark = stack.lastIndexOf(MARK);
    check(mark >= 0, () => "it takes more than there is");
    const items = stack.splice(mark).slice(1);
    return items;
  };
  const top = (): unknown => stack.at(-1);
  const append = (items: readonly unknown[]): void => {
    const list = top();
    check(Array.isArray(list), () => "it appends to something that is no list");
    list.push(...items);
  };
  const set = (items: readonly unknown[]): void => {
    const target = top();
    check(typeof target === "object" && target !== null, () => "it sets an item of something else");
    for (let i = 0; i + 1 < items.length; i += 2)
      (target as Record<string, unknown>)[String(items[i])] = items[i + 1];
  };
  const step = (code: number): void => {
    switch (String.fromCharCode(code)) {
      case "\x80": // PROTO
        take(1);
        return;
      case "(":
        stack.push(MARK);
        return;
      case "}":
        stack.push(Object.create(null));
        return;
      case "]":
      case ")":
        stack.push([]);
        return;
      case "N":
        stack.push(null);
        return;
      case "\x88":
        stack.push(true);
        return;
      case "\x89":
        stack.push(false);
        return;
      case "K":
        stack.push(bytes[take(1)]!);
        return;
      case "M":
        stack.push(view.getUint16(take(2), true));
        return;
      case "J":
        stack.push(view.getInt32(take(4), true));
        return;
      case "G":
        stack.push(view.getFloat64(take(8)));
        return;
      case "\x8a": {
        const length = bytes[take(1)]!;
        const from = take(length);
        let value = 0n;
        for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[from + i]!);
        if (length > 0 && bytes[from + length - 1]! >= 0x80) value -= 1n << BigInt(8 * length);
        stack.push(length <= 6 ? Number(value) : value);
        return;
      }
      case "X":
        stack.push(text(view.getUint32(take(4), true)));
        return;
      case "U":
        stack.push(text(bytes[take(1)]!));
        return;
      case "c":
        stack.push({ global: true, name: `${line()}.${line()}` } satisfies PickleGlobal);
        return;
      case "q":
        memo.set(bytes[take(1)]!, top());
        return;
      case "r":
        memo.set(view.getUint32(take(4), true), top());
        return;
      case "h":
        stack.push(memo.get(bytes[take(1)]!));
        return;
      case "j":
        stack.push(memo.get(view.getUint32(take(4), true)));
        return;
      case "t":
        stack.push(popToMark());
        return;
      case "\x85":
      case "\x86":
      case "\x87": {
        const length = code - 0x84;
        check(stack.length >= length, () => "it takes more than there is");
        stack.push(stack.splice(-length));
        return;
      }
      case "a":
        append([pop()]);
        return;
      case "e":
        append(popToMark());
        return;
      case "s":
        set([pop(), pop()].reverse());
        return;
      case "u":
        set(popToMark());
        return;
      case "b": // BUILD: attributes of an object, such as the versions in a state dictionary; not looked at
        pop();
        return;
      case "Q":
        stack.push(load(pop()));
        return;
      case "R": {
        const [args, global] = [pop(), pop()];
        check(isPickleGlobal(global) && Array.isArray(args), () => "it calls something that is no name");
        stack.push(make(global, args));
        return;
      }
      default:
        throw new StriateError(`its instruction 0x${code.toString(16)} is not known`);
    }
  };
  try {
    for (;;) {
      const code = bytes[take(1)]!;
      if (code === 0x2e) return { value: pop(), end: at };
      step(code);
    }
  } catch (cause) {
    if (!(cause instanceof StriateError)) throw cause;
    throw new StriateError(`"${what}" cannot be read as a pickle: ${cause.message}`, { cause });
  }
}
