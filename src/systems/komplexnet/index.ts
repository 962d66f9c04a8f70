/**
 * KomplexNet: complex-valued networks whose phases synchronise (Muzellec, Alamia, Serre, VanRullen, TMLR 2025;
 * arXiv:2502.21077).
 *
 * A reading order:
 * 1. `config.ts`: every choice that the paper leaves to its user, with the authors' values.
 * 2. `gabor.ts` and `phases.ts`: the first layer, and the phases before the first timestep.
 * 3. `kuramoto.ts`: the equation of the phases, in {@link kuramoto}; the coupling kernel K comes from `coupling.ts`.
 * 4. `complex-layers.ts` and `complex-max-pool.ts`: a real-valued layer lifted to complex numbers, in `lift`.
 * 5. `stages.ts` and `model.ts`: the network, {@link KomplexNet}, unrolled over the timesteps.
 * 6. `feedback.ts`: the terms that deeper layers add to the equation of the phases, in {@link Feedback}.
 * 7. `training/`: the synchrony loss ({@link synchronyLoss}), the losses of a whole network, and the tasks.
 * 8. `step.ts`: one timestep as a graph. `baselines/`: the networks that the paper compares with.
 *
 * @module striate/komplexnet
 */
export * from "./authors-names.js";
export * from "./complex-layers.js";
export * from "./complex-max-pool.js";
export * from "./config.js";
export * from "./coupling.js";
export * from "./training/coupling-task.js";
export * from "./feedback.js";
export * from "./gabor.js";
export * from "./kuramoto.js";
export * from "./training/losses.js";
export * from "./model.js";
export * from "./phases.js";
export * from "./baselines/real-baseline.js";
export * from "./stages.js";
export * from "./step.js";
export * from "./training/synchrony-loss.js";
export * from "./training/tasks.js";
export * from "./baselines/transformer-baseline.js";
