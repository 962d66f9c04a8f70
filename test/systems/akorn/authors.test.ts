import { describe, expect, it } from "vitest";
import type { TensorData } from "../../../src/graph/index.js";
import { input, tensorData } from "../../../src/graph/index.js";
import { namedParameters } from "../../../src/nn/module.js";
import { asConstants } from "../../../src/nn/training-state.js";
import {
  IterativeObjectNetwork,
  NOISE,
  ObjectNetwork,
  RecognitionNetwork,
  SudokuNetwork,
  authorsName,
  fromAuthors,
} from "../../../src/systems/akorn/index.js";
import type { AuthorsModel, SudokuNetworkOptions } from "../../../src/systems/akorn/index.js";
import { Random } from "../../../src/util/random.js";
import { numbers, runGraph } from "../../support/run.js";
import { sudokuReference } from "../../support/sudoku-reference.js";

type Shapes = Readonly<Record<string, readonly number[]>>;

function dictionaryOf(shapes: Shapes): Map<string, TensorData> {
  return new Map(
    Object.entries(shapes).map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const draws = Random.derive("authors' dictionary", name).fillNormal(new Float32Array(size));
      // About as large as trained weights; gamma stays above 0.
      const scale = name === "embedding.weight" || name === "gamma" ? 1 : 0.4;
      return [name, tensorData(name === "gamma" ? [0.8] : draws.map((v) => scale * v), shape)];
    }),
  );
}

/** The tensors of the authors' Sudoku networks, written down from their dictionaries. */
function sudokuShapes(
  channels: number,
  { n = 4, heads = 2, layers = 1, nonlinear = true, omega = [2] as readonly number[] | false },
): Shapes {
  const shapes: Record<string, readonly number[]> = {
    gamma: [1],
    x0: [1, channels, 9, 9],
    "embedding.weight": [10, channels],
    "out.1.weight": [9, channels, 1, 1],
    "out.1.bias": [9],
  };
  const cell = (name: string, outputs: number) => {
    shapes[`${name}.weight`] = [outputs, channels, 1, 1];
    shapes[`${name}.bias`] = [outputs];
  };
  for (let layer = 0; layer < layers; layer++) {
    const at = `layers.${layer}`;
    if (omega) shapes[`${at}.0.omg.omg_param`] = omega;
    for (const matrix of ["q", "k", "v", "o"])
      shapes[`${at}.0.connectivity.mat_${matrix}`] = [81, channels / heads / 2, 2, 2];
    cell(`${at}.0.connectivity.W_qkv`, 3 * channels);
    cell(`${at}.0.connectivity.W_o`, channels);
    shapes[`${at}.1.0.bias`] = [channels];
    cell(`${at}.1.0.invconv`, n * channels);
    if (!nonlinear) continue;
    for (const part of ["1.fn.fn.0.fn.2", "1.fn.fn.1.fn.2", "2.fn.2"]) cell(`${at}.1.${part}`, channels);
  }
  return shapes;
}

const load = (
  kind: AuthorsModel,
  model: object,
  dictionary: ReadonlyMap<string, TensorData>,
): ReturnType<typeof fromAuthors> => fromAuthors(kind, namedParameters(model), dictionary);

const small = { channels: 8, heads: 2, timesteps: 3 } as const;
const shared = { initial: 0.5, shared: true } as const;

