import { open } from "node:fs/promises";
import { basename } from "node:path";
import { StriateError, check } from "../../util/errors.js";
import { fileError, readFileChecked } from "../../util/files-node.js";
import { bfloat16ToFloat32 } from "../../util/half.js";
import type { DataArray } from "../dataset.js";
import { npyElements } from "./npy.js";
import type { PickleReader } from "./pickle.js";
import { PickleGlobal, PickleObject, readPickle } from "./pickle.js";
import { openZip } from "./zip-node.js";

/** A tensor from a PyTorch file, in row-major order. Half-precision and bfloat16 numbers become float32. */
export interface TorchTensor {
  readonly shape: readonly number[];
  readonly data: DataArray;
}

/** The contents of a PyTorch file. */
export interface TorchCheckpoint {
  /**
   * Tensors by name. A name consists of the dictionary keys and attribute names on the path to the tensor,
   * joined by dots.
   */
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  /**
   * For each tensor of an unsupported kind, such as a sparse or complex one: its name, and why it was not
   * read.
   */
  readonly unread: ReadonlyMap<string, string>;
}

interface ElementType {
  /** NumPy's code for the type, without the byte order. */
  readonly descr: string;
  readonly bytes: number;
  readonly brain?: true;
}

const type = (descr: string): ElementType => ({ descr, bytes: Number(descr.slice(1)) });
const BFLOAT16: ElementType = { descr: "u2", bytes: 2, brain: true };

/** Element types, both by the class of a typed storage and by PyTorch's name of the type. */
const ELEMENTS: Readonly<Record<string, ElementType>> = {
  ByteStorage: type("u1"),
  BoolStorage: type("b1"),
  CharStorage: type("i1"),
  ShortStorage: type("i2"),
  IntStorage: type("i4"),
  LongStorage: type("i8"),
  HalfStorage: type("f2"),
  BFloat16Storage: BFLOAT16,
  FloatStorage: type("f4"),
  DoubleStorage: type("f8"),
  uint8: type("u1"),
  bool: type("b1"),
  int8: type("i1"),
  int16: type("i2"),
  int32: type("i4"),
  int64: type("i8"),
  uint16: type("u2"),
  uint32: type("u4"),
  float16: type("f2"),
  bfloat16: BFLOAT16,
  float32: type("f4"),
  float64: type("f8"),
};

/** A storage: numbers that lie in the file one after another. */
class Storage {
  constructor(
    readonly key: string,
    /** Class of the storage, such as "FloatStorage"; "UntypedStorage" if it holds plain bytes. */
    readonly kind: string,
    /** Number of elements. */
    readonly length: number,
  ) {}
}

