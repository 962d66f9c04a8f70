import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readOnnx } from "../../../src/graph/onnx/read/read.js";
import {
  Backbone,
  Decoder,
  PredifyConfigError,
  defaultDecoder,
  findCutPoints,
  parsePredifyConfig,
} from "../../../src/systems/predify/index.js";
import { isJsonObject } from "../../../src/util/json.js";
import type { GoldenCase } from "../golden-case.js";
import type { GoldenKind, Verdict } from "../harness.js";

const noResults = () => Promise.resolve(new Map());

const entriesOf = ({ content }: GoldenCase): Readonly<Record<string, unknown>>[] =>
  Array.isArray(content) && content.every(isJsonObject) ? content : [];

/** "what: expected A, got B" for each pair that differs. */
function differences(
  pairs: readonly (readonly [what: string, expected: unknown, actual: unknown])[],
): string[] {
  return pairs.flatMap(([what, expected, actual]) => {
    const [e, a] = [JSON.stringify(expected), JSON.stringify(actual)];
    return e === a ? [] : [`${what}: expected ${e}, got ${a}`];
  });
}

/** A backbone's file: module names lead to the tensors that equal the modules' outputs. */
const backboneFile: GoldenKind = {
  name: "backbone",
  matches: ({ config }) => Array.isArray(config.pcoder_tensors),
  run: noResults,
  verify: async ({ folder, file, config }): Promise<Verdict> => {
    const backbone = new Backbone(readOnnx(await readFile(join(folder, file)), { what: file }));
    const wanted = config.pcoder_tensors as readonly { module: string; tensor: string; shape: number[] }[];
    const failures = wanted.flatMap(({ module, tensor, shape }) => {
      const [cut] = findCutPoints(backbone, module, file);
      return differences([
        [module, tensor, cut?.name],
        [module, shape, cut?.shape],
      ]);
    });
    return { failures, compared: wanted.length };
  },
};

/** Source and target shapes, and the decoder that is built for them. Sizes that the original misses must be hit. */
const defaultDecoders: GoldenKind = {
  name: "default decoders",
  matches: (golden) => entriesOf(golden).some((entry) => "conv_transpose" in entry),
  run: noResults,
  verify: (golden): Promise<Verdict> => {
    const entries = entriesOf(golden);
    const failures = entries.flatMap((entry, i) => {
      const feature = (shape: unknown, axes: number) => (shape as number[]).slice(-axes);
      const conv = entry.conv_transpose as Readonly<Record<string, number>>;
      const axes = conv.dims! + 1;
      const [source, target] = [feature(entry.source_shape, axes), feature(entry.target_shape, axes)];
      const steps = defaultDecoder(source, target);
      const made = steps.at(-1)!;
      const resized = steps.length === 2 && steps[0]!.type === "upsample" ? steps[0] : undefined;
      const scale = resized && target.slice(1).map((length, axis) => length / source[axis + 1]!);
      if (made.type !== "convTranspose") return [`entry ${i}: it ends with ${made.type}`];
      const { prediction_shape: prediction, matches_target: matches } = entry;
      return differences([
        [`entry ${i} upsample`, entry.upsample, resized !== undefined],
        [`entry ${i} scale`, entry.scale_factor, scale ?? null],
        [`entry ${i} channels`, [conv.in_channels, conv.out_channels], [made.inChannels, made.outChannels]],
        [`entry ${i} kernel`, Array(conv.dims).fill(conv.kernel), made.kernel],
        [`entry ${i} stride`, Array(conv.dims).fill(conv.stride), made.stride],
        [`entry ${i} padding`, Array(conv.dims).fill(conv.padding), made.padding],
        // What the original misses by one, or cannot run, must fit here.
        [
          `entry ${i} prediction`,
          matches === true ? prediction : target,
          new Decoder(steps, source, target, "decoder").target,
        ],
      ]);
    });
    return Promise.resolve({ failures, compared: entries.length });
  },
};

/** TOML texts: taken or refused, for which key, read as what, with which warnings. */
const configurations: GoldenKind = {
  name: "configurations",
  matches: (golden) => entriesOf(golden).some((entry) => "toml" in entry),
  run: noResults,
  verify: (golden): Promise<Verdict> => {
    const entries = entriesOf(golden);
    const failures = entries.flatMap((entry) => {
      const label = String(entry.label);
      try {
        const { config, warnings } = parsePredifyConfig(String(entry.toml), { compatible: true });
        const parsed = {
          name: config.name,
          modules: config.pcoders.map(({ module }) => module),
          predictors: config.pcoders.map(({ predictor }) => predictor ?? null),
          hyperparameters: config.pcoders.map(({ hyperparameters }) => hyperparameters),
          imports: config.imports ?? null,
          input_size: config.inputSize,
          gradient_scaling: config.gradientScaling,
          shared_hyperparameters: config.sharedHyperparameters,
        };
        return differences([
          [`${label}: taken`, entry.ok, true],
          [`${label}: read as`, entry.parsed, parsed],
          [
            `${label}: warnings about`,
            entry.warnings_about,
            [...new Set(warnings.map(({ about }) => about))].sort(),
          ],
          [`${label}: warnings`, entry.warning_count, warnings.length],
        ]);
      } catch (error) {
        if (!(error instanceof PredifyConfigError)) throw error;
        return differences([
          [`${label}: taken (${error.message})`, entry.ok, false],
          [`${label}: error about`, entry.error_about, error.about],
        ]);
      }
    });
    return Promise.resolve({ failures, compared: entries.length });
  },
};

export const fileKinds: readonly GoldenKind[] = [backboneFile, defaultDecoders, configurations];
