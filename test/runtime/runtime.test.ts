import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { execFile } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { TensorData } from "../../src/graph/index.js";
import {
  add,
  constant,
  input,
  lower,
  matmul,
  mul,
  parameter,
  reshape,
  tensorData,
  writeOnnx,
} from "../../src/graph/index.js";
import { zeros } from "../../src/nn/init.js";
import { nodeDevices, nodeRuntime } from "../../src/runtime/node.js";
import { nextName } from "../../src/runtime/runtime.js";
import type { Runtime } from "../../src/runtime/runtime.js";
import { sayIfSlow } from "../../src/runtime/slow-opening.js";
import { webRuntime } from "../../src/runtime/web.js";
import { workerRuntime } from "../../src/runtime/worker-node.js";
import { StriateError } from "../../src/util/errors.js";
import { runTypescript } from "../support/child.js";

const values = (tensor: TensorData | undefined): number[] => Array.from(tensor!.data as Float32Array);
const weights = tensorData([1, 2, 3, 4], [2, 2]);

function product(): Uint8Array {
  return writeOnnx({ y: matmul(input("x", ["batch", 2]), input("w", [2, 2])) }).bytes;
}

/** w <- w + x; returns the sum of x and twice the old w. */
function counter() {
  const x = input("x", [2, 2]);
  const w = parameter([2, 2], zeros, { name: "w" });
  const model = writeOnnx(lower({ [nextName("w")]: add(w, x), seen: add(x, mul(w, 2)) }, "portable")).bytes;
  return { model, state: { w: weights } };
}

const runtimes: [string, Runtime][] = [
  ["onnxruntime-node", nodeRuntime],
  ["a worker thread", workerRuntime],
  ["onnxruntime-web", webRuntime],
];

