import type { TensorData } from "../../../src/graph/index.js";
import type { SubcorticalOptions } from "../../../src/systems/vonenet/index.js";
import { SubcorticalBlock, subcorticalWeights } from "../../../src/systems/vonenet/index.js";
import { check } from "../../../src/util/errors.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf, withPrefix } from "../golden-case.js";

/** A number of the configuration. */
export function numberOf({ config, file }: GoldenCase, name: string): number {
  const value = config[name];
  check(typeof value === "number", () => `${file}: config ${name} is ${JSON.stringify(value)}`);
  return value;
}

const flagOf = ({ config }: GoldenCase, name: string, fallback: boolean): boolean => {
  const value = config[name];
  return typeof value === "boolean" ? value : fallback;
};

/** x = u8 / 255 in float32, or (x - 0.5) / 0.5 for a block without light adaptation. */
export function imagesOf(golden: GoldenCase): TensorData {
  const { shape, data } = tensorOf(golden, "input.image_u8");
  const adapts = flagOf(golden, "light_adapt", true);
  const value = (byte: number) => {
    const x = Math.fround(byte / 255);
    return adapts ? x : Math.fround(Math.fround(x - 0.5) / 0.5);
  };
  return { dtype: "float32", shape, data: Float32Array.from(data as Uint8Array, value) };
}

/** The noise of a stage, if the file gives it. */
export const noiseOf = (golden: GoldenCase, stage: string): TensorData | undefined =>
  golden.tensors.get(`noise.${stage}`);

/** The block that a case describes. Tensors that the file does not hold follow from the geometry. */
export function blockOf(golden: GoldenCase, more: Partial<SubcorticalOptions> = {}): SubcorticalBlock {
  const [p, m] = [numberOf(golden, "p_channels"), numberOf(golden, "m_channels")];
  const tensors = withPrefix(golden, "param.");
  const stored = [...tensors.keys()].some((name) => name.includes("subcorticalblock."));
  const { shape } = tensorOf(golden, "input.image_u8");
  const fano = golden.config.subcort_fano_factor ?? golden.config.fano_factor;
  return new SubcorticalBlock({
    imageSize: numberOf(golden, "image"),
    visualDegrees: numberOf(golden, "deg"),
    p,
    m,
    colours: shape[1] === 1 ? 1 : 3,
    lightAdaptation: !flagOf(golden, "light_adapt", true)
      ? "none"
      : flagOf(golden, "light_adapt_threshold", false)
        ? "thresholded"
        : "mean",
    contrastNormalisation: flagOf(golden, "contrast_norm", true),
    rectify: flagOf(golden, "relu", false),
    ...(noiseOf(golden, "subcorticalblock") && { noise: typeof fano === "number" ? { fano } : {} }),
    ...(stored && { weights: subcorticalWeights(tensors, { p, m }) }),
    ...more,
  });
}
