import type { Preprocessing } from "../../data/images/preprocessing.js";
import { PREPROCESSING_NAMES, preprocessingPreset } from "../../data/images/preprocessing.js";
import type { Parsed } from "./option.js";
import { optional } from "./option.js";
import { choice, numberWhere, numbers, positive } from "./values.js";

/** A named way in which pixels reach a network. */
export const preprocessing = optional(
  choice("preprocessing", PREPROCESSING_NAMES, "name"),
  "how pixels reach the network",
);

/** How pixels reach a network, for every command that feeds images to one. */
export const preprocessingOptions = {
  preprocessing,
  scale: optional(
    numberWhere("factor", "a number"),
    "factor for pixels between 0 and 1, such as 255 for bytes",
  ),
  mean: optional(numbers, "subtracted after the scale: one number, or one for each of R, G, B"),
  std: optional(numbers, "divided by after the mean: one number, or one for each of R, G, B"),
  resize: optional(
    positive("pixels"),
    "length that the short side of an image is resized to before the centre crop",
  ),
  layout: optional(choice("layout", ["NCHW", "NHWC"], "axes"), "order of the axes that the network reads"),
  colours: optional(
    choice("colours", ["RGB", "BGR"], "order"),
    "order of the colour channels that the network reads",
  ),
};

export type PreprocessingOptions = Parsed<typeof preprocessingOptions>;

/** What was stated: the named preprocessing, changed by what stands beside it. Undefined if nothing was. */
export function statedPreprocessing(options: PreprocessingOptions): Preprocessing | undefined {
  const { preprocessing, resize, scale, mean, std, layout, colours } = options;
  const stated = { resize, scale, mean, std, layout, colours };
  const given = Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined));
  if (preprocessing === undefined && Object.keys(given).length === 0) return undefined;
  const { cropFraction, ...preset } = preprocessing === undefined ? {} : preprocessingPreset(preprocessing);
  return { ...preset, ...(cropFraction !== undefined && resize === undefined && { cropFraction }), ...given };
}
