import type { Dim, Tensor } from "../../../graph/index.js";
import { input, unsqueeze } from "../../../graph/index.js";
import type { NamedParameters } from "../../../nn/module.js";
import { namedParameters } from "../../../nn/module.js";
import { overTime } from "../../../train/stack-timesteps.js";
import type { InferenceGraph, LossGraph, Task } from "../../../train/task.js";
import { check } from "../../../util/errors.js";
import type { KomplexNetConfig, KomplexNetOptions } from "../config.js";
import { komplexNetConfig } from "../config.js";
import { couplingParameter } from "../coupling.js";
import { FrontEnd } from "../gabor.js";
import { advance, kuramoto, phasesOf } from "../kuramoto.js";
import { PHASE_NOISE, drawOf, phaseNoiseInputs, randomPhases } from "../phases.js";
import { synchronyLoss } from "./synchrony-loss.js";
import { IMAGES, MASKS } from "./tasks.js";

/**
 * Trains a coupling kernel for synchrony alone, before any classification. The loss is the synchrony loss of
 * the phases after the last timestep. The Gabor filters are frozen at their initial values. The authors
 * trained kernels in this way for CCN 2023; their public code contains the kernels but not the training. To
 * use the trained parameter "coupling", pass it in the option `coupling: { kernel: "learnt", values }` of a
 * network in kuramotoMode "channels".
 *
 * The task takes the options of the network and ignores those of the layers that classify. Data fields:
 * "images" and "masks". Outputs: "phases" [timesteps, batch, oscillators, size, size], "amplitude" [batch,
 * oscillators, size, size] and "synchronyLoss" [timesteps, 1].
 *
 * Throws `StriateError` if the options leave no coupling to train.
 */
export class CouplingTask implements Task {
  readonly parameters: NamedParameters;
  readonly config: KomplexNetConfig;
  readonly #frontEnd: FrontEnd;
  readonly #coupling: Tensor;

  constructor(options: Omit<KomplexNetOptions, "kuramotoMode" | "phaseMode" | "feedback"> = {}) {
    check(
      options.coupling?.kernel !== "learnt",
      () => 'coupling.kernel: expected "gaussian" or "random" for training, got "learnt"',
    );
    this.config = komplexNetConfig({ ...options, kuramotoMode: "endtoend", phaseMode: "kuramoto" });
    this.#frontEnd = new FrontEnd(this.config, false);
    this.#coupling = couplingParameter(this.config);
    this.parameters = namedParameters({ frontEnd: this.#frontEnd, coupling: this.#coupling });
  }

  loss(batch: number): LossGraph {
    const { inputs, losses } = this.#trace(batch);
    const { loss, synchrony, desynchrony } = losses.at(-1)!;
    return { inputs, noise: { [PHASE_NOISE]: "uniform" }, loss, metrics: { synchrony, desynchrony } };
  }

  inference(batch: Dim): InferenceGraph {
    const { inputs, phases, amplitude, losses } = this.#trace(batch);
    return {
      inputs,
      noise: { [PHASE_NOISE]: "uniform" },
      outputs: {
        phases: overTime(phases),
        amplitude,
        synchronyLoss: overTime(losses.map(({ loss }) => unsqueeze(loss, [0]))),
      },
    };
  }

  #trace(batch: Dim) {
    const { inChannels, imageSize, objects, overlapChannel, background, timesteps } = this.config;
    const images = input(IMAGES, [batch, inChannels, imageSize, imageSize]);
    const masks = input(MASKS, [batch, 1 + objects + (overlapChannel ? 1 : 0), 1, imageSize, imageSize]);
    const draws = phaseNoiseInputs(this.config, batch);
    const amplitude = this.#frontEnd.amplitude(images);
    const synchronise = kuramoto(amplitude, this.#coupling, this.config);
    const phases: Tensor[] = [];
    let now = phasesOf(randomPhases(drawOf(draws, PHASE_NOISE)));
    for (let t = 0; t < timesteps; t++) {
      now = advance(now, [synchronise(now)]);
      phases.push(now.radians);
    }
    const losses = phases.map((step) =>
      synchronyLoss({ phases: step, amplitude, masks, background, overlapChannel }),
    );
    return { inputs: [images, masks, ...Object.values(draws)], phases, amplitude, losses };
  }
}
