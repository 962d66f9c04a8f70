import { StriateError } from "../../../util/errors.js";
import { WireMessage } from "./wire.js";

/** Protobuf's limit on the size of one message, in bytes. */
const LARGEST_FILE = 2 ** 31 - 1;
/** Values with fewer bytes stay in the model, so that settings such as axes can be read there. */
const SMALLEST_OUTSIDE = 1024;
/** Values begin at multiples of this page size, so that a runtime can map the file into memory. */
const PAGE = 4096;

/** A model that can be stored with its values in its file or in a file beside it ("external data" in ONNX). */
export interface StorableModel {
  /**
   * The model as one ONNX file. It is encoded again each time that the property is read.
   *
   * @throws StriateError above 2 GB, which no ONNX file can hold
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether the model takes more than the 2 GB that one file can hold. */
  readonly isTooLarge: boolean;
  /**
   * Returns the model without its larger values, and these values as the pieces of a file, whose name is
   * `location`.
   */
  withValuesIn(location: string): { readonly bytes: Uint8Array; readonly values: readonly Uint8Array[] };
}

/** A tensor that a model stores. */
export interface StoredInitializer {
  /** Its elements. */
  readonly rawData: Uint8Array;
  /**
   * Encodes the tensor without its elements; `outside` is their location, by ONNX's keys, if they are not in the model.
   */
  readonly describe: (outside?: Readonly<Record<string, string>>) => Uint8Array;
}

/*
 * Protobuf copies each message into the message that contains it, so it would copy the weights three times:
 * into the tensor, the graph and the model. Fields may come in any order, so this code puts the weights after
 * everything else, without a copy.
 */

/** The parts of a model, which are encoded separately. */
export interface ModelParts {
  /** The model without its graph, encoded. */
  head(): Uint8Array;
  /** The graph without its initializers, encoded. */
  graph(): Uint8Array;
  readonly initializers: readonly StoredInitializer[];
}

/** A model that is encoded only when a caller asks for its bytes. Its values must not change before that. */
export function storable(parts: ModelParts): StorableModel {
  const size = parts.initializers.reduce((total, { rawData }) => total + rawData.length, 0);
  const model = (tensors: readonly (readonly Uint8Array[])[]) => {
    const initializers = tensors.flatMap((pieces) => field(FIELD.initializer, pieces));
    return joined([parts.head(), ...field(FIELD.graph, [parts.graph(), ...initializers])]);
  };
  const inside = ({ rawData, describe }: StoredInitializer): readonly Uint8Array[] =>
    rawData.length === 0 ? [describe()] : [describe(), ...field(FIELD.rawData, [rawData])];
  return {
    isTooLarge: size > LARGEST_FILE,
    get bytes() {
      return model(parts.initializers.map(inside));
    },
    withValuesIn: (location) => {
      const values: Uint8Array[] = [];
      let end = 0;
      const outside = (tensor: StoredInitializer): readonly Uint8Array[] => {
        const { length } = tensor.rawData;
        if (length < SMALLEST_OUTSIDE) return inside(tensor);
        const gap = (PAGE - (end % PAGE)) % PAGE;
        if (gap > 0) values.push(new Uint8Array(gap));
        values.push(tensor.rawData);
        const offset = end + gap;
        end = offset + length;
        return [tensor.describe({ location, offset: String(offset), length: String(length) })];
      };
      return { bytes: model(parts.initializers.map(outside)), values };
    },
  };
}

/** Field numbers of a model, a graph and a tensor. */
const FIELD = { graph: 7, initializer: 5, rawData: 9 } as const;

/** Encodes a field from the pieces of its contents, without a copy. */
function field(number: number, pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  const length = pieces.reduce((total, piece) => total + piece.length, 0);
  return [WireMessage.frame(number, length), ...pieces];
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = pieces.reduce((total, piece) => total + piece.length, 0);
  if (size > LARGEST_FILE) {
    throw new StriateError(
      `writing ONNX: expected at most 2 GB, the limit of one ONNX file, got ${size} bytes: saveOnnx can put the values into a file beside the model`,
    );
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
