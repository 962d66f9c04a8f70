import { expose } from "comlink";
import type { Stepper } from "striate";
import { createWebRuntime, metrics, openStepper } from "striate";
import { loadPretrained } from "striate/pretrained";
import type { Computed } from "../parts/player.js";
import type { PredifyFacts, PredifyFrame, PredifyRequest, Weights } from "./predify-frame.js";

/** The network with predictive feedback. It runs in a worker of its own, so that the page never waits for it. */
export class PredifyLab {
  #stepper: Stepper | undefined;
  #tuned: readonly Weights[] = [];

  async open(): Promise<PredifyFacts> {
    const runtime = await createWebRuntime({ device: "wasm" });
    const { model, values, card } = await loadPretrained("predify-digits");
    this.#stepper = await openStepper(runtime, { model, values });
    this.#tuned = model.network.pcoders.map(({ hyperparameters }) => hyperparameters);
    return { figures: card.figures, tuned: this.#tuned };
  }

  /** Computes all timesteps of one run. */
  async run({ pixels, weights, timesteps }: PredifyRequest): Promise<Computed<PredifyFrame>> {
    const stepper = this.#stepper;
    if (stepper === undefined) throw new Error("the lab is not open");
    const sets = this.#tuned.map((tuned) => weights ?? tuned);
    const inputs = {
      images: pixels,
      feedforward: Float32Array.from(sets, ({ feedforward }) => feedforward),
      feedback: Float32Array.from(sets, ({ feedback }) => feedback),
      error: Float32Array.from(sets, ({ error }) => error),
    };
    await stepper.reset();
    const frames: PredifyFrame[] = [];
    const times: number[] = [];
    for (let timestep = 0; timestep <= timesteps; timestep++) {
      const began = performance.now();
      const outputs = await stepper.step(inputs);
      times.push(performance.now() - began);
      const each = (name: string): Float32Array[] =>
        sets.map((_, i) => (outputs[`${name}.pcoder${i + 1}`]!.data as Float32Array).slice());
      frames.push({
        timestep,
        probabilities: softmax(outputs.logits!.data as Float32Array),
        reconstructions: each("reconstruction"),
        errors: each("error").map((error) => error[0]!),
      });
    }
    return { frames, milliseconds: metrics.median(times) };
  }
}

function softmax(logits: Float32Array): number[] {
  const most = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

expose(new PredifyLab());
