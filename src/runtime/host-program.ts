import type { DType, TensorData } from "../graph/dtype.js";
import { allocate } from "../graph/dtype.js";
import { StriateError } from "../util/errors.js";
import { UNREAD, outputCopies, runCopied, runUncopied, withUnreadOutput } from "./output-copies.js";
import type { Ort, OrtSession } from "./ort.js";
import { checkFeeds, checkState, createOrtSession, fromOrt, mapValues, splitNames, toOrt } from "./ort.js";
import type { Program, ProgramSpec, SessionOptions } from "./runtime.js";
import { copyElements, copyOf, emptyLike, nextName } from "./runtime.js";

/**
 * Opens a program that onnxruntime-node runs on the CPU. Two sets of host buffers hold its state: each run
 * reads one set and writes the other, so that the state need not be copied.
 *
 * @throws StriateError if a graph output has no fixed shape
 */
export async function openHostProgram(
  ort: Ort,
  spec: ProgramSpec,
  options: SessionOptions,
): Promise<Program> {
  const avoidable = (await outputCopies(ort)) === "avoidable";
  const run = avoidable ? runUncopied : runCopied;
  const model = avoidable ? withUnreadOutput(spec.model) : spec.model;
  const session = await createOrtSession(ort, model, "cpu", options);
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
      await run(session, inputs, { ...fetches[next]!, ...results });
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

function fixedPort(session: OrtSession, name: string): FixedPort {
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
