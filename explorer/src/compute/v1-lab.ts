import { expose } from "comlink";
import type { Session, WebRuntime } from "striate";
import { Random, createWebRuntime } from "striate";
import { input, lower, writeOnnx } from "striate/graph";
import { V1_NOISE, VOneBlock, sampleReceptiveFields, tuningCurve } from "striate/vonenet";
import type { Population, PopulationRequest, Tuning, V1Answer } from "./v1-frame.js";
import { CELLS_PER_KIND, ORIENTATIONS, PHASES, SIGHT } from "./v1-frame.js";

/** V1 of the page. It runs in a worker of its own, so that the page never waits for it. */
export class V1Lab {
  #runtime: WebRuntime | undefined;
  #block: VOneBlock | undefined;
  /** The session of the block; undefined until the first responses are computed. */
  #session: Session | undefined;
  #images = 0;

  /** Draws a population. ONNX Runtime is not needed for that, so that the cells can be shown before it is loaded. */
  async draw(request: PopulationRequest): Promise<Population> {
    const { variant, seed, noise } = request;
    const fields = sampleReceptiveFields({ variant, simple: CELLS_PER_KIND, complex: CELLS_PER_KIND, seed });
    const block = new VOneBlock({ fields, ...SIGHT, ...(noise && { noise: { kind: "neuronal" } }) });
    const before = this.#session;
    [this.#block, this.#session] = [block, undefined];
    await before?.close();
    const { spatialFrequency, phase, nx, ny, simple, complex } = fields;
    const orientation = fields.orientation.map((degrees) => ((degrees % 180) + 180) % 180);
    const { kernels, size } = block.bank;
    return {
      ...request,
      ...{ simple, complex, orientation, spatialFrequency, phase, nx, ny },
      ...{ kernels, kernelSize: size, gain: block.gain },
    };
  }

  /**
   * Computes the responses to a grey image. A population with noise gets new noise for each image.
   *
   * @param pixels [64, 64], -1 (black) to 1 (white)
   */
  async respond(pixels: Float32Array): Promise<V1Answer> {
    const block = this.#drawn();
    const session = (this.#session ??= await this.#open(block));
    const began = performance.now();
    const { imageSize } = SIGHT;
    const data = new Float32Array(3 * pixels.length);
    for (const channel of [0, 1, 2]) data.set(pixels, channel * pixels.length);
    const shape = [1, block.cells, block.outputSize, block.outputSize];
    const { responses } = await session.run({
      images: { dtype: "float32", shape: [1, 3, imageSize, imageSize], data },
      ...(block.noise && {
        [V1_NOISE]: {
          dtype: "float32",
          shape,
          data: Random.derive("noise", this.#images++).fillNormal(
            new Float32Array(shape.reduce((a, b) => a * b)),
          ),
        },
      }),
    });
    return { responses: responses!.data as Float32Array, milliseconds: performance.now() - began };
  }

  tuning(cell: number): Tuning {
    const block = this.#drawn();
    return {
      cell,
      orientation: tuningCurve(block, cell, "orientation", ORIENTATIONS),
      phase: tuningCurve(block, cell, "phase", PHASES),
    };
  }

  async #open(block: VOneBlock): Promise<Session> {
    this.#runtime ??= await createWebRuntime({ device: "wasm" });
    const images = input("images", [1, 3, SIGHT.imageSize, SIGHT.imageSize]);
    const responses = block.forward(images, block.noiseInput(1));
    return this.#runtime.createSession(writeOnnx(lower({ responses }, "wasm")), {});
  }

  #drawn(): VOneBlock {
    if (this.#block === undefined) throw new Error("no population is drawn");
    return this.#block;
  }
}

expose(new V1Lab());
