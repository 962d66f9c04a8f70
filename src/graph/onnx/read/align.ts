import { bytesPerElement, dtypeFromOnnx } from "../../dtype.js";
import type { TensorProto } from "../generated/onnx_pb.js";

/** Number of bytes below which values are simply copied. */
const SMALLEST = 1024;
/**
 * Smallest number of bytes that the field number and the length take in front of values of at least 1024
 * bytes.
 */
const BEFORE = 3;

/**
 * Moves values so that a typed array can view them. Protobuf puts values at any byte, but a typed array must
 * begin at a multiple of the width of its elements. Values are moved back to the nearest such byte, if it is
 * at most 3 bytes away. They overwrite the length in front of them, which is not read again.
 *
 * @param tensor a message whose raw bytes are a view of the file that it was parsed from
 * @param what name of the tensor in error messages
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
