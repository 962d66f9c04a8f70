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

/** A tensor read from a PyTorch file, row by row. Half and bfloat16 numbers are given as float32. */
export interface TorchTensor {
  readonly shape: readonly number[];
  readonly data: DataArray;
}

/** What a PyTorch file holds. */
export interface TorchCheckpoint {
  /** Tensors by name: the keys of dictionaries and the names of attributes that lead to them, with dots between. */
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  /** Tensors that cannot be read, such as sparse or complex ones, by name, with the reason. */
  readonly unread: ReadonlyMap<string, string>;
}

interface ElementType {
  /** NumPy's name without the order of bytes. */
  readonly descr: string;
  readonly bytes: number;
  readonly brain?: true;
}

const type = (descr: string): ElementType => ({ descr, bytes: Number(descr.slice(1)) });
const BFLOAT16: ElementType = { descr: "u2", bytes: 2, brain: true };

/** By the classes of typed storages and by PyTorch's names of element types. */
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

/** Numbers that lie in the file one after another. */
class Storage {
  constructor(
    readonly key: string,
    /** Such as "FloatStorage"; of bytes alone, "UntypedStorage". */
    readonly kind: string,
    /** How many numbers. */
    readonly length: number,
  ) {}
}

/** A tensor as the file describes it, before its numbers are read. */
class Description {
  constructor(
    readonly storage: Storage,
    readonly type: string,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** A storage's numbers as the file holds them. */
type Numbers = (storage: Storage) => Uint8Array | Promise<Uint8Array>;

interface Contents {
  readonly value: unknown;
  readonly numbers: Numbers;
  /** "<" or ">": which byte of a number comes first. */
  readonly order: string;
  /** Bytes of the file. */
  readonly size: number;
  close?(): void;
}

const LARGEST = 2 ** 31;
const LARGEST_STORAGE = 2 ** 32;

/** A file may repeat numbers (strides of zero): what is copied in all is at most this often the file's size, and a bit. */
const COPIES = 4;
const COPIES_OF_SMALL_FILES = 2 ** 20;

/** Parts of a file may lie in one another, many times: limits on what is visited and called by a name. */
const VISITS_OF_SHARED_PARTS = 200_000;
const DEEPEST = 500;
const LONGEST_NAME = 10_000;

/**
 * Reads the one tensor of a file that `torch.save(tensor, path)` wrote, of the present (ZIP) or the old format. Nothing in
 * the file is executed.
 *
 * @throws StriateError for a file that is missing, damaged, cut off, or holds anything but one tensor of booleans, integers, or
 * floats of 16, 32 or 64 bits.
 */
export async function readTorchTensor(path: string): Promise<TorchTensor> {
  const contents = await openTorchFile(path);
  try {
    check(contents.value instanceof Description, () => {
      const what = contents.value instanceof PickleObject ? `a "${contents.value.name}"` : "something else";
      return `"${path}": expected one tensor, it holds ${what}`;
    });
    return await new TensorReader(contents, path).read(contents.value);
  } finally {
    contents.close?.();
  }
}

/**
 * Reads all tensors of a checkpoint that `torch.save` wrote: of a state dictionary, of state dictionaries in others, lists
 * or objects, and of whole modules, whose names are those that their `state_dict()` would give. A file of one tensor gives
 * it the name "". Everything else (settings, optimizers' numbers, NumPy's arrays) is passed over; nothing is executed.
 *
 * @throws StriateError for a file that is missing, damaged or no PyTorch file, and for two tensors of one name
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
  try {
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
  } finally {
    contents.close?.();
  }
}

/** Tensors by name, and what PyTorch would make tensors of in another way. */
function described({ value, size }: Contents, path: string): Map<string, Description | PickleObject> {
  const found = new Map<string, Description | PickleObject>();
  const around = new Set<unknown>();
  // Without shared parts there are fewer visits than bytes.
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
  // An object's state is its attributes, or a pair of them and those in slots.
  const state: unknown = Array.isArray(item.state) ? (item.state as unknown[])[0] : item.state;
  const attributes = state instanceof Map ? (state as Map<string | number, unknown>) : undefined;
  const parts = ["_parameters", "_buffers", "_modules"].map((key) => attributes?.get(key));
  // torch.nn.Module, of whatever class: what its state_dict() lists.
  if (parts.every((part) => part instanceof Map))
    return parts.flatMap((part) => [...(part as Map<string, unknown>)]);
  return [...item.entries, ...(attributes ?? [])];
}

/** Reads numbers, each storage once: tensors share them as PyTorch's do. */
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
      () => `"${path}": its shape [${shape.join(", ")}] reaches beyond its ${all.length} numbers`,
    );
    if (isContiguous(shape, strides)) return { shape, data: all.subarray(offset, offset + count) };
    this.copied += count;
    check(
      this.copied <= COPIES * this.contents.size + COPIES_OF_SMALL_FILES,
      () => `"${path}": its shape [${shape.join(", ")}] repeats its ${all.length} numbers too often`,
    );
    return { shape, data: gather(all, offset, shape, strides, count) };
  }

  private async numbers(storage: Storage, name: string): Promise<DataArray> {
    const key = `${storage.key} ${name}`;
    const earlier = this.known.get(key);
    if (earlier) return earlier;
    const element = ELEMENTS[name];
    if (!element) throw new UnreadNumbers(`its elements are "${name}", which are not read`);
    const bytes = await this.contents.numbers(storage);
    const size = storage.kind === "UntypedStorage" ? storage.length : storage.length * element.bytes;
    check(
      bytes.length >= size,
      () =>
        `"${this.path}" is cut off: its ${storage.length} numbers need ${size} bytes, got ${bytes.length}`,
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

/** The numbers of one tensor cannot be given; the file is not damaged. */
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

/** The elements in row-major order. */
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

/** A ZIP archive: data.pkl, and one file for each storage. Since PyTorch 1.6. */
async function openPresentFormat(path: string): Promise<Contents> {
  const archive = await openZip(path);
  try {
    const pickle = archive.names.find((name) => basename(name) === "data.pkl");
    check(pickle, () => `"${path}": expected a PyTorch file, it has no data.pkl`);
    const folder = pickle.slice(0, -"data.pkl".length);
    const order = archive.names.includes(`${folder}byteorder`)
      ? new TextDecoder().decode(await archive.read(`${folder}byteorder`)).trim()
      : "little";
    const { value } = readPickle(await archive.read(pickle), 0, path, readerInto(new Map()));
    return {
      value,
      numbers: ({ key }) => archive.read(`${folder}data/${key}`, LARGEST_STORAGE),
      order: order === "big" ? ">" : "<",
      size: archive.size,
      close: () => {
        archive.close();
      },
    };
  } catch (cause) {
    archive.close();
    throw cause;
  }
}

/** Hexadecimal digits of the number that old files begin with. */
const OLD_MAGIC = "1950a86a20f9469cfc6c";

/** Five pickles (a magic number, a version, the writer's sizes, the object, keys), then each storage: length and numbers. */
async function openOldFormat(path: string): Promise<Contents> {
  const bytes = await readFileChecked(path, { what: "PyTorch file", maxBytes: LARGEST });
  const storages = new Map<string, Storage>();
  const reader = readerInto(storages);
  const next = (at: number) => readPickle(bytes, at, path, reader);
  const magic = next(0);
  check(
    typeof magic.value === "bigint" && magic.value.toString(16) === OLD_MAGIC,
    () => `"${path}": expected a PyTorch file, it begins with something else`,
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

/** Where the numbers of each storage begin. */
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
    check(at + 8 <= bytes.length, () => `"${path}" is cut off before its numbers`);
    starts.set(String(key), at + 8);
    const kind = storages.get(String(key))?.kind ?? "";
    const width = ELEMENTS[kind]?.bytes ?? OTHER_WIDTHS[kind];
    // What follows numbers of unknown size cannot be found.
    if (width === undefined) break;
    at += 8 + Number(view.getBigUint64(at, order === "<")) * width;
  }
  return starts;
}

/** Bytes of each number in storages that are not read. */
const OTHER_WIDTHS: Readonly<Record<string, number>> = {
  ComplexFloatStorage: 8,
  ComplexDoubleStorage: 16,
  QInt8Storage: 1,
  QUInt8Storage: 1,
  QInt32Storage: 4,
};

/** Makes tensors, and puts every storage into `storages`. */
function readerInto(storages: Map<string, Storage>): PickleReader {
  return {
    make: makeTensor,
    load: (id) => {
      const parts: readonly unknown[] = Array.isArray(id) ? (id as unknown[]) : [];
      // A class with its source, which the old format keeps of whole modules.
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
    // A tensor of a class of its own, which is made from a plain one.
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

/** Whether a tensor is the negative or the conjugate of its storage's numbers, which PyTorch notes as a bit. */
function isAnotherView(bits: unknown): boolean {
  return bits instanceof Map && ["neg", "conj"].some((key) => bits.get(key) === true);
}

function describe(storage: unknown, offset: unknown, shape: unknown, strides: unknown, type?: unknown) {
  check(
    storage instanceof Storage && isWhole(offset) && areWhole(shape) && areWhole(strides),
    () => "one of its tensors has no storage, or lengths that are no lengths",
  );
  check(
    shape.length === strides.length,
    () => `one of its tensors has ${shape.length} lengths and ${strides.length} strides`,
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
    () => "it refers to something outside of it that is no whole storage of a tensor",
  );
  return new Storage(String(key), storageType.name.replace(/^.*\./, ""), length);
}
