import { StriateError } from "../../../util/errors.js";
import { WireMessage } from "./wire.js";

/** Protobuf's own limit on one message. */
const LARGEST_FILE = 2 ** 31 - 1;
/** Values of fewer bytes stay in the model, so that settings such as axes can be read there. */
const SMALLEST_OUTSIDE = 1024;
/** Values begin at multiples of a page, so that a runtime may map the file into memory. */
const PAGE = 4096;

/** A model that may be stored with its values inside, or beside it ("external data" in ONNX). */
export interface StorableModel {
  /**
   * The model as one ONNX file, encoded again at each call.
   *
   * @throws StriateError above 2 GB, which no ONNX file can hold
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether the model takes more than the 2 GB that one file can hold. */
  readonly isTooLarge: boolean;
  /** The model without its larger values, and the pieces of the file of that name that holds them. */
  withValuesIn(location: string): { readonly bytes: Uint8Array; readonly values: readonly Uint8Array[] };
}

/** A tensor that a model stores. */
export interface StoredInitializer {
  /** Its elements. */
  readonly rawData: Uint8Array;
  /** The tensor encoded without its elements; `outside` says where they lie, by ONNX's keys, if not in the model. */
  readonly describe: (outside?: Readonly<Record<string, string>>) => Uint8Array;
}

/*
 * Protobuf copies a message into the one that holds it: three times the weights of a model, one after another, from tensor to
 * graph to model. Fields may come in any order, so the weights are put behind everything else, uncopied.
 */

/** A model in parts. */
export interface ModelParts {
  /** The model without its graph, encoded. */
  head(): Uint8Array;
  /** The graph without its initializers, encoded. */
  graph(): Uint8Array;
  readonly initializers: readonly StoredInitializer[];
}

/** A model that is encoded when it is asked for. Its values must not change before. */
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

/** Numbers of the fields: of a model, a graph and a tensor. */
const FIELD = { graph: 7, initializer: 5, rawData: 9 } as const;

/** A field that holds some pieces, uncopied. */
function field(number: number, pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  const length = pieces.reduce((total, piece) => total + piece.length, 0);
  return [WireMessage.frame(number, length), ...pieces];
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = pieces.reduce((total, piece) => total + piece.length, 0);
  if (size > LARGEST_FILE) {
    throw new StriateError(
      `writing ONNX: the model takes ${size} bytes, one ONNX file can hold 2 GB: saveOnnx puts its values into a file beside it`,
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
