import { create, toBinary } from "@bufbuild/protobuf";
import { StriateError } from "../../util/errors.js";
import type { ModelProto, TensorProto } from "./generated/onnx_pb.js";
import * as proto from "./generated/onnx_pb.js";

/** Protobuf's own limit on one message. */
const LARGEST_FILE = 2 ** 31 - 1;
/** Values of fewer bytes stay in the model, so that settings such as axes can be read there. */
const SMALLEST_OUTSIDE = 1024;
/** Values begin at multiples of a page, so that a runtime may map the file into memory. */
const PAGE = 4096;

/** A model that may be stored with its values inside, or beside it ("external data" in ONNX). */
export interface StorableModel {
  /**
   * The model as one ONNX file, made anew each time.
   *
   * @throws StriateError above 2 GB, which no ONNX file can hold
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether the model takes more than the 2 GB that one file can hold. */
  readonly isTooLarge: boolean;
  /** The model without its larger values, and the pieces of the file of that name that holds them. */
  withValuesIn(location: string): { readonly bytes: Uint8Array; readonly values: readonly Uint8Array[] };
}

/** A model that is encoded when it is asked for. Its values must not change before. */
export function storable(model: ModelProto): StorableModel {
  const size = (model.graph?.initializer ?? []).reduce((total, { rawData }) => total + rawData.length, 0);
  return {
    isTooLarge: size > LARGEST_FILE,
    get bytes() {
      return joined(piecesOf(model));
    },
    withValuesIn: (location) => {
      const values: Uint8Array[] = [];
      let end = 0;
      const outside = (tensor: TensorProto): TensorProto => {
        const { rawData, dims, dataType, name } = tensor;
        if (rawData.length < SMALLEST_OUTSIDE) return tensor;
        const gap = (PAGE - (end % PAGE)) % PAGE;
        if (gap > 0) values.push(new Uint8Array(gap));
        values.push(rawData);
        const offset = end + gap;
        end = offset + rawData.length;
        return create(proto.TensorProtoSchema, {
          dims,
          dataType,
          name,
          dataLocation: proto.TensorProto_DataLocation.EXTERNAL,
          externalData: Object.entries({ location, offset, length: rawData.length }).map(([key, value]) =>
            create(proto.StringStringEntryProtoSchema, { key, value: String(value) }),
          ),
        });
      };
      const initializer = model.graph!.initializer.map(outside);
      const graph = create(proto.GraphProtoSchema, { ...model.graph!, initializer });
      return { bytes: joined(piecesOf({ ...model, graph })), values };
    },
  };
}

/*
 * Protobuf's own writer copies a message into the one that holds it: three times the weights of a model, one after another,
 * from tensor to graph to model. Fields may come in any order, so the weights are put behind everything else, uncopied.
 */

const FIELD = { graph: 7, initializer: 5, rawData: 9 } as const;

/** The pieces of an encoded model, the values of its initializers as they are. */
function piecesOf(model: ModelProto): Uint8Array[] {
  const { graph, ...rest } = model;
  const head = toBinary(proto.ModelProtoSchema, create(proto.ModelProtoSchema, rest));
  if (graph === undefined) return [head];
  const tensors = graph.initializer.flatMap((tensor) => {
    const { rawData } = tensor;
    const description: Partial<TensorProto> = { ...tensor };
    delete description.rawData;
    const own = toBinary(
      proto.TensorProtoSchema,
      create(proto.TensorProtoSchema, description as TensorProto),
    );
    return field(FIELD.initializer, rawData.length === 0 ? [own] : [own, ...field(FIELD.rawData, [rawData])]);
  });
  const bare = create(proto.GraphProtoSchema, { ...graph, initializer: [] });
  return [head, ...field(FIELD.graph, [toBinary(proto.GraphProtoSchema, bare), ...tensors])];
}

/** A field that holds some pieces, with its number and length before them. */
function field(number: number, pieces: readonly Uint8Array[]): Uint8Array[] {
  const length = pieces.reduce((total, piece) => total + piece.length, 0);
  const DELIMITED = 2;
  return [Uint8Array.from([...varint(number * 8 + DELIMITED), ...varint(length)]), ...pieces];
}

/** Seven bits in each byte, the lowest first; all but the last have the highest bit set. */
function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
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
