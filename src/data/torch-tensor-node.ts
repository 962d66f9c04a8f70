import { basename } from "node:path";
import { StriateError, check } from "../util/errors.js";
import { readFileChecked } from "../util/files-node.js";
import type { DataArray } from "./dataset.js";
import { npyElements } from "./npy.js";
import type { PickleGlobal } from "./pickle.js";
import { isPickleGlobal, readPickle } from "./pickle.js";
import { openZip } from "./zip-node.js";

/** A tensor read from a PyTorch file. */
export interface TorchTensor {
  readonly shape: readonly number[];
  readonly data: DataArray;
}

/** PyTorch's storages as NumPy's element types. */
const ELEMENTS: Readonly<Record<string, string>> = {
  ByteStorage: "|u1",
  BoolStorage: "|b1",
  CharStorage: "|i1",
  ShortStorage: "<i2",
  IntStorage: "<i4",
  LongStorage: "<i8",
  FloatStorage: "<f4",
  DoubleStorage: "<f8",
};
const BYTES: Readonly<Record<string, number>> = { 1: 1, 2: 2, 4: 4, 8: 8 };

interface Storage {
  readonly key: string;
  readonly descr: string;
  readonly length: number;
}

/** A tensor as the file describes it, before its numbers are read. */
interface Description {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

const LARGEST = 2 ** 31;

/**
 * Reads the one tensor of a file that `torch.save(tensor, path)` wrote, of the present (ZIP) or the old format. Nothing in the
 * file is executed: of what a pickle may ask for, only tensors are made.
 *
 * @throws StriateError for a file that is missing, damaged, cut off, or holds anything but one tensor of booleans, integers, or
 * floats of 32 or 64 bits.
 */
export async function readTorchTensor(path: string): Promise<TorchTensor> {
  const bytes = await readFileChecked(path, { what: "PyTorch file", maxBytes: LARGEST });
  return isZip(bytes) ? fromZip(path) : fromOldFormat(bytes, path);
}

const isZip = (bytes: Uint8Array): boolean => bytes[0] === 0x50 && bytes[1] === 0x4b;

async function fromZip(path: string): Promise<TorchTensor> {
  const { value, storage } = await openTorchZip(path);
  const tensor = tensorOf(value, path);
  return strided(tensor, await storage(tensor.storage.key), path);
}

async function openTorchZip(
  path: string,
): Promise<{ value: unknown; storage: (key: string) => Promise<Uint8Array> }> {
  const archive = await openZip(path);
  const pickle = archive.names.find((name) => basename(name) === "data.pkl");
  check(pickle, () => `"${path}": expected a PyTorch file, it has no data.pkl`);
  const folder = pickle.slice(0, -"data.pkl".length);
  const { value } = readPickle(await archive.read(pickle), 0, path, makeObject, storageOf);
  return { value, storage: (key) => archive.read(`${folder}data/${key}`) };
}

/**
 * Reads all tensors of a checkpoint that PyTorch 1.6 or later wrote (`torch.save` of state dictionaries, also inside
 * others), by their names with dots between the dictionaries'. A file of one tensor, also of the old format, gives it the
 * name "". What is no tensor is left out; nothing is executed.
 *
 * @throws StriateError for a file that is missing, damaged, or asks for anything but tensors
 */
export async function readTorchTensors(path: string): Promise<Map<string, TorchTensor>> {
  const bytes = await readFileChecked(path, { what: "PyTorch file", maxBytes: LARGEST });
  if (!isZip(bytes)) return new Map([["", fromOldFormat(bytes, path)]]);
  const { value, storage } = await openTorchZip(path);
  const found = new Map<string, TorchTensor>();
  const walk = async (item: unknown, name: string, depth: number): Promise<void> => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return;
    check(depth < 20, () => `"${path}": its dictionaries are nested too deeply`);
    if ("storage" in item && "strides" in item) {
      const tensor = tensorOf(item, path);
      found.set(name, strided(tensor, await storage(tensor.storage.key), path));
      return;
    }
    for (const [key, value] of Object.entries(item))
      await walk(value, name === "" ? key : `${name}.${key}`, depth + 1);
  };
  await walk(value, "", 0);
  return found;
}

