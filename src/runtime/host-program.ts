import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-common";
import type { DType, TensorData } from "../graph/dtype.js";
import { allocate, onnxTypeCode } from "../graph/dtype.js";
import { WireMessage } from "../graph/onnx/write/wire.js";
import { StriateError } from "../util/errors.js";
import { ortError } from "./ort-error.js";
import type { Ort } from "./ort.js";
import { checkFeeds, checkState, createOrtSession, fromOrt, mapValues, splitNames, toOrt } from "./ort.js";
import type { Program, ProgramSpec, SessionOptions } from "./runtime.js";
import { copyElements, copyOf, emptyLike, nextName } from "./runtime.js";

/**
 * A program of onnxruntime-node on the CPU. Its state is in two sets of host buffers, made once: every run reads one and
 * writes the other, and nothing is copied.
 *
 * @throws StriateError if a graph output has no fixed shape
 */
export async function openHostProgram(
  ort: Ort,
  spec: ProgramSpec,
  options: SessionOptions,
): Promise<Program> {
  const session = await createOrtSession(ort, withUnreadOutput(spec.model), "cpu", options);
  const { fed, returned } = splitNames(session, spec.state);
  const ports = returned.filter((name) => name !== UNREAD).map((name) => fixedPort(session, name));
  const sides = [mapValues(spec.state, copyOf), mapValues(spec.state, emptyLike)] as const;
  const wrapped = sides.map((side) => mapValues(side, (value) => toOrt(ort, value)));
  const fetches = wrapped.map((side) =>
    Object.fromEntries(Object.entries(side).map(([name, tensor]) => [nextName(name), tensor])),
  );
  let current: 0 | 1 = 0;
  return {
    device: "cpu",
    step: async (feeds) => {
      checkFeeds(fed, feeds);
      const next = current === 0 ? 1 : 0;
      const inputs = { ...wrapped[current]!, ...mapValues(feeds, (value) => toOrt(ort, value)) };
      const results = Object.fromEntries(ports.map((port) => [port.name, toOrt(ort, empty(port))]));
      await runUncopied(session, inputs, { ...fetches[next]!, ...results });
      current = next;
      return mapValues(results, fromOrt);
    },
    readState: () => Promise.resolve(mapValues(sides[current], copyOf)),
    writeState: async (state) => {
      checkState(spec.state, state);
      for (const [name, { data }] of Object.entries(sides[current])) copyElements(state[name]!.data, data);
      return Promise.resolve();
    },
    close: () => session.release(),
  };
}

interface FixedPort {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

function fixedPort(session: InferenceSession, name: string): FixedPort {
  const found = session.outputMetadata.find((port) => port.name === name);
  if (!found?.isTensor || !found.shape.every((length) => typeof length === "number")) {
    const shape = found?.isTensor ? `[${found.shape.join(", ")}]` : "no tensor";
    throw new StriateError(`output "${name}" of a program: expected a fixed shape, got ${shape}`);
  }
  return { name, dtype: found.type as DType, shape: found.shape };
}

function empty({ dtype, shape }: FixedPort): TensorData {
  const size = shape.reduce((a, b) => a * b, 1);
  return { dtype, shape, data: allocate(dtype, size) };
}

/*
 * onnxruntime-node 1.30 copies every output into a new array after the run, even if the run wrote the output into our
 * buffer (microsoft/onnxruntime, pull request 32346, would end that). For the state of a training step, the copy takes
 * a twentieth of the time, plus the time to collect the arrays. The package converts outputs in the order of the graph
 * and stops with an error at the first one that is not a tensor. With a sequence as the first output, the run therefore
 * ends when everything is computed and nothing is copied. A version that converts sequences, or does not copy, simply
 * returns.
 */

const UNREAD = "striate:unread";
const NOT_A_TENSOR = "Non tensor type is temporarily not supported.";

/** The model with an empty sequence before its outputs. Protobuf messages merge if their bytes are joined. */
function withUnreadOutput(model: Uint8Array): Uint8Array {
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

/** Runs a model with an extra first output. The buffers of all wanted outputs are in `fetches`. */
async function runUncopied(
  session: InferenceSession,
  feeds: Record<string, OrtTensor>,
  fetches: Record<string, OrtTensor>,
): Promise<void> {
  try {
    await session.run(feeds, { [UNREAD]: null, ...fetches });
  } catch (error) {
    if (!(error instanceof Error) || error.message !== NOT_A_TENSOR)
      throw ortError("the model cannot be run", error);
  }
}
