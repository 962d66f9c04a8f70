import { expose } from "comlink";
import type { Session, Stepper } from "striate";
import { createWebRuntime, exportOnnx, openModelStepper } from "striate";
import { loadPretrained } from "striate/pretrained";
import type { Frame, LabFacts, StepRequest } from "./frame.js";
import { FIELD } from "./frame.js";

/** The networks of the page. They run in a worker of their own, so that the page never waits for them. */
export class Lab {
  #kuramoto: Stepper | undefined;
  #random: Stepper | undefined;
  #real: Session | undefined;

  async open(): Promise<LabFacts> {
    const began = performance.now();
    const runtime = await createWebRuntime({ device: "wasm" });
    const [kuramoto, random, real] = await Promise.all([
      loadPretrained("komplexnet-digits2"),
      loadPretrained("random-phases-digits2"),
      loadPretrained("real-valued-digits2"),
    ]);
    this.#kuramoto = await openModelStepper(runtime, kuramoto, { seed: 1 });
    this.#random = await openModelStepper(runtime, random, { seed: 1 });
    this.#real = await runtime.createSession(exportOnnx(real.model, real.values), {});
    const accuracy = {
      kuramoto: kuramoto.card.figures[0]!.value,
      random: random.card.figures[0]!.value,
      real: real.card.figures[0]!.value,
    };
    return { device: runtime.device, opened: performance.now() - began, accuracy };
  }

  async step({ pixels, rate, repulsion, seed }: StepRequest): Promise<Frame> {
    const [kuramoto, random, real] = [this.#kuramoto, this.#random, this.#real];
    if (kuramoto === undefined || random === undefined || real === undefined)
      throw new Error("the lab is not open");
    if (seed !== undefined) await Promise.all([kuramoto.reset({ seed }), random.reset({ seed })]);
    const began = performance.now();
    const images = { images: pixels };
    const own = await kuramoto.step({ ...images, rate, desynchrony: repulsion });
    const milliseconds = performance.now() - began;
    const control = await random.step(images);
    const { logits } = await real.run({
      images: { dtype: "float32", shape: [1, 1, FIELD.height, FIELD.width], data: pixels },
    });
    return {
      phases: own.phases!.data as Float32Array,
      amplitudes: own.amplitude!.data as Float32Array,
      logits: {
        kuramoto: own.logits!.data as Float32Array,
        random: control.logits!.data as Float32Array,
        real: logits!.data as Float32Array,
      },
      milliseconds,
    };
  }
}

expose(new Lab());
