/**
 * AKOrN: artificial Kuramoto oscillatory neurons (Miyato, Löwe, Geiger, Welling, ICLR 2025; arXiv:2410.13821).
 *
 * A good order in which to read the files:
 * 1. `layer/oscillators.ts`: how channels of a tensor are grouped into oscillators, which are vectors of n
 *    components.
 * 2. `layer/kuramoto-layer.ts`: the update of the oscillators (equation 2 of the paper) and their energy, in
 *    {@link KuramotoLayer.forward}, with the derivation of the form that is computed.
 * 3. `coupling.ts`, `map-couplings.ts` and `attention-coupling.ts` in `layer/`: the coupling, Conn in the
 *    paper. `layer/natural-frequency.ts`: natural frequencies, Omega in the paper.
 * 4. `layer/readout.ts`: the phase-invariant read-out (equation 7 of the paper), in {@link ReadOutConv}.
 * 5. `objects/`, `sudoku/` and `recognition/`: a network and a task for each of the paper's experiments.
 *    `objects/` also contains up-tiling and clustering, and `sudoku/` voting by energy.
 * 6. `layer/layers-in-turn.ts`: one timestep of a network as a graph. `layer/with-kuramoto.ts`: adds a
 *    Kuramoto layer to any model.
 * 7. `iterative-baselines.ts`: the networks with which the paper compares AKOrN. `authors-names.ts`: reads
 *    the authors' state dictionaries.
 *
 * @module striate/akorn
 */
export * from "./layer/attention-coupling.js";
export type { AuthorsModel } from "./authors-choices.js";
export * from "./authors-names.js";
export * from "./layer/coupling.js";
export * from "./sudoku/energy-voting.js";
export * from "./layer/grid.js";
export * from "./iterative-baselines.js";
export * from "./layer/kuramoto-layer.js";
export * from "./layer/layers-in-turn.js";
export * from "./layer/map-couplings.js";
export * from "./layer/natural-frequency.js";
export * from "./layer/norm-relu-conv.js";
export * from "./objects/network.js";
export * from "./layer/oscillators.js";
export * from "./objects/patches.js";
export * from "./objects/position-code.js";
export * from "./objects/projection-head.js";
export * from "./layer/readout.js";
export * from "./recognition/network.js";
export * from "./layer/rotations.js";
export * from "./sudoku/encoding.js";
export * from "./sudoku/network.js";
export * from "./objects/task.js";
export * from "./recognition/task.js";
export * from "./sudoku/task.js";
export * from "./layer/with-kuramoto.js";
export * from "./objects/segmentation.js";
export * from "./objects/up-tiling.js";
