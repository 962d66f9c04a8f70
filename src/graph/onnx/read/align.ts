import { bytesPerElement, dtypeFromOnnx } from "../../dtype.js";
import type { TensorProto } from "../generated/onnx_pb.js";

/** Smaller values may as well be copied. */
const SMALLEST = 1024;
/** The number of the field and the length that stand before values of 1024 bytes or more take at least this many bytes. */
const BEFORE = 3;

/**
 * Protobuf puts values at any byte, but a typed array can view them only at a multiple of its element's width. Moves values of up to 4 bytes back
 * to the next such place, over the length before them, which nobody reads again.
 *
 * @param tensor a message whose raw bytes are a view of the file that it was parsed from
 * @param what how messages call it
 * @throws StriateError for an unsupported element type
 */
export function alignInPlace(tensor: TensorProto, what: string): void {
  const { rawData, dataType } = tensor;
  if (rawData.length < SMALLEST) return;
  const width = bytesPerElement(dtypeFromOnnx(dataType, what));
  const { buffer, byteOffset, length } = rawData;
  const back = byteOffset % width;
  if (width < 1 || back === 0 || back > BEFORE) return;
  const all = new Uint8Array(buffer);
  all.copyWithin(byteOffset - back, byteOffset, byteOffset + length);
  tensor.rawData = all.subarray(byteOffset - back, byteOffset - back + length);
}