/** Hexadecimal digits of the number that old files begin with. */
const OLD_MAGIC = "1950a86a20f9469cfc6c";

/** Five pickles (a magic number, a version, the writer's sizes, the tensor, keys), then each storage: length and elements. */
function fromOldFormat(bytes: Uint8Array, path: string): TorchTensor {
  const next = (at: number) => readPickle(bytes, at, path, makeObject, storageOf);
  const magic = next(0);
  check(
    typeof magic.value === "bigint" && magic.value.toString(16) === OLD_MAGIC,
    () => `"${path}": expected a PyTorch file, it begins with something else`,
  );
  const object = next(next(next(magic.end).end).end);
  const keys = next(object.end);
  const tensor = tensorOf(object.value, path);
  check(
    Array.isArray(keys.value) && keys.value.length === 1 && keys.value[0] === tensor.storage.key,
    () => `"${path}": expected one storage for the tensor`,
  );
  const from = keys.end + 8;
  check(bytes.length >= from, () => `"${path}" is cut off before its numbers`);
  return strided(tensor, bytes.subarray(from), path);
}

function makeObject(made: PickleGlobal, args: readonly unknown[]): unknown {
  if (made.name === "collections.OrderedDict") return Object.create(null) as object;
  if (made.name === "torch._utils._rebuild_tensor_v2") {
    const [storage, offset, shape, strides] = args as [Storage, number, readonly number[], readonly number[]];
    return { storage, offset, shape, strides } satisfies Description;
  }
  if (made.name === "torch._utils._rebuild_parameter") return args[0];
  throw new StriateError(`it holds a "${made.name}"; only tensors are read`);
}

function storageOf(id: unknown): Storage {
  const [kind, type, key, , length] = Array.isArray(id) ? (id as unknown[]) : [];
  const name = isPickleGlobal(type) ? type.name : String(type);
  const descr = ELEMENTS[name.replace(/^torch\./, "")];
  check(
    kind === "storage" && descr !== undefined && typeof length === "number",
    () => `its elements are "${name}", which are not read`,
  );
  return { key: String(key), descr, length };
}

function tensorOf(value: unknown, path: string): Description {
  const whole = (list: unknown) =>
    Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  const found = value as Partial<Description> | null | undefined;
  check(
    found?.storage !== undefined &&
      whole(found.shape) &&
      whole(found.strides) &&
      found.shape?.length === found.strides?.length &&
      whole([found.offset]),
    () => `"${path}": expected one tensor, it holds something else`,
  );
  return found as Description;
}

/** The elements in row-major order. */
function strided({ storage, offset, shape, strides }: Description, bytes: Uint8Array, path: string) {
  const itemBytes = BYTES[storage.descr.slice(2)]!;
  check(
    bytes.length >= storage.length * itemBytes,
    () =>
      `"${path}" is cut off: its ${storage.length} numbers need ${storage.length * itemBytes} bytes, got ${bytes.length}`,
  );
  const last = shape.reduce((at, length, axis) => at + (length - 1) * strides[axis]!, offset);
  check(
    last < storage.length || shape.includes(0),
    () => `"${path}": its shape [${shape.join(", ")}] reaches beyond its ${storage.length} numbers`,
  );
  const header = { shape: [storage.length], descr: storage.descr, itemBytes, offset: 0 };
  const all = npyElements(bytes.slice(0, storage.length * itemBytes), header, path);
  const count = shape.reduce((product, length) => product * length, 1);
  const data = all.slice(0, 0).constructor as new (length: number) => DataArray;
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
  return { shape, data: out };
}
