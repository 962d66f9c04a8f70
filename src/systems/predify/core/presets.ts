import { checkPositive } from "../../../util/check.js";
import type { PredifyOptions } from "./options.js";

/** The hyper-parameters that the authors used for every PCoder in their evaluations. */
export const EVALUATION_VALUES = { feedforward: 0.8, feedback: 0.1, error: 0.01 } as const;

/** Options that select a variant of a published network. */
export interface PresetOptions {
  /**
   * Which hyper-parameters to use: "config" (default) for those of the configuration in the authors' package,
   * or "evaluation" for beta 0.8, lambda 0.1 and alpha 0.01 in every PCoder.
   */
  readonly values?: "config" | "evaluation";
  /**
   * Whether the backbone is torchvision's vgg16_bn, in which modules are numbered differently from vgg16.
   * Default false.
   */
  readonly batchNorm?: boolean;
  /** Factor by which all numbers of channels are multiplied, for a narrower or wider backbone. Default 1. */
  readonly width?: number;
  /** Shape of one image, such as [3, 32, 32]. Default [3, 224, 224]. */
  readonly inputSize?: readonly number[];
}

/** The five PCoders of PVGG16. Each sits after the last ReLU of a stage. */
const VGG16 = [
  { channels: 64, kernel: 5, stride: 1, padding: 2, feedforward: 0.2, feedback: 0.05 },
  { channels: 128, kernel: 10, stride: 2, padding: 4, feedforward: 0.4, feedback: 0.1 },
  { channels: 256, kernel: 14, stride: 2, padding: 6, feedforward: 0.4, feedback: 0.1 },
  { channels: 512, kernel: 14, stride: 2, padding: 6, feedforward: 0.5, feedback: 0.1 },
  { channels: 512, kernel: 14, stride: 2, padding: 6, feedforward: 0.6, feedback: 0 },
] as const;
const VGG16_MODULES = [3, 8, 15, 22, 29];
const VGG16_BN_MODULES = [5, 12, 22, 32, 42];

/**
 * Options for PVGG16 (Choksi et al. 2021), on torchvision's vgg16 exported to ONNX. Its PCoders are PCoderNs.
 * With the values "config", each has its own hyper-parameters.
 */
export function pvgg16(options: PresetOptions = {}): PredifyOptions {
  const { values = "config", batchNorm = false, width = 1, inputSize = [3, 224, 224] } = options;
  checkPositive("PVGG16: width", width);
  const modules = batchNorm ? VGG16_BN_MODULES : VGG16_MODULES;
  const scaled = (channels: number) => Math.max(4, Math.round(channels * width));
  return {
    name: "PVGG16",
    gradientScaling: true,
    units: "authors",
    inputSize,
    pcoders: VGG16.map(({ channels, kernel, stride, padding, feedforward, feedback }, i) => {
      const convolution = {
        type: "convTranspose",
        inChannels: scaled(channels),
        outChannels: i === 0 ? 3 : scaled(VGG16[i - 1]!.channels),
        kernel,
        stride,
        padding,
      } as const;
      return {
        after: `features[${modules[i]!}]`,
        decoder: i === 0 ? [convolution] : [convolution, { type: "relu" } as const],
        ...(values === "config" ? { feedforward, feedback, error: 0.01 } : EVALUATION_VALUES),
      };
    }),
  };
}

/**
 * Options for PEfficientNetB0 (Choksi et al. 2021), which has eight PCoders with default decoders. `names` is
 * the library from which the backbone comes, torchvision (default) or timm.
 */
export function pEfficientNetB0(
  options: Omit<PresetOptions, "batchNorm" | "width"> & { readonly names?: "torchvision" | "timm" } = {},
): PredifyOptions {
  const { values = "config", names = "torchvision", inputSize = [3, 224, 224] } = options;
  const modules =
    names === "torchvision"
      ? Array.from({ length: 8 }, (_, i) => `features[${i}]`)
      : ["act1", ...Array.from({ length: 7 }, (_, i) => `blocks[${i}]`)];
  return {
    name: "PEfficientNetB0",
    gradientScaling: true,
    units: "authors",
    inputSize,
    pcoders: modules.map((after) => ({
      after,
      ...(values === "config" ? { feedforward: 0.3, feedback: 0.3, error: 0.01 } : EVALUATION_VALUES),
    })),
  };
}
