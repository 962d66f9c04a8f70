import { StriateError } from "../util/errors.js";

/*
 * A WebGPU device reports errors by events, not by exceptions: a refused call computes nothing, and the
 * buffers of its results stay zero. So code that runs work on a device must listen for these events.
 */

interface GpuError {
  readonly message: string;
}

/** The part of a browser's GPUDevice that is used here. */
export interface GpuDevice {
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  addEventListener(type: "uncapturederror", listen: (event: { readonly error: GpuError }) => void): void;
  pushErrorScope(filter: "validation" | "out-of-memory" | "internal"): void;
  popErrorScope(): Promise<GpuError | null>;
}

const SCOPES = ["validation", "out-of-memory", "internal"] as const;

/** Listens to one device and turns its reports into errors. */
export class GpuWatch {
  #problem: string | undefined;
  #lost: string | undefined;

  constructor(readonly device: GpuDevice) {
    device.addEventListener("uncapturederror", ({ error }) => (this.#problem ??= error.message));
    void device.lost.then(({ reason, message }) => {
      // onnxruntime-web itself destroys its device when the last session is closed, and makes a new one for
      // the next session.
      if (reason === "destroyed") return;
      this.#lost = [reason, message].filter((text) => text !== "" && text !== "unknown").join(": ");
    });
  }

  /**
   * Runs some work and waits until the device has accepted or refused each call. This takes a round trip to
   * the device, so it is used only for the first run of a model; later runs make the same calls.
   *
   * @throws StriateError if the device refused a call, ran out of memory or was lost.
   */
  async scoped<T>(work: () => Promise<T>): Promise<T> {
    this.check();
    for (const scope of SCOPES) this.device.pushErrorScope(scope);
    try {
      return await work();
    } finally {
      for (const _ of SCOPES) {
        const error = await this.device.popErrorScope();
        if (error !== null) this.#problem ??= error.message;
      }
      this.check();
    }
  }

  /** @throws StriateError if the device was lost, or refused a call since the last check. */
  check(): void {
    if (this.#lost !== undefined) {
      const why = this.#lost === "" ? "" : ` (${this.#lost})`;
      throw new StriateError(
        `the GPU device was lost${why}: reload the page to use WebGPU again, or use device "wasm"`,
      );
    }
    const problem = this.#problem;
    this.#problem = undefined;
    if (problem === undefined) return;
    const what = /memory/i.test(problem)
      ? "has too little memory"
      : "refused a call, so results would be wrong";
    throw new StriateError(
      `the GPU device ${what}: ${problem.replaceAll(/\s+/g, " ").trim()}; use smaller batches, or device "wasm"`,
    );
  }
}
