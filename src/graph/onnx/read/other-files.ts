/*
 * Files that users mistake for ONNX files. An ONNX file is a protobuf message without a signature, so other
 * files are recognised by their own signatures before the bytes are parsed.
 */

const KINDS: readonly (readonly [starts: RegExp, what: string])[] = [
  [
    /^version https:\/\/git-lfs/,
    "a Git LFS pointer, not the file itself: fetch the file with `git lfs pull`, or download it instead of the pointer",
  ],
  [
    /^\s*(<!doctype html|<html)/i,
    "an HTML page: a download that ended at a web page, such as a login or a viewer",
  ],
  [/^\s*<\?xml/, "XML, such as an OpenVINO model: export the network as ONNX"],
  [/^\s*\{/, "JSON text: export the network as ONNX"],
  [
    /^PK\x03\x04/,
    "a ZIP archive, such as a PyTorch checkpoint (.pth, .pt) or a Keras file: export the network as ONNX",
  ],
  [
    /^\x80[\x02-\x05]/,
    "a Python pickle, such as a PyTorch checkpoint (.pth, .pt): export the network as ONNX",
  ],
  [/^\x89HDF\r\n/, "an HDF5 file, such as a Keras model (.h5): export the network as ONNX"],
  [/^.{4}TFL3/s, "a TensorFlow Lite model (.tflite): export the network as ONNX"],
  [/^.{4}ORTM/s, "a model in ONNX Runtime's own format (.ort): give the .onnx file that it was made from"],
  [/^\x93NUMPY/, "a NumPy array"],
  [/^\x1f\x8b/, "compressed with gzip: unpack it first"],
  [/^.{8}\{"/s, "a safetensors file: weights without the network; export the network as ONNX"],
];

const LOOKED_AT = 512;

/** The kind of file to which the bytes belong, or undefined if they may be an ONNX file. */
export function otherFile(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, LOOKED_AT));
  const known = KINDS.find(([starts]) => starts.test(head))?.[1];
  if (known !== undefined) return known;
  return /^[\t\r\n\x20-\x7e]{16,}$/.test(head) ? "text" : undefined;
}