/** A tensor's description in the file, before its numbers are read. */
class Description {
  constructor(
    readonly storage: Storage,
    readonly type: string,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** Returns the bytes of a storage. */
type Numbers = (storage: Storage) => Uint8Array | Promise<Uint8Array>;

interface Contents {
  readonly value: unknown;
  readonly numbers: Numbers;
  /** Byte order of the numbers: "<" for little-endian, ">" for big-endian. */
  readonly order: string;
  /** Size of the file in bytes. */
  readonly size: number;
}

const LARGEST = 2 ** 31;
const LARGEST_STORAGE = 2 ** 32;

/**
 * A file may repeat numbers (by strides of zero). All copies together may have at most `COPIES` elements per
 * byte of the file, plus a constant.
 */
const COPIES = 4;
const COPIES_OF_SMALL_FILES = 2 ** 20;

/**
 * PyTorch compresses nothing. The storages of a file that somebody compressed may have at most this many times its
 * size, plus a constant.
 */
const UNPACKED = 16;
const UNPACKED_OF_SMALL_FILES = 2 ** 24;

/**
 * Limits on the number of visited objects, the depth of nesting and the length of names. They are needed
 * because one part of a file may occur inside many others.
 */
const VISITS_OF_SHARED_PARTS = 200_000;
const DEEPEST = 500;
const LONGEST_NAME = 10_000;

/**
 * Reads the tensor in a file that `torch.save(tensor, path)` wrote, in the present (ZIP) or the old format. Nothing in
 * the file is executed.
 *
 * @throws StriateError for a file that is missing, damaged, cut off, or that holds anything but one tensor of booleans,
 * integers, or floats of 16, 32 or 64 bits.
 */
export async function readTorchTensor(path: string): Promise<TorchTensor> {
  const contents = await openTorchFile(path);
  check(contents.value instanceof Description, () => {
    const what = contents.value instanceof PickleObject ? `a "${contents.value.name}"` : "something else";
    return `"${path}": expected one tensor, got ${what}`;
  });
  return new TensorReader(contents, path).read(contents.value);
}

/**
 * Reads all tensors of a checkpoint that `torch.save` wrote: those of state dictionaries, which may be nested
 * in other dictionaries, lists or objects, and those of whole modules, with the names that `state_dict()`
 * would give them. The tensors in the state of an optimizer are among them. If the file holds one tensor and
 * nothing else, the name of this tensor is "". Other content (settings, NumPy arrays) is ignored; nothing is
 * executed.
 *
 * @throws StriateError for a file that is missing, damaged or not a PyTorch file, and for two tensors with the same
 * name
 * @example
 * ```ts
 * import { readTorchCheckpoint } from "striate/node";
 *
 * const { tensors } = await readTorchCheckpoint("checkpoint.pth");
 * console.log(tensors.get("state_dict.conv1.weight")?.shape);
 * ```
 */
export async function readTorchCheckpoint(path: string): Promise<TorchCheckpoint> {
  const contents = await openTorchFile(path);
  const reader = new TensorReader(contents, path);
  const tensors = new Map<string, TorchTensor>();
  const unread = new Map<string, string>();
  for (const [name, item] of described(contents, path)) {
    if (item instanceof PickleObject) {
      unread.set(name, `made by "${item.name}"`);
      continue;
    }
    const found = await reader.read(item).catch((cause: unknown) => {
      if (!(cause instanceof UnreadNumbers)) throw cause;
      unread.set(name, cause.message);
    });
    if (found) tensors.set(name, found);
  }
  return { tensors, unread };
}

/**
 * Collects all tensors by name, including the objects from which PyTorch would build tensors of unsupported
 * kinds.
 */
function described({ value, size }: Contents, path: string): Map<string, Description | PickleObject> {
  const found = new Map<string, Description | PickleObject>();
  const around = new Set<unknown>();
  // If no parts are shared, there are fewer visits than bytes in the file.
  let visits = size + VISITS_OF_SHARED_PARTS;
  const visit = (item: unknown, name: string): void => {
    check(visits-- > 0, () => `"${path}": its dictionaries refer to one another too often`);
    if (item instanceof Description || isOtherTensor(item)) {
      check(
        name.length <= LONGEST_NAME,
        () => `"${path}": one of its tensors has a name of ${name.length} letters`,
      );
      check(!found.has(name), () => `"${path}": two of its tensors are called "${name}"`);
      found.set(name, item);
      return;
    }
    if (typeof item !== "object" || item === null || around.has(item)) return;
    const entries = entriesOf(item);
    if (!entries) return;
    check(around.size < DEEPEST, () => `"${path}": its dictionaries are nested too deeply`);
    around.add(item);
    for (const [key, inner] of entries) visit(inner, name === "" ? String(key) : `${name}.${key}`);
    around.delete(item);
  };
  visit(value, "");
  return found;
}

const isOtherTensor = (item: unknown): item is PickleObject =>
  item instanceof PickleObject && item.name.startsWith("torch._utils._rebuild_");

function entriesOf(item: object): Iterable<readonly [string | number, unknown]> | undefined {
  if (item instanceof Map) return item as Map<string | number, unknown>;
  if (Array.isArray(item)) return item.entries();
  if (!(item instanceof PickleObject)) return undefined;
  // The state of an object is its attributes, or a pair of its attributes and its slots.
  const state: unknown = Array.isArray(item.state) ? (item.state as unknown[])[0] : item.state;
  const attributes = state instanceof Map ? (state as Map<string | number, unknown>) : undefined;
  const parts = ["_parameters", "_buffers", "_modules"].map((key) => attributes?.get(key));
  // A torch.nn.Module of any class: the names are those of its state_dict().
  if (parts.every((part) => part instanceof Map))
    return parts.flatMap((part) => [...(part as Map<string, unknown>)]);
  return [...item.entries, ...(attributes ?? [])];
}

/** Reads the numbers of tensors. Each storage is read only once, and tensors share storages as in PyTorch. */
class TensorReader {
  private readonly known = new Map<string, DataArray>();
  private copied = 0;

  constructor(
    private readonly contents: Contents,
    private readonly path: string,
  ) {}

  async read({ storage, type, offset, shape, strides }: Description): Promise<TorchTensor> {
    const { path } = this;
    const all = await this.numbers(storage, type);
    const count = shape.reduce((product, length) => product * length, 1);
    const last = shape.reduce((at, length, axis) => at + (length - 1) * strides[axis]!, offset);
    check(
      count === 0 || last < all.length,
      () =>
        `"${path}": the shape [${shape.join(", ")}] needs more than the ${all.length} numbers of its storage`,
    );
    if (isContiguous(shape, strides)) return { shape, data: all.subarray(offset, offset + count) };
    this.copied += count;
    check(
      this.copied <= COPIES * this.contents.size + COPIES_OF_SMALL_FILES,
      () =>
        `"${path}": the shape [${shape.join(", ")}] repeats the ${all.length} numbers of its storage too often`,
    );
    return { shape, data: gather(all, offset, shape, strides, count) };
  }

  private async numbers(storage: Storage, name: string): Promise<DataArray> {
    const key = `${storage.key} ${name}`;
    const earlier = this.known.get(key);
    if (earlier) return earlier;
    const element = ELEMENTS[name];
    if (!element) throw new UnreadNumbers(`its elements are of the unsupported type "${name}"`);
    const bytes = await this.contents.numbers(storage);
    const size = storage.kind === "UntypedStorage" ? storage.length : storage.length * element.bytes;
    check(
      bytes.length >= size,
      () =>
        `"${this.path}" is cut off: a storage of ${storage.length} numbers needs ${size} bytes, got ${bytes.length}`,
    );
    const whole = bytes.subarray(0, size - (size % element.bytes));
    const descr = `${element.bytes === 1 ? "|" : this.contents.order}${element.descr}`;
    const header = { shape: [], descr, itemBytes: element.bytes, offset: 0 };
    const data = asUnread(() => npyElements(whole, header, `"${this.path}"`));
    const numbers = element.brain ? bfloat16ToFloat32(data as Uint16Array) : data;
    this.known.set(key, numbers);
    return numbers;
  }
}

/** An error that says that one tensor is of an unsupported kind although the file is intact. */
class UnreadNumbers extends StriateError {}

function asUnread<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw cause instanceof StriateError ? new UnreadNumbers(cause.message, { cause }) : cause;
  }
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== step) return false;
    step *= shape[axis]!;
  }
  return true;
}

