import { StriateError, check } from "../../util/errors.js";

/** A Python name that a pickle refers to, such as a class. */
export class PickleGlobal {
  /** @param name "module.name" */
  constructor(readonly name: string) {}
}

/**
 * What Python would make by calling something. Nothing is called: the object says what was asked for and what was
 * stored with it, and everything else in the pickle is read as if it were not there.
 */
export class PickleObject {
  /** What Python would set as the object's attributes: mostly a dictionary. */
  state: unknown = undefined;
  /** Items that Python would set, if the object is a dictionary of a class of its own. */
  readonly entries = new Map<string | number, unknown>();

  /**
   * @param name what Python would call, "module.name"; "?" for what has no name
   * @param args what with
   */
  constructor(
    readonly name: string,
    readonly args: readonly unknown[],
  ) {}
}

/** A Python dictionary. Items whose keys are neither text nor numbers are left out. */
export type PickleMap = Map<string | number, unknown>;

/** Functions with which a reader interprets a pickle. */
export interface PickleReader {
  /** What a call of a name gives; `undefined` for an inert {@link PickleObject}. */
  make?(name: string, args: readonly unknown[]): unknown;
  /** What lies outside of the pickle under an id. */
  load?(id: unknown): unknown;
}

const MARK = Symbol("mark");

/** Longer integers are refused: nothing that Striate reads has any. */
const LARGEST_INTEGER_BYTES = 64;

const DICTIONARIES: ReadonlySet<string> = new Set([
  "collections.OrderedDict",
  "builtins.dict",
  "__builtin__.dict",
]);

/**
 * Reads a Python pickle of any protocol from 1 to 5 without executing anything: a name stays a {@link PickleGlobal}, a
 * call becomes what `make` of the reader gives or a {@link PickleObject}. Lists, tuples and sets become arrays,
 * dictionaries become maps, bytes a Uint8Array, integers of more than 53 bits a bigint. Time and memory grow with the
 * number of bytes alone.
 *
 * @param at where the pickle begins
 * @param what names the pickle in errors
 * @returns the value, and where the pickle ends
 * @throws StriateError for bytes that are cut off or are no pickle, and for what the reader refuses
 */
export function readPickle(
  bytes: Uint8Array,
  at: number,
  what: string,
  reader: PickleReader,
): { readonly value: unknown; readonly end: number } {
  const machine = new Machine(bytes, at, reader);
  try {
    return { value: machine.run(), end: machine.at };
  } catch (cause) {
    if (!(cause instanceof StriateError)) throw cause;
    throw new StriateError(`"${what}" cannot be read as a pickle: ${cause.message}`, { cause });
  }
}

class Machine {
  private readonly view: DataView;
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();

  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
    private readonly reader: PickleReader,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): unknown {
    for (;;) {
      const code = this.u8();
      if (code === 0x2e) return this.pop();
      const value = VALUES[code];
      const action = ACTIONS[code];
      if (value) this.push(value(this));
      else if (action) action(this);
      else throw new StriateError(`its instruction 0x${code.toString(16)} is not known`);
    }
  }

  take(count: number): number {
    check(this.at + count <= this.bytes.length, () => "it is cut off");
    this.at += count;
    return this.at - count;
  }

  u8(): number {
    return this.bytes[this.take(1)]!;
  }
  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }
  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }
  i32(): number {
    return this.view.getInt32(this.take(4), true);
  }
  u64(): number {
    return Number(this.view.getBigUint64(this.take(8), true));
  }
  f64(): number {
    return this.view.getFloat64(this.take(8));
  }
  raw(count: number): Uint8Array {
    const from = this.take(count);
    return this.bytes.subarray(from, this.at);
  }
  text(count: number): string {
    return new TextDecoder().decode(this.raw(count));
  }
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    check(end >= 0, () => "it is cut off");
    const found = this.text(end - this.at);
    this.at = end + 1;
    return found;
  }
  integer(count: number): number | bigint {
    check(count <= LARGEST_INTEGER_BYTES, () => `it holds an integer of ${count} bytes`);
    const digits = this.raw(count);
    let value = 0n;
    for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i]!);
    return narrowed(BigInt.asIntN(8 * count, value));
  }

  push(value: unknown): void {
    this.stack.push(value);
  }
  pop(): unknown {
    check(this.stack.length > 0 && this.stack.at(-1) !== MARK, () => "it takes more than there is");
    return this.stack.pop();
  }
  popMany(count: number): unknown[] {
    const items: unknown[] = [];
    for (let i = 0; i < count; i++) items.push(this.pop());
    return items.reverse();
  }
  popToMark(): unknown[] {
    const mark = this.stack.lastIndexOf(MARK);
    check(mark >= 0, () => "it takes more than there is");
    return this.stack.splice(mark).slice(1);
  }
  top(): unknown {
    check(this.stack.length > 0 && this.stack.at(-1) !== MARK, () => "it takes more than there is");
    return this.stack.at(-1);
  }

  remember(key: number = this.memo.size): void {
    this.memo.set(key, this.top());
  }
  recall(key: number): unknown {
    check(this.memo.has(key), () => "it refers to something that it has not made");
    return this.memo.get(key);
  }

  append(items: readonly unknown[]): void {
    const list = this.top();
    // Lists of a class of its own are not looked into.
    if (list instanceof PickleObject) return;
    check(Array.isArray(list), () => "it appends to something that is no list");
    for (const item of items) list.push(item);
  }
  set(items: readonly unknown[]): void {
    const target = this.top();
    const map = target instanceof PickleObject ? target.entries : target;
    check(map instanceof Map, () => "it sets an item of something that is no dictionary");
    this.setAll(map as PickleMap, items);
  }
  setAll(map: PickleMap, items: readonly unknown[]): PickleMap {
    for (let i = 0; i + 1 < items.length; i += 2) {
      const key = items[i];
      if (typeof key === "string" || typeof key === "number") map.set(key, items[i + 1]);
    }
    return map;
  }
  call(callee?: unknown, args?: unknown): unknown {
    const list: readonly unknown[] = Array.isArray(args) ? (args as unknown[]) : [args];
    const name = callee instanceof PickleGlobal ? callee.name : "?";
    if (DICTIONARIES.has(name)) return new Map();
    return this.reader.make?.(name, list) ?? new PickleObject(name, list);
  }
  build(state: unknown): void {
    const target = this.top();
    if (target instanceof PickleObject) target.state = state;
  }
  load(id: unknown): unknown {
    const { reader } = this;
    check(reader.load !== undefined, () => "it refers to something outside of it");
    return reader.load(id);
  }
}

