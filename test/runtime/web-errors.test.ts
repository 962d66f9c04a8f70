import * as ort from "onnxruntime-node";
import { afterEach, describe, expect, it, vi } from "vitest";
import { input, lower, mul, sum, tensorData, writeOnnx } from "../../src/graph/index.js";
import { describeOrtError, isOutOfMemory, ortError } from "../../src/runtime/ort-error.js";
import type { Program, Runtime } from "../../src/runtime/runtime.js";
import { createWebRuntime } from "../../src/runtime/web.js";
import type { OrtWeb } from "../../src/runtime/ort-web.js";
import { WorkerClient } from "../../src/runtime/worker-client.js";
import { StriateError } from "../../src/util/errors.js";
import { Trainer } from "../../src/train/trainer.js";
import { train } from "../../src/train/run/run-web.js";
import { smallData, smallTask } from "../train/small-task.js";

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A browser whose adapter is the given one. */
function pretendGpu(gpu: { requestAdapter(): Promise<object | null> } | undefined): void {
  vi.stubGlobal("navigator", { ...(gpu && { gpu }) });
}

/** onnxruntime-web with a device of WebGPU that a test can lose; the CPU computes in its place. */
function losableGpu() {
  let lose: (how: { reason: string; message: string }) => void = () => undefined;
  const device = {
    lost: new Promise<{ reason: string; message: string }>((resolve) => (lose = resolve)),
    addEventListener: () => undefined,
    pushErrorScope: () => undefined,
    popErrorScope: () => Promise.resolve(null),
  };
  const create = (model: Uint8Array) => ort.InferenceSession.create(model, { executionProviders: ["cpu"] });
  const web = {
    InferenceSession: { create },
    Tensor: ort.Tensor,
    env: { wasm: {}, webgpu: { device: Promise.resolve(device) } },
  } as unknown as OrtWeb;
  return { web, lose };
}

/** A runtime whose programs cannot be opened, for the given reason. */
const failing = (error: Error): Runtime => ({
  device: "wasm",
  createSession: () => Promise.reject(error),
  createProgram: (): Promise<Program> => Promise.reject(error),
});

const recipe = { batchSize: 4, seed: 1, steps: 20 };

describe("WebGPU", () => {
  it("says what to do in a browser without it, or without an adapter", async () => {
    pretendGpu(undefined);
    await expect(createWebRuntime({ device: "webgpu" })).rejects.toThrow(
      'device "webgpu" is absent: this browser has no WebGPU; use wasm',
    );
    pretendGpu({ requestAdapter: () => Promise.resolve(null) });
    await expect(createWebRuntime({ device: "webgpu" })).rejects.toThrow(
      'device "webgpu" is absent: WebGPU finds no graphics adapter; use wasm',
    );
  });

  it("says so if the device is lost in the middle of training", async () => {
    pretendGpu({ requestAdapter: () => Promise.resolve({}) });
    const { web, lose } = losableGpu();
    const runtime = await createWebRuntime({ device: "webgpu", ort: web });
    const steps: number[] = [];
    const training = train(smallTask(), smallData(16), {
      ...recipe,
      runtime,
      onProgress: ({ step }) => {
        steps.push(step);
        if (step === 3) lose({ reason: "unknown", message: "the driver was reset" });
      },
    });
    await expect(training).rejects.toThrow(
      'the GPU device was lost (the driver was reset): reload the page to use WebGPU again, or use device "wasm"',
    );
    await expect(training).rejects.toBeInstanceOf(StriateError);
    expect(steps.length).toBeGreaterThanOrEqual(3);
    expect(steps.length).toBeLessThan(recipe.steps);
  });
});

describe("a lack of memory", () => {
  const enough = /there is not enough memory: run fewer images at once, take a smaller network/;

  it.each([
    ["Can't create a session. ERROR_CODE: 6, ERROR_MESSAGE: std::bad_alloc", /^std::bad_alloc; /],
    ["Aborted(OOM). Build with -sASSERTIONS for more info.", /^Aborted/],
    ["WebAssembly.Memory(): could not allocate memory", /could not allocate/],
    ["Array buffer allocation failed", /^Array buffer/],
    ["Invalid typed array length: 5000000000", /5000000000/],
    ["offset is out of bounds", /^offset/],
    ["memory access out of bounds", /^memory access/],
  ])("is told from other failures: %s", (message, text) => {
    const told = describeOrtError(new RangeError(message));
    expect(told).toMatch(enough);
    expect(told).toMatch(text);
    expect(isOutOfMemory(new RangeError(message))).toBe(true);
  });

  it("is not seen in other failures, nor twice in one", () => {
    for (const message of ["indices element out of data bounds", "Maximum call stack size exceeded"])
      expect(isOutOfMemory(new RangeError(message))).toBe(false);
    expect(isOutOfMemory(ortError("it failed", new Error("std::bad_alloc")))).toBe(false);
  });

  it("of WebAssembly ends a run whose product of two vectors has 10 GB", async () => {
    const side = 50_000;
    const runtime = await createWebRuntime({ device: "wasm" });
    const total = sum(mul(input("x", [side, 1]), input("y", [1, side])));
    const written = writeOnnx(lower({ total }, "wasm"));
    const session = await runtime.createSession(written, { optimisation: "disabled" });
    const ones = new Float32Array(side).fill(1);
    const feeds = { x: tensorData(ones, [side, 1]), y: tensorData(ones, [1, side]) };
    await expect(session.run(feeds)).rejects.toThrow(enough);
    await session.close();
  });

  it("of the page itself is one clear error of train", async () => {
    const training = train(smallTask(), smallData(16), {
      ...recipe,
      runtime: { ...failing(new RangeError("Array buffer allocation failed")), device: "wasm" },
    });
    await expect(training).rejects.toThrow(StriateError);
    await expect(training).rejects.toThrow(enough);
    const other = new TypeError("a mistake in the task");
    await expect(Trainer.open(smallTask(), smallData(16), recipe, failing(other))).rejects.toBe(other);
  });

  it("on the way to a worker is one clear error, and the worker stays", async () => {
    let hear: (message: unknown) => void = () => undefined;
    let isFull = true;
    const client = new WorkerClient({
      post: (message) => {
        if (isFull) throw new DOMException("Data cannot be cloned, out of memory.", "DataCloneError");
        const { id } = message as { id: number };
        setTimeout(() => {
          hear({ id, value: "answered" });
        });
      },
      listen: (listener) => (hear = listener),
      onFailure: () => undefined,
      end: () => Promise.resolve(),
    });
    const asked = { kind: "run", handle: 0, feeds: {} } as const;
    await expect(client.ask(asked)).rejects.toThrow(enough);
    isFull = false;
    expect(await client.ask(asked)).toBe("answered");
  });
});