describe("the authors' Sudoku network", () => {
  it.each<[string, SudokuNetworkOptions, Parameters<typeof sudokuShapes>[1]]>([
    ["with three convolutions behind the read-out", { omega: shared }, {}],
    ["with the read-out alone", { omega: shared, nonlinear: false }, { nonlinear: false }],
    [
      "with two layers, read-outs alone, a frequency for each plane",
      { omega: {}, layers: 2, nonlinear: false, rotatingDimensions: 2 },
      { layers: 2, nonlinear: false, omega: [4, 2], n: 2 },
    ],
    [
      "without natural frequencies, read-out alone",
      { omega: false, nonlinear: false },
      { omega: false, nonlinear: false },
    ],
  ])("answers as its equations say: %s", async (_, options, shape) => {
    const dictionary = dictionaryOf(sudokuShapes(small.channels, shape));
    const model = new SudokuNetwork({ ...small, ...options });
    const state = load("sudokuNetwork", model, dictionary);
    expect([...state.keys()].map((name) => authorsName("sudokuNetwork", name)).sort()).toEqual(
      [...dictionary.keys()].sort(),
    );
    const random = Random.derive("authors' board");
    const digits = random.fillUniform(new Float32Array(81), 0, 10).map(Math.floor);
    const board = digits.map((digit, i) => (i % 3 === 0 ? digit : 0));
    const noise = random.fillNormal(new Float32Array(small.channels * 81));
    const tokens = input("tokens", [1, 9, 9], "int64");
    const { logits, layers } = model.forward({ tokens, noise: model.noiseInput(1) });
    const results = await runGraph(
      { logits, energies: layers.at(-1)!.energies },
      {
        tokens: { dtype: "int64", shape: [1, 9, 9], data: BigInt64Array.from(board, BigInt) },
        [NOISE]: tensorData(noise, [1, small.channels, 9, 9]),
      },
      { values: asConstants(state) },
    );
    const expected = sudokuReference(dictionary, board, noise, {
      n: options.rotatingDimensions ?? 4,
      heads: small.heads,
      timesteps: small.timesteps,
      nonlinear: options.nonlinear ?? true,
    });
    const furthest = (found: readonly number[], wanted: readonly number[]) =>
      found.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0);
    const largest = (values: readonly number[]) => Math.max(...values.map(Math.abs));
    const [found, energies] = [numbers(results.logits), numbers(results.energies)];
    expect(found).toHaveLength(expected.logits.length);
    expect(furthest(found, expected.logits)).toBeLessThan(1e-4 * largest(expected.logits));
    expect(energies).toHaveLength(expected.energies.length);
    expect(furthest(energies, expected.energies)).toBeLessThan(1e-5 * largest(expected.energies));
  });

  it("loads into a network of its own form only", () => {
    const dictionary = (nonlinear: boolean) => dictionaryOf(sudokuShapes(8, { nonlinear }));
    const network = (nonlinear?: boolean) =>
      new SudokuNetwork({ ...small, ...(nonlinear !== undefined && { nonlinear }) });
    expect(() => load("sudokuNetwork", network(), dictionary(false))).toThrow(
      'state dictionary: "layers.0.1.1.fn.fn.0.fn.2.weight" (our "blocks.0.readout.residual.0.conv.weight") is missing: ' +
        "the network has read-outs followed by three convolutions (nl=True; ours: nonlinear true), " +
        "but the dictionary has read-outs without further convolutions (nl=False; ours: nonlinear false)",
    );
    expect(() => load("sudokuNetwork", network(false), dictionary(true))).toThrow(
      'state dictionary: the network has no parameter for "layers.0.1.1.fn.fn.0.fn.2.weight": ' +
        "the dictionary has read-outs followed by three convolutions (nl=True; ours: nonlinear true), " +
        "but the network has read-outs without further convolutions (nl=False; ours: nonlinear false)",
    );
  });
});

