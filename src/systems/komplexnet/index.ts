/**
 * KomplexNet: complex-valued networks whose phases synchronise (Muzellec, Alamia, Serre, VanRullen, TMLR 2025;
 * arXiv:2502.21077).
 *
 * A good order in which to read the files:
 * 1. `config.ts`: all options, with the authors' values as defaults.
 * 2. `gabor.ts` and `phases.ts`: the first layer, and the phases before the first timestep.
 * 3. `kuramoto.ts`: the equation of the phases, in {@link kuramoto}; the coupling kernel K comes from `coupling.ts`.
 * 4. `complex-layers.ts` and `complex-max-pool.ts`: complex-valued layers. The function `lift` makes them
 *    from real-valued ones.
 * 5. `stages.ts` and `model.ts`: the network, {@link KomplexNet}, unrolled over the timesteps.
 * 6. `feedback.ts`: the terms that deeper layers add to the equation of the phases, in {@link Feedback}.
 * 7. `training/`: the synchrony loss ({@link synchronyLoss}), the loss of the whole network, and the tasks
 *    for training.
 * 8. `step.ts`: one timestep as a graph. `baselines/`: the networks with which the paper compares KomplexNet.
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
