import { availableParallelism } from "node:os";
import type { TensorData } from "../graph/dtype.js";
import { allocate } from "../graph/dtype.js";
import { StriateError, check } from "../util/errors.js";
import type { Runtime, Session, Values } from "./runtime.js";
import { copyElements } from "./runtime.js";
import { workerRuntime } from "./worker-node.js";

export interface ParallelOptions {
  /** Samples in one piece (default: one piece for each thread). A model of a fixed batch needs that. */
  readonly piece?: number;
}

/**
 * As `workerRuntime`, but on the CPU a session cuts every batch into pieces along the first axis and runs them side by side,
 * in as many sessions of one thread as it may have threads (default: all cores). Threads then meet once in a batch instead of once
 * in every operator, and small pieces stay in the cache. Each session holds the model's weights.
 *
 * Every output must have samples along its first axis, every input too or be a single number, and no sample may have an
 * influence on another. Programs (training) are not cut.
 */
export function parallelRuntime({ piece }: ParallelOptions = {}): Runtime {
  check(
    piece === undefined || (Number.isInteger(piece) && piece > 0),
    () => `pieces of a batch: expected a whole number of samples, got ${piece!}`,
  );
  return {
    createProgram: (spec, options) => workerRuntime.createProgram(spec, options),
    createSession: async (model, options = {}) => {
      const { device = "cpu", threads = availableParallelism() } = options;
      if (device !== "cpu") return workerRuntime.createSession(model, options);
      const opened = await Promise.allSettled(
        Array.from({ length: threads }, () => workerRuntime.createSession(model, { ...options, threads: 1 })),
      );
      const sessions = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      const failed = opened.find((one) => one.status === "rejected");
      if (failed !== undefined) {
        await closeAll(sessions);
        throw failed.reason;
      }
      return sideBySide(sessions, piece);
    },
  };
}

async function closeAll(sessions: readonly Session[]): Promise<void> {
  await Promise.all(sessions.map((session) => session.close()));
}

function sideBySide(sessions: readonly Session[], piece: number | undefined): Session {
  const { device, inputNames, outputNames } = sessions[0]!;
  return {
    device,
    inputNames,
    outputNames,
    run: async (feeds, into = {}) => {
      const count = samplesOf(feeds);
      const size = piece ?? Math.ceil(count / sessions.length);
      const starts = Array.from({ length: Math.ceil(count / size) }, (_, i) => i * size);
      const outputs: Record<string, TensorData> = { ...into };
      let failure: { readonly error: unknown } | undefined;
      const work = async (session: Session): Promise<void> => {
        for (let start = starts.shift(); start !== undefined; start = starts.shift()) {
          if (failure !== undefined) return;
          const here = Math.min(size, count - start);
          try {
            const results = await session.run(windowOf(feeds, start, here));
            for (const [name, result] of Object.entries(results)) {
              checkResult(name, result, here);
              outputs[name] ??= longer(result, count);
              place(name, result, outputs[name], start);
            }
          } catch (error) {
            failure ??= { error };
          }
        }
      };
      await Promise.all(sessions.map(work));
      if (failure !== undefined) throw failure.error;
      return outputs;
    },
    close: () => closeAll(sessions),
  };
}

/** Length of the first axis, the same for all but single numbers. */
function samplesOf(feeds: Values): number {
  const batched = Object.entries(feeds).filter(([, { shape }]) => shape.length > 0);
  const count = batched[0]?.[1].shape[0] ?? 0;
  check(count > 0, () => "a batch in pieces: expected inputs with samples along their first axis");
  for (const [name, { shape }] of batched) {
    check(
      shape[0] === count,
      () =>
        `a batch in pieces: expected ${count} samples in "${name}" as in "${batched[0]![0]}", got ${shape[0]!}`,
    );
  }
  return count;
}

function windowOf(feeds: Values, start: number, count: number): Values {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, value]) => {
      if (value.shape.length === 0) return [name, value];
      const [samples, ...rest] = value.shape;
      const size = value.data.length / samples!;
      const data = value.data.slice(start * size, (start + count) * size);
      return [name, { dtype: value.dtype, shape: [count, ...rest], data }];
    }),
  );
}

function checkResult(name: string, { shape }: TensorData, count: number): void {
  check(
    shape[0] === count,
    () =>
      `a batch in pieces: "${name}" has no samples along its first axis (${count} went in, it is [${shape.join(", ")}])`,
  );
}

/** Room for all samples of which a result has some. */
function longer({ dtype, shape, data }: TensorData, count: number): TensorData {
  const [samples, ...rest] = shape;
  return { dtype, shape: [count, ...rest], data: allocate(dtype, (data.length / samples!) * count) };
}

function place(name: string, from: TensorData, to: TensorData, start: number): void {
  const size = from.data.length / from.shape[0]!;
  const target = to.data.subarray(start * size, start * size + from.data.length);
  if (target.length !== from.data.length || to.dtype !== from.dtype)
    throw new StriateError(
      `a batch in pieces: no room for "${name}" in a ${to.dtype}[${to.shape.join(", ")}]`,
    );
  copyElements(from.data, target);
}