/** Copies the elements into row-major order. */
function gather(
  all: DataArray,
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
  count: number,
): DataArray {
  const data = all.subarray(0, 0).constructor as new (length: number) => DataArray;
  const out = new data(count);
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0, at = offset; i < count; i++) {
    out[i] = all[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      at -= index[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

async function openTorchFile(path: string): Promise<Contents> {
  const first = await firstBytes(path, 2);
  return first[0] === 0x50 && first[1] === 0x4b ? openPresentFormat(path) : openOldFormat(path);
}

async function firstBytes(path: string, count: number): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const { buffer } = await file.read(new Uint8Array(count), 0, count, 0);
      return buffer;
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw fileError("read PyTorch file", path, cause);
  }
}

/** Reads the ZIP format of PyTorch 1.6 and later: data.pkl, and one file for each storage. */
async function openPresentFormat(path: string): Promise<Contents> {
  const archive = await openZip(path);
  const pickle = archive.names.find((name) => basename(name) === "data.pkl");
  check(pickle, () => `"${path}": expected a PyTorch file, got a ZIP archive without data.pkl`);
  const folder = pickle.slice(0, -"data.pkl".length);
  const order = archive.names.includes(`${folder}byteorder`)
    ? new TextDecoder().decode(await archive.read(`${folder}byteorder`)).trim()
    : "little";
  let room = UNPACKED * archive.size + UNPACKED_OF_SMALL_FILES;
  const { value } = readPickle(await archive.read(pickle, room), 0, path, readerInto(new Map()));
  return {
    value,
    numbers: async ({ key }) => {
      const bytes = await archive.read(`${folder}data/${key}`, Math.min(room, LARGEST_STORAGE));
      room -= bytes.length;
      return bytes;
    },
    order: order === "big" ? ">" : "<",
    size: archive.size,
  };
}

/** The magic number at the start of files in the old format, in hexadecimal digits. */
const OLD_MAGIC = "1950a86a20f9469cfc6c";

/**
 * Reads the old format: five pickles (a magic number, a version, the sizes of types on the writer's machine, the
 * object, the keys of storages), then the length and the numbers of each storage.
 */
async function openOldFormat(path: string): Promise<Contents> {
  const bytes = await readFileChecked(path, { what: "PyTorch file", maxBytes: LARGEST });
  const storages = new Map<string, Storage>();
  const reader = readerInto(storages);
  const next = (at: number) => readPickle(bytes, at, path, reader);
  const magic = next(0);
  check(
    typeof magic.value === "bigint" && magic.value.toString(16) === OLD_MAGIC,
    () => `"${path}": expected a PyTorch file, got one that begins with other bytes`,
  );
  const sizes = next(next(magic.end).end);
  const object = next(sizes.end);
  const keys = next(object.end);
  const order = sizes.value instanceof Map && sizes.value.get("little_endian") === false ? ">" : "<";
  check(Array.isArray(keys.value), () => `"${path}": expected a list of its storages`);
  const starts = oldStorages(bytes, keys.end, keys.value, storages, order, path);
  return {
    value: object.value,
    order,
    size: bytes.length,
    numbers: ({ key }) => {
      const from = starts.get(key);
      check(from !== undefined, () => `"${path}": the numbers of one of its tensors are missing`);
      return bytes.subarray(from);
    },
  };
}

/** Finds the position of each storage's first number in the file. */
function oldStorages(
  bytes: Uint8Array,
  start: number,
  keys: readonly unknown[],
  storages: ReadonlyMap<string, Storage>,
  order: string,
  path: string,
): Map<string, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const starts = new Map<string, number>();
  let at = start;
  for (const key of keys) {
    // The text of a list that holds another one twice doubles with every level.
    check(
      typeof key === "string" || typeof key === "number",
      () => `"${path}": the key of a storage: expected text or a number, got ${typeof key}`,
    );
    check(at + 8 <= bytes.length, () => `"${path}" is cut off before its numbers`);
    starts.set(String(key), at + 8);
    const kind = storages.get(String(key))?.kind ?? "";
    const width = ELEMENTS[kind]?.bytes ?? OTHER_WIDTHS[kind];
    // If the size of these numbers is unknown, so are the positions of all later storages.
    if (width === undefined) break;
    at += 8 + Number(view.getBigUint64(at, order === "<")) * width;
  }
  return starts;
}

