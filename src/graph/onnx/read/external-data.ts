import { StriateError } from "../../../util/errors.js";
import type { GraphProto, NodeProto, TensorProto } from "../generated/onnx_pb.js";
import { TensorProto_DataLocation } from "../generated/onnx_pb.js";

/**
 * Gives `length` bytes from `offset` on of a file that lies beside a model, by the name that the model has for it.
 *
 * @throws StriateError for a file that is missing, too short, or outside the model's folder
 */
export type ExternalReader = (location: string, offset: number, length: number) => Uint8Array;

/**
 * Where the values lie that a model keeps in other files ("external data" in ONNX): whole files by their names, or a
 * function that reads parts of them. In Node, `openOnnx` brings it along.
 */
export type ExternalData = ReadonlyMap<string, Uint8Array> | ExternalReader;

/** Whether a stored tensor's values lie in another file. */
export function isExternal(proto: TensorProto): boolean {
  return proto.dataLocation === TensorProto_DataLocation.EXTERNAL || proto.externalData.length > 0;
}

/** The name of the file that holds a tensor's values; undefined if nothing says it. */
export function locationOf(proto: TensorProto): string | undefined {
  return proto.externalData.find(({ key }) => key === "location")?.value;
}

/** All tensors that a graph stores, those of attributes and of bodies in it, too. */
export function* storedTensors(graph: GraphProto): Generator<TensorProto, void, undefined> {
  yield* graph.initializer;
  yield* tensorsIn(graph.node);
}

/** The tensors that nodes hold themselves, those of a graph or of a function. */
export function* tensorsIn(nodes: readonly NodeProto[]): Generator<TensorProto, void, undefined> {
  for (const { attribute } of nodes) {
    for (const { t, g } of attribute) {
      if (t) yield t;
      if (g) yield* storedTensors(g);
    }
  }
}

/**
 * The bytes of a tensor whose values lie in another file.
 *
 * @param size how many bytes its shape and element type take
 * @throws StriateError if there is no such file at hand, or the model's description of it makes no sense
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
    throw new StriateError(`${what}: its values lie in another file, and nothing says in which`);
  const offset = wholeNumber(entries.get("offset") ?? "0", `${what}: the offset in "${location}"`);
  const length = wholeNumber(entries.get("length") ?? String(size), `${what}: the length in "${location}"`);
  if (length !== size) {
    throw new StriateError(
      `${what}: [${proto.dims.join(", ")}] takes ${size} bytes, ${length} are set aside for it in "${location}"`,
    );
  }
  if (external === undefined) {
    throw new StriateError(
      `${what}: its values lie in "${location}", beside the model: open the model by its path, or hand the bytes of ` +
        `"${location}" over in the option externalData`,
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
    throw new StriateError(`its values lie in "${location}", which externalData does not have`);
  checkEnd(location, file.length, offset, length);
  return file.subarray(offset, offset + length);
}

/** Throws {@link StriateError} unless a file of `size` bytes has `length` of them from `offset` on. */
export function checkEnd(location: string, size: number, offset: number, length: number): void {
  if (offset + length <= size) return;
  throw new StriateError(
    `its values lie in "${location}" at ${offset} to ${offset + length}, the file has ${size} bytes: it is cut off, or of another model`,
  );
}
