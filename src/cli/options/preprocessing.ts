import type { Preprocessing } from "../../data/images/preprocessing.js";
import { PREPROCESSING_NAMES, preprocessingPreset } from "../../data/images/preprocessing.js";
import type { Parsed } from "./option.js";
import { optional } from "./option.js";
import { choice, numberWhere, numbers, positive } from "./values.js";

/** Option for the name of a preprocessing. */
export const preprocessing = optional(
  choice("preprocessing", PREPROCESSING_NAMES, "name"),
  "preprocessing that the network expects",
);

/** Options for the preprocessing, for every command that feeds images to a network. */
export const preprocessingOptions = {
  preprocessing,
  scale: optional(
    numberWhere("factor", "a number"),
    "factor by which pixels in [0, 1] are multiplied; 255 gives the range of bytes",
  ),
  mean: optional(numbers, "mean to subtract after scaling: one number, or one for each of R, G, B"),
  std: optional(
    numbers,
    "standard deviation to divide by after the mean is subtracted: one number, or one for each of R, G, B",
  ),
  resize: optional(
    positive("pixels"),
    "length in pixels to which the short side is resized before the centre crop",
  ),
  layout: optional(choice("layout", ["NCHW", "NHWC"], "axes"), "order of the axes of the network's input"),
  colours: optional(
    choice("colours", ["RGB", "BGR"], "order"),
    "order of the colour channels of the network's input",
  ),
};

export type PreprocessingOptions = Parsed<typeof preprocessingOptions>;

/**
 * The preprocessing that the options give: the named one, with the values of the other options in place of
 * its own. Undefined if no option was given.
 */
export function statedPreprocessing(options: PreprocessingOptions): Preprocessing | undefined {
  const { preprocessing, resize, scale, mean, std, layout, colours } = options;
  const stated = { resize, scale, mean, std, layout, colours };
  const given = Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined));
  if (preprocessing === undefined && Object.keys(given).length === 0) return undefined;
  const { cropFraction, ...preset } = preprocessing === undefined ? {} : preprocessingPreset(preprocessing);
  return { ...preset, ...(cropFraction !== undefined && resize === undefined && { cropFraction }), ...given };
}