/** Bytes per number in storages of unsupported types. */
const OTHER_WIDTHS: Readonly<Record<string, number>> = {
  ComplexFloatStorage: 8,
  ComplexDoubleStorage: 16,
  QInt8Storage: 1,
  QUInt8Storage: 1,
  QInt32Storage: 4,
};

/**
 * Returns a pickle reader that turns calls into descriptions of tensors and collects every storage in
 * `storages`.
 */
function readerInto(storages: Map<string, Storage>): PickleReader {
  return {
    make: makeTensor,
    load: (id) => {
      const parts: readonly unknown[] = Array.isArray(id) ? (id as unknown[]) : [];
      // The old format refers to the class of a whole module together with the source code of the class.
      if (parts[0] === "module") return parts[1];
      const storage = storageOf(parts);
      storages.set(storage.key, storage);
      return storage;
    },
  };
}

function makeTensor(name: string, args: readonly unknown[]): unknown {
  switch (name) {
    case "torch._utils._rebuild_tensor_v2":
    case "torch._utils._rebuild_tensor": {
      const [storage, offset, shape, strides, , , bits] = args;
      if (isAnotherView(bits)) return undefined;
      return describe(storage, offset, shape, strides);
    }
    case "torch._utils._rebuild_tensor_v3": {
      const [storage, offset, shape, strides, , , type, bits] = args;
      if (isAnotherView(bits)) return undefined;
      return describe(storage, offset, shape, strides, type);
    }
    case "torch._utils._rebuild_parameter":
    case "torch._utils._rebuild_parameter_with_state":
      return args[0];
    // An instance of a tensor subclass is made from a plain tensor.
    case "torch._tensor._rebuild_from_type":
    case "torch._tensor._rebuild_from_type_v2": {
      const [make, , inner] = args;
      if (make instanceof PickleGlobal && Array.isArray(inner))
        return makeTensor(make.name, inner as unknown[]);
      return undefined;
    }
    default:
      return undefined;
  }
}

/** Whether a tensor is the negative or the conjugate of its storage's numbers; PyTorch stores this as a bit. */
function isAnotherView(bits: unknown): boolean {
  return bits instanceof Map && ["neg", "conj"].some((key) => bits.get(key) === true);
}

function describe(storage: unknown, offset: unknown, shape: unknown, strides: unknown, type?: unknown) {
  check(
    storage instanceof Storage && isWhole(offset) && areWhole(shape) && areWhole(strides),
    () => "one of its tensors has no storage, or sizes that are not valid",
  );
  check(
    shape.length === strides.length,
    () => `one of its tensors has ${shape.length} sizes but ${strides.length} strides`,
  );
  const element = type instanceof PickleGlobal ? type.name.replace(/^torch\./, "") : storage.kind;
  return new Description(storage, element, offset, shape, strides);
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const areWhole = (list: unknown): list is readonly number[] =>
  Array.isArray(list) && list.length <= 64 && list.every(isWhole);

function storageOf([kind, storageType, key, , length, view]: readonly unknown[]): Storage {
  check(
    kind === "storage" &&
      storageType instanceof PickleGlobal &&
      (typeof key === "string" || typeof key === "number") &&
      isWhole(length) &&
      (view === undefined || view === null),
    () => "it refers to an object outside the pickle that is not a tensor's storage",
  );
  return new Storage(String(key), storageType.name.replace(/^.*\./, ""), length);
}