describe.each(runtimes)("%s", (_name, runtime) => {
  it("leaves bytes that it is given as they are, and takes models that are yet to be encoded", async () => {
    const bytes = product();
    const written = writeOnnx({ y: matmul(input("x", ["batch", 2]), input("w", [2, 2])) });
    for (const model of [bytes, written, written]) {
      const session = await runtime.createSession(model);
      const { y } = await session.run({ x: tensorData([0, 1], [1, 2]), w: weights });
      expect(values(y)).toEqual([3, 4]);
      await session.close();
    }
    expect(bytes).toEqual(product());
  });

  it("runs a model for any batch size", async () => {
    const session = await runtime.createSession(product());
    for (const batch of [1, 3]) {
      const x = tensorData(
        Array.from({ length: batch * 2 }, (_, i) => i),
        [batch, 2],
      );
      const { y } = await session.run({ x, w: weights });
      expect(y!.shape).toEqual([batch, 2]);
      expect(values(y).slice(0, 2)).toEqual([3, 4]);
    }
    await session.close();
  });

  it("names inputs that are missing or unknown", async () => {
    const session = await runtime.createSession(product());
    const x = tensorData([0, 1], [1, 2]);
    await expect(session.run({ x })).rejects.toThrow("inputs of the model: missing w");
    await expect(session.run({ x, w: weights, z: x })).rejects.toThrow("unknown z (expected x, w)");
    await session.close();
  });

  it("keeps the state of a program from step to step", async () => {
    const program = await runtime.createProgram(counter());
    const x = tensorData([1, 1, 1, 1], [2, 2]);
    const seen: number[][] = [];
    for (let step = 0; step < 3; step++) seen.push(values((await program.step({ x })).seen));
    expect(seen).toEqual([
      [3, 5, 7, 9],
      [5, 7, 9, 11],
      [7, 9, 11, 13],
    ]);
    const state = await program.readState();
    expect(values(state.w)).toEqual([4, 5, 6, 7]);
    await program.writeState({ w: weights });
    expect(values((await program.step({ x })).seen)).toEqual([3, 5, 7, 9]);
    await expect(program.writeState({})).rejects.toThrow('state "w" is missing');
    await expect(program.writeState({ w: tensorData([1], [1]) })).rejects.toThrow(
      'state "w": expected float32[2, 2], got float32[1]',
    );
    await program.close();
  });

  it("refuses numbers that do not fill the shape that they should have", async () => {
    const session = await runtime.createSession(product());
    const run = (shape: readonly number[], count: number) =>
      session.run({ x: { dtype: "float32", shape, data: new Float32Array(count) }, w: weights });
    const error: unknown = await run([2, 2], 3).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StriateError);
    expect((error as Error).message).toBe('input "x", float32[2, 2]: expected 4 values, got 3');
    await expect(run([-1, 2], 2)).rejects.toThrow(
      'input "x": shape: expected whole numbers of at least 0, got -1 at position 0',
    );
    await session.close();
  });

  it("refuses bytes that are no model", async () => {
    await expect(runtime.createSession(new Uint8Array([1, 2, 3]))).rejects.toThrow(/cannot run this model/);
  });

  it("names the node and the input in what goes wrong when it runs", async () => {
    const x = input("x", ["n", 2]);
    const baked = writeOnnx({ y: matmul(reshape(x, [1, -1]), constant([1, 2], [2, 1])) }).bytes;
    const session = await runtime.createSession(baked);
    const run = (shape: readonly number[]) =>
      session.run({ x: tensorData(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape) });
    await expect(run([1, 2])).resolves.toBeDefined();
    await expect(run([3, 2])).rejects.toThrow(
      /^the model cannot be run: node "MatMul_0" \(MatMul\): MatMul dimension mismatch; axis lengths inside the model do not fit the inputs/,
    );
    await expect(run([3, 3])).rejects.toThrow('input "x": axis 1 has length 3, expected 2');
    await expect(run([3])).rejects.toThrow('input "x" has 1 axes, expected 2');
    const error: unknown = await run([3]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StriateError);
    expect((error as Error).cause).toBeInstanceOf(Error);
    await session.close();
  });

  it("refuses a program whose graph lacks its state", async () => {
    const { model } = counter();
    const state = { w: weights, v: weights };
    await expect(runtime.createProgram({ model, state })).rejects.toThrow(
      "the training graph lacks v, next:v",
    );
  });
});

describe("a program on the CPU", () => {
  it("copies no output of a step", async () => {
    const shape = [256, 1024];
    const x = input("x", []);
    const w = parameter(shape, zeros, { name: "w" });
    const { bytes: model } = writeOnnx({ [nextName("w")]: add(w, x), seen: mul(x, 2) });
    const state = { w: tensorData(new Float32Array(256 * 1024), shape) };
    const program = await nodeRuntime.createProgram({ model, state });
    const before = process.memoryUsage().arrayBuffers;
    for (let step = 1; step <= 3; step++)
      expect(values((await program.step({ x: tensorData([step], []) })).seen)).toEqual([2 * step]);
    // One copy would take 1 MiB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 19);
    expect(values((await program.readState()).w).every((value) => value === 6)).toBe(true);
    await program.close();
  });

  it("keeps its state where a step fails", async () => {
    const x = input("x", ["any", 2]);
    const w = parameter([2, 2], zeros, { name: "w" });
    const { bytes: model } = writeOnnx({ [nextName("w")]: add(w, x) });
    const program = await nodeRuntime.createProgram({ model, state: { w: weights } });
    const three = tensorData([1, 1, 1, 1, 1, 1], [3, 2]);
    await expect(program.step({ x: three })).rejects.toThrow(/Add/);
    expect(values((await program.readState()).w)).toEqual(values(weights));
    await program.step({ x: weights });
    expect(values((await program.readState()).w)).toEqual([2, 4, 6, 8]);
    await program.close();
  });

  it("refuses an output whose shape is open", async () => {
    const x = input("x", ["batch", 2]);
    const w = parameter([2], zeros, { name: "w" });
    const { bytes: model } = writeOnnx({ [nextName("w")]: mul(w, 2), seen: mul(x, 2) });
    const state = { w: tensorData([1, 2], [2]) };
    await expect(nodeRuntime.createProgram({ model, state })).rejects.toThrow(
      'output "seen" of a program: expected a fixed shape, got [batch, 2]',
    );
  });
});