function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function decimal(line: string): number | bigint | boolean {
  if (line === "00" || line === "01") return line === "01";
  const digits = line.replace(/L$/, "");
  check(/^-?\d{1,150}$/.test(digits), () => `expected an integer, got ${JSON.stringify(line.slice(0, 40))}`);
  return narrowed(BigInt(digits));
}

/** Instructions that put one value on the stack, by their byte: Python's `pickletools` describes them. */
const VALUES: Readonly<Partial<Record<number, (m: Machine) => unknown>>> = {
  [at("N")]: () => null,
  [0x88]: () => true,
  [0x89]: () => false,
  [at("I")]: (m) => decimal(m.line()),
  [at("L")]: (m) => decimal(m.line()),
  [at("K")]: (m) => m.u8(),
  [at("M")]: (m) => m.u16(),
  [at("J")]: (m) => m.i32(),
  [0x8a]: (m) => m.integer(m.u8()),
  [0x8b]: (m) => m.integer(m.u32()),
  [at("F")]: (m) => Number(m.line()),
  [at("G")]: (m) => m.f64(),
  [at("U")]: (m) => m.text(m.u8()),
  [at("T")]: (m) => m.text(m.u32()),
  [0x8c]: (m) => m.text(m.u8()),
  [at("X")]: (m) => m.text(m.u32()),
  [0x8d]: (m) => m.text(m.u64()),
  [at("C")]: (m) => m.raw(m.u8()),
  [at("B")]: (m) => m.raw(m.u32()),
  [0x8e]: (m) => m.raw(m.u64()),
  [0x96]: (m) => m.raw(m.u64()),
  [at("(")]: () => MARK,
  [at("]")]: () => [],
  [at(")")]: () => [],
  [0x8f]: () => [],
  [at("}")]: () => new Map(),
  [at("l")]: (m) => m.popToMark(),
  [at("t")]: (m) => m.popToMark(),
  [0x91]: (m) => m.popToMark(),
  [0x85]: (m) => m.popMany(1),
  [0x86]: (m) => m.popMany(2),
  [0x87]: (m) => m.popMany(3),
  [at("2")]: (m) => m.top(),
  [at("c")]: (m) => new PickleGlobal(`${m.line()}.${m.line()}`),
  [at("d")]: (m) => m.setAll(new Map(), m.popToMark()),
  [at("g")]: (m) => m.recall(Number(m.line())),
  [at("h")]: (m) => m.recall(m.u8()),
  [at("j")]: (m) => m.recall(m.u32()),
  [0x93]: (m) => {
    const [module, name] = m.popMany(2);
    check(typeof module === "string" && typeof name === "string", () => "a name of it is no text");
    return new PickleGlobal(`${module}.${name}`);
  },
  // Ways to call something, and to make an object
  [at("R")]: (m) => m.call(...m.popMany(2)),
  [0x81]: (m) => m.call(...m.popMany(2)),
  [0x92]: (m) => m.call(...m.popMany(3)),
  [at("o")]: (m) => {
    const [callee, ...args] = m.popToMark();
    return m.call(callee, args);
  },
  [at("i")]: (m) => m.call(new PickleGlobal(`${m.line()}.${m.line()}`), m.popToMark()),
  [at("Q")]: (m) => m.load(m.pop()),
};

/** Instructions that put nothing on the stack. */
const ACTIONS: Readonly<Partial<Record<number, (m: Machine) => void>>> = {
  // The protocol and the lengths of parts say nothing that is needed.
  [0x80]: (m) => {
    m.u8();
  },
  [0x95]: (m) => {
    m.u64();
  },
  [at("a")]: (m) => {
    m.append([m.pop()]);
  },
  [at("e")]: (m) => {
    m.append(m.popToMark());
  },
  [0x90]: (m) => {
    m.append(m.popToMark());
  },
  [at("s")]: (m) => {
    m.set(m.popMany(2));
  },
  [at("u")]: (m) => {
    m.set(m.popToMark());
  },
  [at("b")]: (m) => {
    m.build(m.pop());
  },
  [at("0")]: (m) => {
    m.pop();
  },
  [at("1")]: (m) => {
    m.popToMark();
  },
  [at("p")]: (m) => {
    m.remember(Number(m.line()));
  },
  [at("q")]: (m) => {
    m.remember(m.u8());
  },
  [at("r")]: (m) => {
    m.remember(m.u32());
  },
  [0x94]: (m) => {
    m.remember();
  },
};

function at(character: string): number {
  return character.charCodeAt(0);
}
