import type { SessionOptions } from "../runtime/runtime.js";
import { sessionOptionsOf } from "../runtime/runtime.js";
import { workerRuntime } from "../runtime/worker-node.js";
import { Evaluator } from "../train/evaluator.js";
import type { Task } from "../train/task.js";
import { closing } from "../util/closing.js";

/** The results of the cells of earlier stages. */
type Done<C, R> = ReadonlyMap<C, R>;

/** Adds the number of seconds that the work took to its result. The work returns undefined if it was stopped. */
export function timed<W extends readonly unknown[], T extends object>(
  work: (...given: W) => Promise<T | undefined>,
): (...given: W) => Promise<(T & { readonly seconds: number }) | undefined> {
  return async (...given) => {
    const started = performance.now();
    const result = await work(...given);
    return result && { ...result, seconds: (performance.now() - started) / 1000 };
  };
}

/**
 * Returns a function that runs each cell with the function for its kind, and adds the kind and the duration
 * in seconds to the result. C is the type of the cells, R that of their results and O that of the options.
 */
export function byKind<
  C extends { readonly kind: string },
  R extends { readonly kind: C["kind"] },
  O,
>(works: {
  readonly [K in C["kind"]]: (
    config: Extract<C, { readonly kind: K }>,
    options: O,
    done: Done<C, R>,
  ) => Promise<Omit<Extract<R, { readonly kind: K }>, "kind" | "seconds"> | undefined>;
}): (config: C, options: O, done?: Done<C, R>) => Promise<R | undefined> {
  return timed(async (config, options, done = new Map()) => {
    const work = works[config.kind as C["kind"]] as (
      ...given: [C, O, Done<C, R>]
    ) => Promise<object | undefined>;
    const result = await work(config, options, done);
    return result && ({ kind: config.kind, ...result } as R);
  });
}

/**
 * Calls `use` with an evaluator of the task, and closes the evaluator afterwards. The evaluator takes all
 * parameters as inputs and runs in a worker.
 */
export function withEvaluator<T>(
  task: Task,
  batch: number,
  options: SessionOptions,
  use: (evaluator: Evaluator) => Promise<T>,
): Promise<T> {
  return closing(Evaluator.open(task, batch, new Map(), workerRuntime, sessionOptionsOf(options)), use);
}
