import { StriateError, check } from "../../util/errors.js";

/** A Python name that a pickle refers to, such as a class. */
export class PickleGlobal {
  /** @param name "module.name" */
  constructor(readonly name: string) {}
}

/**
 * A record of a call that Python would make. Nothing is called: the object holds the function's name, the arguments and
 * what the pickle stored with the result, so that the rest of the pickle can still be read.
 */
export class PickleObject {
  /** The value that Python would assign to the object's attributes, usually a dictionary. */
  state: unknown = undefined;
  /** The items that Python would set, if the object is an instance of a dictionary subclass. */
  readonly entries = new Map<string | number, unknown>();

  /**
   * @param name the name of what Python would call, as "module.name", or "?" if it has no name
   * @param args the arguments of the call
   */
  constructor(
    readonly name: string,
    readonly args: readonly unknown[],
  ) {}
}

/** A Python dictionary. Items whose keys are neither text nor numbers are left out. */
export type PickleMap = Map<string | number, unknown>;

/** Functions that tell the pickle reader how to interpret a pickle. */
export interface PickleReader {
  /**
   * Returns the result of calling `name` with `args`. If it returns `undefined`, the reader makes an inert
   * {@link PickleObject} instead.
   */
  make?(name: string, args: readonly unknown[]): unknown;
  /** Returns the object that is stored outside the pickle under this id. */
  load?(id: unknown): unknown;
}

const MARK = Symbol("mark");

/** Largest size of an integer, in bytes: no file that Striate reads needs larger ones. */
const LARGEST_INTEGER_BYTES = 64;

const DICTIONARIES: ReadonlySet<string> = new Set([
  "collections.OrderedDict",
  "builtins.dict",
  "__builtin__.dict",
]);

/**
 * Reads a Python pickle of protocol 1 to 5 without executing anything. A name becomes a {@link PickleGlobal};
 * a call becomes the result of the reader's `make`, or a {@link PickleObject}. Lists, tuples and sets become
 * arrays, dictionaries become maps, bytes become a Uint8Array, and integers of more than 53 bits become
 * bigints. Time and memory are proportional to the number of bytes.
 *
 * @param at position of the pickle's first byte
 * @param what name of the pickle in errors
 * @returns the value, and the position after the pickle's last byte
 * @throws StriateError for bytes that are cut off or not a pickle, and for content that the reader refuses
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
      else throw new StriateError(`the instruction 0x${code.toString(16)} is unknown`);
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
    check(count <= LARGEST_INTEGER_BYTES, () => `it holds an integer of ${count} bytes, which is too long`);
    const digits = this.raw(count);
    let value = 0n;
    for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i]!);
    return narrowed(BigInt.asIntN(8 * count, value));
  }

  push(value: unknown): void {
    this.stack.push(value);
  }
  pop(): unknown {
    check(
      this.stack.length > 0 && this.stack.at(-1) !== MARK,
      () => "it takes more values than the stack holds",
    );
    return this.stack.pop();
  }
  popMany(count: number): unknown[] {
    const items: unknown[] = [];
    for (let i = 0; i < count; i++) items.push(this.pop());
    return items.reverse();
  }
  popToMark(): unknown[] {
    const mark = this.stack.lastIndexOf(MARK);
    check(mark >= 0, () => "it takes more values than the stack holds");
    return this.stack.splice(mark).slice(1);
  }
  top(): unknown {
    check(
      this.stack.length > 0 && this.stack.at(-1) !== MARK,
      () => "it takes more values than the stack holds",
    );
    return this.stack.at(-1);
  }

  remember(key: number = this.memo.size): void {
    this.memo.set(key, this.top());
  }
  recall(key: number): unknown {
    check(this.memo.has(key), () => "it refers to an object that it has not created");
    return this.memo.get(key);
  }

  append(items: readonly unknown[]): void {
    const list = this.top();
    // The reader does not look into instances of list subclasses.
    if (list instanceof PickleObject) return;
    check(Array.isArray(list), () => "it appends to something that is not a list");
    for (const item of items) list.push(item);
  }
  set(items: readonly unknown[]): void {
    const target = this.top();
    const map = target instanceof PickleObject ? target.entries : target;
    check(map instanceof Map, () => "it sets an item of something that is not a dictionary");
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
    check(reader.load !== undefined, () => "it refers to an object outside the pickle");
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

/**
 * Instructions that push one value onto the stack. Keys are instruction codes, which Python's `pickletools`
 * documents.
 */
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
    check(typeof module === "string" && typeof name === "string", () => "one of its names is not text");
    return new PickleGlobal(`${module}.${name}`);
  },
  // Instructions that call something or create an object
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

/** Instructions that push nothing onto the stack. Keys are instruction codes. */
const ACTIONS: Readonly<Partial<Record<number, (m: Machine) => void>>> = {
  // The protocol number and the frame lengths are not needed.
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
