import { StriateError } from "../../../util/errors.js";
import type { GraphProto, NodeProto, TensorProto } from "../generated/onnx_pb.js";
import { TensorProto_DataLocation } from "../generated/onnx_pb.js";

/**
 * Reads `length` bytes from `offset` on, from a file beside a model. The model gives the name of the file.
 *
 * @throws StriateError if the file is missing, too short, or outside the model's folder
 */
export type ExternalReader = (location: string, offset: number, length: number) => Uint8Array;

/**
 * Source of the values that a model stores in other files ("external data" in ONNX): whole files by name, or
 * a function that reads parts of files. In Node, `openOnnx` provides it.
 */
export type ExternalData = ReadonlyMap<string, Uint8Array> | ExternalReader;

/** Whether a stored tensor has its values in another file. */
export function isExternal(proto: TensorProto): boolean {
  return proto.dataLocation === TensorProto_DataLocation.EXTERNAL || proto.externalData.length > 0;
}

/** The name of the file that holds a tensor's values, or undefined if the tensor does not name one. */
export function locationOf(proto: TensorProto): string | undefined {
  return proto.externalData.find(({ key }) => key === "location")?.value;
}

/** All tensors that a graph stores, including those in attributes and in bodies. */
export function* storedTensors(graph: GraphProto): Generator<TensorProto, void, undefined> {
  yield* graph.initializer;
  yield* tensorsIn(graph.node);
}

/** The tensors in the attributes of the nodes of a graph or function. */
export function* tensorsIn(nodes: readonly NodeProto[]): Generator<TensorProto, void, undefined> {
  for (const { attribute } of nodes) {
    for (const { t, g } of attribute) {
      if (t) yield t;
      if (g) yield* storedTensors(g);
    }
  }
}

/**
 * The bytes of a tensor whose values are in another file.
 *
 * @param size number of bytes, from the tensor's shape and element type
 * @throws StriateError if the file is not available, or the model's description of it is invalid
 */
export function externalBytes(
  proto: TensorProto,
  size: number,
  what: string,
  external: ExternalData | undefined,
): Uint8Array {
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]));
  const location = locationOf(proto);
  if (location === undefined || location === "")
    throw new StriateError(`${what}: its values are in another file, but the model does not name the file`);
  const offset = wholeNumber(entries.get("offset") ?? "0", `${what}: the offset in "${location}"`);
  const length = wholeNumber(entries.get("length") ?? String(size), `${what}: the length in "${location}"`);
  if (length !== size) {
    throw new StriateError(
      `${what}: [${proto.dims.join(", ")}]: expected ${size} bytes in "${location}", got ${length}`,
    );
  }
  if (external === undefined) {
    throw new StriateError(
      `${what}: its values are in "${location}", beside the model: open the model by its path, or give the bytes of ` +
        `"${location}" in the option externalData`,
    );
  }
  try {
    return typeof external === "function"
      ? external(location, offset, length)
      : partOf(external.get(location), location, offset, length);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StriateError(`${what}: ${why}`, { cause: error });
  }
}

function wholeNumber(text: string, what: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) throw new StriateError(`${what} is ${JSON.stringify(text.slice(0, 40))}`);
  return value;
}

function partOf(file: Uint8Array | undefined, location: string, offset: number, length: number): Uint8Array {
  if (file === undefined)
    throw new StriateError(`its values are in "${location}", which externalData does not have`);
  checkEnd(location, file.length, offset, length);
  return file.subarray(offset, offset + length);
}

/** Throws {@link StriateError} unless a file of `size` bytes has `length` bytes from `offset` on. */
export function checkEnd(location: string, size: number, offset: number, length: number): void {
  if (offset + length <= size) return;
  throw new StriateError(
    `its values are in "${location}" at bytes ${offset} to ${offset + length}, but the file has only ${size} bytes: it is truncated, or belongs to another model`,
  );
}