describe("devices", () => {
  it("says which devices there are when one is absent", async () => {
    const absent = (["webgpu", "cuda"] as const).find((device) => !nodeDevices().includes(device));
    if (absent !== undefined)
      await expect(nodeRuntime.createSession(product(), { device: absent })).rejects.toThrow(
        /use one of cpu/,
      );
    await expect(workerRuntime.createSession(product(), { device: "tpu" as "cpu" })).rejects.toThrow(
      'unknown device "tpu": expected one of cpu, webgpu, cuda, wasm',
    );
    await expect(webRuntime.createSession(product(), { device: "cuda" })).rejects.toThrow(
      /use wasm or webgpu/,
    );
  });

  it("keeps the calling thread free while a worker computes", async () => {
    const size = 1200;
    const square = tensorData(new Float32Array(size * size).fill(0.5), [size, size]);
    const a = input("a", [size, size]);
    const chain = Array.from({ length: 6 }).reduce<typeof a>((x) => mul(matmul(x, a), 1 / size), a);
    const session = await workerRuntime.createSession(writeOnnx({ y: chain }).bytes, { threads: 1 });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 2);
    const started = performance.now();
    await session.run({ a: square });
    clearInterval(timer);
    const elapsed = performance.now() - started;
    await session.close();
    expect(ticks).toBeGreaterThan(elapsed / 2 / 20);
  });
});

const driver = "/usr/lib/chromium/vk_swiftshader_icd.json";

describe("WebGPU", () => {
  it("takes the same training steps as the CPU", async (context) => {
    if (!nodeDevices().includes("webgpu") || !existsSync(driver)) {
      const reason = `no software Vulkan driver: ${driver} is missing (Debian's package chromium has it)`;
      console.log(`WebGPU skipped: ${reason}`);
      context.skip(reason);
    }
    const hooks = new URL("../support/typescript-hooks.mjs", import.meta.url).href;
    const script = fileURLToPath(new URL("./webgpu-steps.ts", import.meta.url));
    const env = {
      ...process.env,
      LD_LIBRARY_PATH: "/usr/lib/chromium",
      VK_ICD_FILENAMES: driver,
      XDG_RUNTIME_DIR: "/tmp",
    };
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", hooks, script], { env });
    const rows = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { gpu: number[]; cpu: number[]; difference: number });
    expect(rows).toHaveLength(2);
    for (const { gpu, cpu, difference } of rows) {
      gpu.forEach((loss, step) => {
        expect(loss).toBeCloseTo(cpu[step]!, 2);
      });
      // Adam turns rounding of gradients near 0 into steps of its rate, 0.001.
      expect(difference).toBeLessThan(3e-3);
    }
  });
});

describe("A process that ends while a worker computes", () => {
  it("has the exit status that it asked for", async () => {
    const child = runTypescript(new URL("./exit-child.ts", import.meta.url), []);
    expect(await child.nextLine()).toBe("computing");
    expect(await child.ended()).toMatchObject({ status: 3, signal: null });
  });
});

describe("Opening a graph", () => {
  it("is explained if it takes long", async () => {
    const said: string[] = [];
    const say = (line: string) => said.push(line);
    expect(await sayIfSlow(Promise.resolve(1), say, 20)).toBe(1);
    await wait(40);
    expect(said).toEqual([]);
    expect(await sayIfSlow(wait(60, 2), say, 20)).toBe(2);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain("fewer timesteps or a smaller network open faster");
  });
});