describe("authors' dictionaries of other networks than the one they are to fill", () => {
  /** The dictionary of a network of ours, by the authors' names. */
  const written = (kind: AuthorsModel, model: object) =>
    dictionaryOf(
      Object.fromEntries(
        [...namedParameters(model)].map(([name, { shape }]) => [
          authorsName(kind, name),
          shape as readonly number[],
        ]),
      ),
    );
  const sudoku = (options: SudokuNetworkOptions = {}) => new SudokuNetwork({ ...small, ...options });
  const objects = (options: object = {}) =>
    new ObjectNetwork({ channels: 16, heads: 2, imageSize: 16, layers: 2, ...options });
  const iterative = (options: object = {}) =>
    new IterativeObjectNetwork({ channels: 16, heads: 2, imageSize: 16, ...options });
  const recognition = (options: object = {}) =>
    new RecognitionNetwork({ channels: 8, layers: 2, ...options });

  it.each<[AuthorsModel, network: object, dictionary: object, message: string]>([
    [
      "sudokuNetwork",
      sudoku({ omega: false }),
      sudoku(),
      'the network has no parameter for "layers.0.0.omg.omg_param": the dictionary has natural frequencies (use_omega=True), ' +
        "but the network has no natural frequencies (use_omega=False; ours: omega false)",
    ],
    [
      "objectNetwork",
      objects(),
      objects({ rotations: false }),
      '"layers.0.0.connectivity.mat_q" (our "blocks.0.kuramoto.coupling.rotations.query") is missing: the network has ' +
        "attention with learned rotations (gta=True), but the dictionary has no learned rotations (gta=False, or no attention)",
    ],
    [
      "objectNetwork",
      objects({ rotations: false }),
      objects(),
      '"pemb_x" (our "positions.oscillators") is missing: the network has position codes (gta=False; ours: rotations ' +
        "false), but the dictionary has no position codes (gta=True; ours: rotations true)",
    ],
    [
      "objectNetwork",
      objects({ coupling: "convolution" }),
      objects(),
      '"layers.0.0.connectivity.weight" (our "blocks.0.kuramoto.coupling.weight") is missing: the network has coupling by ' +
        'convolution (J="conv"), but the dictionary has a coupling other than convolution',
    ],
    [
      "objectNetwork",
      objects({ stimulusNorm: "none" }),
      objects(),
      'the network has no parameter for "layers.0.0.c_norm.weight": the dictionary has a group norm of the stimulus',
    ],
    [
      "objectNetwork",
      objects({ stimulusNorm: "scaleAndBias" }),
      objects(),
      '"layers.0.0.c_norm.scale" (our "blocks.0.kuramoto.stimulusNorm.scale") is missing: the network has a scale and bias',
    ],
    [
      "objectNetwork",
      objects({ readout: false }),
      objects(),
      'the network has no parameter for "layers.0.1.bias": the dictionary has read-outs (no_ro=False), but the network has no read-outs',
    ],
    [
      "objectNetwork",
      objects({ stateReadout: true }),
      objects(),
      '"layers.0.2.weight" (our "blocks.0.stateReadout.weight") is missing: the network has a convolution of the ' +
        "oscillators between layers (use_ro_x=True; ours: stateReadout true)",
    ],
    [
      "iterativeObjectNetwork",
      iterative({ rotations: true }),
      iterative(),
      '"transformer_encoder.0.attn.mat_q" (our "blocks.0.mix.rotations.query") is missing: the network has attention with',
    ],
    [
      "recognitionNetwork",
      recognition(),
      recognition({ norm: "none" }),
      '"layers.0.3.1.fn.fn.0.fn.0.weight" (our "blocks.0.readout.residual.0.norm.weight") is missing: the network has ' +
        'norms in the read-outs, but the dictionary has no norms in the read-outs (norm=None; ours: norm "none")',
    ],
    [
      "recognitionNetwork",
      recognition({ norm: "group" }),
      recognition(),
      'the network has no parameter for "layers.0.3.1.fn.fn.0.fn.0.running_mean": the dictionary has batch norms in the ' +
        'read-outs (norm="bn"), but the network has no batch norms in the read-outs',
    ],
  ])("%s %#: the message names the tensor and what differs", (kind, network, dictionary, message) => {
    expect(() => load(kind, network, written(kind, dictionary))).toThrow(`state dictionary: ${message}`);
    expect(load(kind, network, written(kind, network)).size).toBe(namedParameters(network).size);
  });

  it("count layers, and let a convolution's second name and counts of batches pass", () => {
    expect(() => load("objectNetwork", objects(), written("objectNetwork", objects({ layers: 1 })))).toThrow(
      "state dictionary: expected 2 layers, as the network has, got 1",
    );
    const dictionary = written("recognitionNetwork", recognition());
    for (const part of ["weight", "bias"])
      dictionary.set(`layers.1.0.1.${part}`, dictionary.get(`layers.1.0.0.${part}`)!);
    dictionary.set("layers.0.3.2.fn.0.num_batches_tracked", {
      dtype: "int64",
      shape: [],
      data: BigInt64Array.of(7n),
    });
    expect(load("recognitionNetwork", recognition(), dictionary).has("blocks.1.transition.weight")).toBe(
      true,
    );
    dictionary.set("layers.0.3.2.fn.9.weight", tensorData([1], [1]));
    expect(() => load("recognitionNetwork", recognition(), dictionary)).toThrow(
      'state dictionary: the network has no parameter for "layers.0.3.2.fn.9.weight"',
    );
  });

  it("may have kernels of another side in read-outs and transitions", () => {
    const single = recognition({ readoutKernel: 1 });
    const state = load("recognitionNetwork", single, written("recognitionNetwork", single));
    expect(state.get("blocks.1.readout.residual.0.conv.weight")!.shape).toEqual([16, 16, 1, 1]);
    expect(state.get("blocks.1.transition.weight")!.shape).toEqual([16, 8, 1, 1]);
    expect(() => load("recognitionNetwork", recognition(), written("recognitionNetwork", single))).toThrow(
      '"layers.0.3.0.invconv.weight": expected float32[16, 8, 3, 3], got float32[16, 8, 1, 1]',
    );
    expect(() => recognition({ readoutKernel: 2 })).toThrow(
      "recognition network: readoutKernel: expected an odd whole number of at least 1, got 2",
    );
  });

  it("may be those of a moving average, which then counts", () => {
    const average = written("sudokuNetwork", sudoku());
    const file = new Map<string, TensorData>([
      ["initted", { dtype: "bool", shape: [], data: Uint8Array.of(1) }],
    ]);
    for (const [name, value] of average) {
      const trained = tensorData(Float32Array.from(value.data as Float32Array).fill(0), value.shape);
      file.set(`online_model.${name}`, trained).set(`ema_model.${name}`, value);
    }
    expect(load("sudokuNetwork", sudoku(), file)).toEqual(load("sudokuNetwork", sudoku(), average));
    file.delete("ema_model.gamma");
    expect(() => load("sudokuNetwork", sudoku(), file)).toThrow('"gamma" (our "stepSize") is missing');
  });

  it("say nothing of choices if a tensor is missing from a dictionary that is else whole", () => {
    const dictionary = written("sudokuNetwork", sudoku());
    dictionary.delete("layers.0.1.2.fn.2.bias");
    expect(() => load("sudokuNetwork", sudoku(), dictionary)).toThrow(/last\.conv\.bias"\) is missing$/);
  });
});
