import type { Tensor, TensorData } from "../../../src/graph/index.js";
import {
  add,
  concat,
  constant,
  mul,
  reshape,
  slice,
  squeeze,
  sum,
  tensorData,
  unsqueeze,
} from "../../../src/graph/index.js";
import { contrastiveLoss } from "../../../src/nn/contrastive-loss.js";
import { namedParameters } from "../../../src/nn/module.js";
import type { KuramotoCouplingOptions } from "../../../src/systems/akorn/index.js";
import {
  AttentionCoupling,
  KuramotoLayer,
  NaturalFrequency,
  ReadOutConv,
  positionAngles,
  sinusoidalCode,
  turns,
} from "../../../src/systems/akorn/index.js";
import type { Evaluate } from "../evaluate.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf } from "../golden-case.js";
import type { GoldenKind, Results } from "../harness.js";
import type { Loaded } from "./support.js";
import {
  flagOf,
  inputFor,
  layerOptions,
  load,
  numberOf,
  parametersOf,
  wantedGradients,
  wordOf,
} from "./support.js";

/** y of one module, loss sum(y cot), gradients. */
async function moduleCase(
  golden: GoldenCase,
  evaluate: Evaluate,
  loaded: Loaded,
  forward: (x: Tensor) => Tensor,
): Promise<Results> {
  const [x, cot] = [inputFor(golden, "input.x"), inputFor(golden, "input.cot")];
  const y = forward(x);
  const loss = sum(mul(y, cot));
  const outputs = {
    "output.y": y,
    "output.loss": loss,
    ...wantedGradients(golden, loss, loaded, { x }),
  };
  const feeds = {
    "input.x": tensorOf(golden, "input.x"),
    "input.cot": tensorOf(golden, "input.cot"),
    ...Object.fromEntries(loaded.state),
  };
  return new Map(Object.entries(await evaluate(outputs, feeds)));
}

const omega: GoldenKind = {
  name: "natural frequency",
  matches: ({ tensors }) => tensors.has("param.omg_param"),
  run: (golden, evaluate) => {
    const frequency = new NaturalFrequency(numberOf(golden, "ch"), {
      initial: numberOf(golden, "init_omg"),
      shared: flagOf(golden, "global_omg", false),
      trained: flagOf(golden, "learn_omg", true),
    });
    // On its own the authors' parameter has no module in front of its name.
    const dictionary = new Map([["omg.omg_param", tensorOf(golden, "param.omg_param")]]);
    const { parameters } = load("kuramotoLayer", { naturalFrequency: frequency }, dictionary);
    const values = new Map([...parameters.keys()].map((name) => [name, tensorOf(golden, "param.omg_param")]));
    const loaded: Loaded = { kind: "kuramotoLayer", parameters, state: values };
    const renamed = new Map(
      [...golden.tensors].map(([name, value]) => [
        name.replace(/param\.omg_param/, "param.omg.omg_param"),
        value,
      ]),
    );
    return moduleCase({ ...golden, tensors: renamed }, evaluate, loaded, (x) => frequency.forward(x)).then(
      (results) =>
        new Map([...results].map(([name, value]) => [name.replace(".omg.omg_param", ".omg_param"), value])),
    );
  },
};

const attention: GoldenKind = {
  name: "attention",
  matches: ({ tensors }) => tensors.has("param.W_qkv.weight") && tensors.has("output.y"),
  run: (golden, evaluate) => {
    const [height, width] = golden.config.hw as [number, number];
    const coupling = new AttentionCoupling(numberOf(golden, "ch"), {
      heads: numberOf(golden, "heads"),
      grid: golden.tensors.has("param.mat_q") ? [height, width] : undefined,
    });
    return moduleCase(golden, evaluate, load("attention", coupling, parametersOf(golden)), (x) =>
      coupling.forward(x),
    );
  },
};

const readout: GoldenKind = {
  name: "read-out",
  matches: ({ tensors }) => tensors.has("param.invconv.weight") && tensors.has("output.y"),
  run: (golden, evaluate) => {
    const module = new ReadOutConv(
      numberOf(golden, "inch"),
      numberOf(golden, "outch"),
      numberOf(golden, "ro_N"),
      numberOf(golden, "kernel_size"),
    );
    return moduleCase(golden, evaluate, load("readout", module, parametersOf(golden)), (x) =>
      module.forward(x),
    );
  },
};

function couplingOptions(golden: GoldenCase): KuramotoCouplingOptions {
  const { config, tensors } = golden;
  const shape = tensorOf(golden, "input.x").shape;
  if (tensors.has("param.connectivity.W_qkv.weight")) {
    const [height, width] = (config.hw ?? shape.slice(2)) as [number, number];
    const grid = flagOf(golden, "gta", false) ? ([height, width] as const) : undefined;
    return { type: "attention", heads: numberOf(golden, "heads"), grid };
  }
  const weight = tensorOf(golden, "param.connectivity.weight").shape;
  if (weight.length === 4) return { type: "convolution", kernel: weight[2]! };
  return { type: "dense", positions: shape.slice(2).reduce((a, b) => a * b, 1) };
}

