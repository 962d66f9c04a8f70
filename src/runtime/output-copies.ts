import type { TypedArray } from "../graph/dtype.js";
import { allocate, onnxTypeCode } from "../graph/dtype.js";
import { input, lower, relu, writeOnnx } from "../graph/index.js";
import { WireMessage } from "../graph/onnx/write/wire.js";
import { ortError } from "./ort-error.js";
import type { Ort, OrtSession, OrtValues } from "./ort.js";
import { createOrtSession, runOrtSession, toOrt } from "./ort.js";
import { copyElements } from "./runtime.js";

/*
 * After a run, onnxruntime-node 1.30 copies every output into a new array, even an output that the run has
 * already written into a buffer of the caller (microsoft/onnxruntime, pull request 32346, would end that). In
 * a training step, copying the state takes a twentieth of the time, and garbage collection of the new arrays
 * takes another twentieth. ONNX Runtime copies outputs in the order of the graph and throws an error at the
 * first output that is not a tensor. So if the first output is a sequence, the run ends after everything is
 * computed and before anything is copied.
 */

/**
 * Whether ONNX Runtime copies the outputs that a run writes into buffers of the caller: it copies "none" of
 * them; the copies are "avoidable" with an additional output that nobody reads ({@link withUnreadOutput},
 * {@link runUncopied}); or it "always" copies them.
 */
export type OutputCopies = "none" | "avoidable" | "always";

const found = new WeakMap<Ort, Promise<OutputCopies>>();

/**
 * Finds out which of these applies, with two runs of a model that has one operator. The result is kept for
 * each build of ONNX Runtime.
 */
export function outputCopies(ort: Ort): Promise<OutputCopies> {
  const known = found.get(ort) ?? probe(ort);
  found.set(ort, known);
  return known;
}

async function probe(ort: Ort): Promise<OutputCopies> {
  const { bytes } = writeOnnx(lower({ y: relu(input("x", [2])) }, "cpu"));
  const feeds = { x: toOrt(ort, { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) }) };
  const fetch = () => ({ y: toOrt(ort, { dtype: "float32", shape: [2], data: allocate("float32", 2) }) });

  const plain = await createOrtSession(ort, bytes, "cpu", {});
  const wanted = fetch();
  const { y } = await runOrtSession(plain, feeds, wanted);
  await plain.release();
  if (y!.data === wanted.y.data) return "none";

  const session = await createOrtSession(ort, withUnreadOutput(bytes), "cpu", {});
  const written = fetch();
  const avoided = await runUncopied(session, feeds, written).then(
    () => (written.y.data as TypedArray)[1] === 2,
    () => false,
  );
  await session.release();
  return avoided ? "avoidable" : "always";
}

/** The name of the output that {@link withUnreadOutput} adds. */
export const UNREAD = "striate:unread";
const NOT_A_TENSOR = "Non tensor type is temporarily not supported.";

/**
 * Returns the model with an empty sequence as an additional first output. It is enough to put its bytes
 * before those of the model, because protobuf messages merge if their bytes are joined.
 */
export function withUnreadOutput(model: Uint8Array): Uint8Array {
  const element = new WireMessage().message(1, new WireMessage().whole(1, onnxTypeCode("float32")));
  const type = new WireMessage().message(4, new WireMessage().message(1, element));
  const node = new WireMessage().text(2, UNREAD).text(3, UNREAD).text(4, "SequenceEmpty");
  const output = new WireMessage().text(1, UNREAD).message(2, type);
  const graph = new WireMessage().message(1, node).message(12, output);
  const first = new WireMessage().message(7, graph).encoded();
  const joined = new Uint8Array(first.length + model.length);
  joined.set(first);
  joined.set(model, first.length);
  return joined;
}

/** Runs a model that has an unread output, and writes every other output into its tensor in `fetches`. */
export async function runUncopied(session: OrtSession, feeds: OrtValues, fetches: OrtValues): Promise<void> {
  try {
    await session.run(feeds, { [UNREAD]: null, ...fetches });
  } catch (error) {
    if (!(error instanceof Error) || error.message !== NOT_A_TENSOR)
      throw ortError("the model cannot be run", error);
  }
}

/** Runs a model without an unread output, and writes or copies every output into its tensor in `fetches`. */
export async function runCopied(session: OrtSession, feeds: OrtValues, fetches: OrtValues): Promise<void> {
  const results = await runOrtSession(session, feeds, fetches);
  for (const [name, { data }] of Object.entries(fetches)) {
    const result = results[name]!.data;
    if (result !== data) copyElements(result as TypedArray, data as TypedArray);
  }
}
