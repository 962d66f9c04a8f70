import type { Preprocessing } from "../../data/images/preprocessing.js";
import type { NetworkSettings, V1Settings } from "../../experiments/own-images/networks.js";
import type { TrainingRecipe } from "../../experiments/own-images/recipe.js";
import { checkRecipe, defaultRecipe } from "../../experiments/own-images/recipe.js";
import type { TrainNetworkOptions } from "../../experiments/own-images/train-network.js";
import { check } from "../../util/errors.js";
import type { Parsed } from "../options/option.js";
import { statedPreprocessing } from "../options/preprocessing.js";
import type { TrainCommandOptions, networkOptions, recipeOptions } from "../commands/train.js";

/** The network that the options of `striate train` name, as plain data. */
export function networkSettings(options: TrainCommandOptions): NetworkSettings {
  const {
    v1,
    retina,
    v1Cells: cells,
    v1Noise,
    v1At,
    visualDegrees,
    kuramoto,
    kuramotoSteps: steps,
  } = options;
  const front = v1 !== undefined || retina !== undefined;
  check(
    front || (v1At === undefined && visualDegrees === undefined && !v1Noise),
    () => "--v1-at, --v1-noise and --visual-degrees have no effect without --v1 or --retina",
  );
  check(
    retina === undefined || v1 === undefined || v1 === "biol",
    () => `--retina brings a V1 with biological receptive fields: expected --v1 biol or no --v1, got ${v1!}`,
  );
  check(
    retina === undefined || !v1Noise,
    () => "--v1-noise has no effect with --retina, whose variant decides the noise: leave it out",
  );
  const v1Settings: V1Settings = {
    variant: v1 ?? "biol",
    cells,
    ...(retina !== undefined && { retina }),
    ...(v1Noise && { noise: true }),
    ...(v1At !== undefined && { at: v1At }),
    ...(visualDegrees !== undefined && { visualDegrees }),
  };
  return {
    ...plainNetwork(options, statedPreprocessing(options)),
    ...(front && { v1: v1Settings }),
    ...(kuramoto !== undefined && { kuramoto: { steps, ...(kuramoto !== "auto" && { at: kuramoto }) } }),
  };
}

/** The network without additions. Throws StriateError if none is named. */
export function plainNetwork(
  { model, size, width, output }: Parsed<typeof networkOptions>,
  preprocessing: Preprocessing | undefined,
): NetworkSettings {
  check(model !== undefined, () => "expected --model with the name of a network or an .onnx file, got none");
  return {
    model,
    ...(size !== undefined && { size }),
    ...(width !== undefined && { width }),
    ...(output !== undefined && { output }),
    ...(preprocessing && { preprocessing }),
  };
}

/** The recipe that the options give, with the defaults for the kind of network. */
export function recipeOf(options: Parsed<typeof recipeOptions>, pretrained: boolean): TrainingRecipe {
  const { trains: _trains, ...values } = options;
  const stated = Object.fromEntries(
    Object.keys(recipeKeys)
      .map((key) => [key, values[key as keyof typeof values]] as const)
      .filter(([, value]) => value !== undefined),
  ) as Partial<TrainingRecipe>;
  const { optimizer, batchSize, accumulate } = stated;
  const recipe = {
    ...defaultRecipe({
      pretrained,
      ...(optimizer && { optimizer }),
      ...(batchSize !== undefined && { batchSize }),
      ...(accumulate !== undefined && { accumulate }),
    }),
    ...stated,
  };
  checkRecipe(recipe);
  return recipe;
}

/** The fields of a recipe, all of which have options of the same name. */
const recipeKeys: Readonly<Record<keyof TrainingRecipe, true>> = {
  epochs: true,
  batchSize: true,
  accumulate: true,
  optimizer: true,
  learningRate: true,
  weightDecay: true,
  warmUp: true,
  labelSmoothing: true,
  mixup: true,
  cutmix: true,
  cropScale: true,
  flip: true,
  policy: true,
  ema: true,
  clipNorm: true,
};

/** The parameters to train, from "all", "added" or comma-separated patterns. */
export function trainedNames(text: string): TrainNetworkOptions["trains"] {
  if (text === "all" || text === "added") return text;
  const patterns = text.split(",").map((part) => part.trim());
  check(
    patterns.every((part) => part !== ""),
    () => `--trains: expected all, added or comma-separated names, got "${text}"`,
  );
  return patterns;
}