const layer: GoldenKind = {
  name: "Kuramoto layer",
  matches: ({ tensors }) => tensors.has("output.xs.0") && tensors.has("input.cot_e"),
  run: async (golden, evaluate) => {
    const module = new KuramotoLayer({
      ...layerOptions(golden),
      channels: numberOf(golden, "ch"),
      coupling: couplingOptions(golden),
    });
    const loaded = load("kuramotoLayer", module, parametersOf(golden));
    const [x, c, cot, cotE] = ["x", "c", "cot", "cot_e"].map((name) => inputFor(golden, `input.${name}`)) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const steps = numberOf(golden, "T");
    const { last, states, energies } = module.forward(x, c, {
      steps,
      stepSize: numberOf(golden, "gamma", 1),
    });
    // Column t of the energies is weighed by the same cotangent, one number for each sample.
    const loss = add(sum(mul(last, cot)), mul(sum(mul(slice(energies, [{ axis: 0, start: 1 }]), cotE)), 0.1));
    const outputs = {
      ...Object.fromEntries(states.map((state, t) => [`output.xs.${t}`, state])),
      "output.es": energies,
      "output.loss": loss,
      ...wantedGradients(golden, loss, loaded, { x, c }),
    };
    const feeds = Object.fromEntries([...golden.tensors].filter(([name]) => name.startsWith("input.")));
    return new Map(
      Object.entries(await evaluate(outputs, { ...feeds, ...Object.fromEntries(loaded.state) })),
    );
  },
};

const rotations: GoldenKind = {
  name: "position transform",
  matches: ({ tensors }) => tensors.has("output.so2_full"),
  run: async (golden, evaluate) => {
    const grid = [numberOf(golden, "H"), numberOf(golden, "W")] as const;
    const width = numberOf(golden, "head_dim");
    const positions = grid[0] * grid[1];
    const angles = positionAngles(grid, width);
    const matrices = turns(angles);
    // All matrices before the cut to the planes of a head: [height, width, frequencies, axis, 2, 2].
    const frequencies = numberOf(golden, "nfreqs");
    const full = turns(positionAngles(grid, 4 * frequencies));
    // With one frequency, which is 1, the angles are the coordinates.
    const coordinates = Float32Array.from(positionAngles(grid, 4));
    const q = inputFor(golden, "input.q");
    const mat = constant(tensorData(matrices, [positions, width / 2, 2, 2]));
    const turned = await evaluate(
      { turned: turnedPairs(q, mat) },
      { "input.q": tensorOf(golden, "input.q") },
    );
    const channels = numberOf(golden, "posenc_d");
    return new Map<string, TensorData>([
      ["output.coord", tensorData(coordinates, [...grid, 2])],
      ["output.so2_full", tensorData(full, [...grid, frequencies, 2, 2, 2])],
      ["output.mat", tensorData(matrices, [positions, width / 2, 2, 2])],
      ["output.rep_mul_x", turned.turned!],
      ["output.posenc2d", tensorData(sinusoidalCode(channels, grid), [channels, ...grid])],
    ]);
  },
};

/** M u for the pairs u of q [..., positions, width] as the definition says it, for the layer folds M into its weights. */
function turnedPairs(q: Tensor, matrices: Tensor): Tensor {
  const entry = (row: number, column: number) =>
    squeeze(
      slice(matrices, [
        { axis: 2, start: row, end: row + 1 },
        { axis: 3, start: column, end: column + 1 },
      ]),
      [2, 3],
    );
  const [even, odd] = [0, 1].map((start) => slice(q, [{ axis: q.rank - 1, start, step: 2 }])) as [
    Tensor,
    Tensor,
  ];
  const rows = [0, 1].map((row) => add(mul(entry(row, 0), even), mul(entry(row, 1), odd)));
  return reshape(
    concat(
      rows.map((row) => unsqueeze(row, [row.rank])),
      q.rank,
    ),
    q.shape,
  );
}

const simclr: GoldenKind = {
  name: "contrastive loss",
  matches: ({ tensors }) => tensors.has("input.z0") && tensors.has("input.z1"),
  run: async (golden, evaluate) => {
    const [z0, z1] = [inputFor(golden, "input.z0"), inputFor(golden, "input.z1")];
    const similarities = { ip: "innerProduct", euclid: "euclidean", sq: "squaredEuclidean" } as const;
    const similarity = similarities[wordOf(golden, "loss_type", "ip") as keyof typeof similarities];
    const loss = contrastiveLoss(z0, z1, {
      temperature: numberOf(golden, "temperature"),
      normalise: flagOf(golden, "normalize", true),
      similarity,
    });
    const none = { kind: "attention" as const, parameters: namedParameters({}) };
    const outputs = { "output.loss": loss, ...wantedGradients(golden, loss, none, { z0, z1 }) };
    const feeds = Object.fromEntries(golden.tensors);
    return new Map(Object.entries(await evaluate(outputs, feeds)));
  },
};

export const partKinds: readonly GoldenKind[] = [omega, attention, readout, layer, rotations, simclr];
