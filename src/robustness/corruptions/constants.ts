/**
 * The published constants of the benchmark (Hendrycks & Dietterich 2019, "Benchmarking Neural Network
 * Robustness to Common Corruptions and Perturbations"), by the side of the images for which they were made:
 * ImageNet-C (224), Tiny-ImageNet-C (64), CIFAR-10-C (32). Each list holds the constants for severities 1 to
 * 5.
 */
export const CONSTANT_SETS = [224, 64, 32] as const;
/** The side of the images, in pixels, whose published constants are used. */
export type ConstantSet = (typeof CONSTANT_SETS)[number];

export type Severities<C> = readonly [C, C, C, C, C];
export type BySet<C> = Readonly<Record<ConstantSet, Severities<C>>>;

/** Standard deviation of Gaussian noise. */
export const GAUSSIAN_NOISE: BySet<number> = {
  224: [0.08, 0.12, 0.18, 0.26, 0.38],
  64: [0.04, 0.08, 0.12, 0.15, 0.18],
  32: [0.04, 0.06, 0.08, 0.09, 0.1],
};

/** Mean number of photons that a white pixel receives. */
export const SHOT_NOISE: BySet<number> = {
  224: [60, 25, 12, 5, 3],
  64: [250, 100, 50, 30, 15],
  32: [500, 250, 100, 75, 50],
};

/** Share of values that are replaced. */
export const IMPULSE_NOISE: BySet<number> = {
  224: [0.03, 0.06, 0.09, 0.17, 0.27],
  64: [0.01, 0.02, 0.05, 0.08, 0.14],
  32: [0.01, 0.02, 0.03, 0.05, 0.07],
};

/** Standard deviation of speckle noise, as a share of the value to which it is added. */
export const SPECKLE_NOISE: BySet<number> = {
  224: [0.15, 0.2, 0.35, 0.45, 0.6],
  64: [0.15, 0.2, 0.25, 0.3, 0.35],
  32: [0.06, 0.1, 0.12, 0.16, 0.2],
};

/** Standard deviation of Gaussian blur in pixels. */
export const GAUSSIAN_BLUR: BySet<number> = {
  224: [1, 2, 3, 4, 6],
  64: [0.5, 0.75, 1, 1.25, 1.5],
  32: [0.4, 0.6, 0.7, 0.8, 1],
};

/** Radius of the disk, and standard deviation of the Gaussian that smooths it, in pixels. */
export const DEFOCUS_BLUR: BySet<readonly [radius: number, alias: number]> = {
  224: [
    [3, 0.1],
    [4, 0.5],
    [6, 0.5],
    [8, 0.5],
    [10, 0.5],
  ],
  64: [
    [0.5, 0.6],
    [1, 0.1],
    [1.5, 0.1],
    [2.5, 0.01],
    [3, 0.1],
  ],
  32: [
    [0.3, 0.4],
    [0.4, 0.5],
    [0.5, 0.6],
    [1, 0.2],
    [1.5, 0.1],
  ],
};

/** Standard deviation of the blur (pixels), largest displacement (pixels), and number of passes. */
export const GLASS_BLUR: BySet<readonly [sigma: number, distance: number, passes: number]> = {
  224: [
    [0.7, 1, 2],
    [0.9, 2, 1],
    [1, 2, 3],
    [1.1, 3, 2],
    [1.5, 4, 2],
  ],
  64: [
    [0.1, 1, 1],
    [0.5, 1, 1],
    [0.6, 1, 2],
    [0.7, 2, 1],
    [0.9, 2, 2],
  ],
  32: [
    [0.05, 1, 1],
    [0.25, 1, 1],
    [0.4, 1, 1],
    [0.25, 1, 2],
    [0.4, 1, 2],
  ],
};

/** Radius and standard deviation of the blur along its line, in pixels. */
export const MOTION_BLUR: BySet<readonly [radius: number, sigma: number]> = {
  224: [
    [10, 3],
    [15, 5],
    [15, 8],
    [15, 12],
    [20, 15],
  ],
  64: [
    [10, 1],
    [10, 1.5],
    [10, 2],
    [10, 2.5],
    [12, 3],
  ],
  32: [
    [6, 1],
    [6, 1.5],
    [6, 2],
    [8, 2],
    [9, 2.5],
  ],
};

const SMALL_ZOOMS = [
  [7, 0.01],
  [12, 0.01],
  [16, 0.01],
  [21, 0.01],
  [26, 0.01],
] as const;

/** Number of zoom factors, of which the first is 1, and the step between them. */
export const ZOOM_BLUR: BySet<readonly [factors: number, step: number]> = {
  224: [
    [12, 0.01],
    [16, 0.01],
    [11, 0.02],
    [13, 0.02],
    [11, 0.03],
  ],
  64: SMALL_ZOOMS,
  32: SMALL_ZOOMS,
};

/** Strength of the fog, and number by which the fractal's amplitude is divided from octave to octave. */
export const FOG: BySet<readonly [strength: number, decay: number]> = {
  224: [
    [1.5, 2],
    [2, 2],
    [2.5, 1.7],
    [2.5, 1.5],
    [3, 1.4],
  ],
  64: [
    [0.4, 3],
    [0.7, 3],
    [1, 2.5],
    [1.5, 2],
    [2, 1.75],
  ],
  32: [
    [0.2, 3],
    [0.5, 3],
    [0.75, 2.5],
    [1, 2],
    [1.5, 1.75],
  ],
};

/** Weights of the image and of the frost. */
export const FROST: BySet<readonly [image: number, frost: number]> = {
  224: [
    [1, 0.4],
    [0.8, 0.6],
    [0.7, 0.7],
    [0.65, 0.7],
    [0.6, 0.75],
  ],
  64: [
    [1, 0.3],
    [0.9, 0.4],
    [0.8, 0.45],
    [0.75, 0.5],
    [0.7, 0.55],
  ],
  32: [
    [1, 0.2],
    [1, 0.3],
    [0.9, 0.4],
    [0.85, 0.4],
    [0.75, 0.45],
  ],
};

/** Factor by which the distance from the mean is multiplied. */
export const CONTRAST: BySet<number> = {
  224: [0.4, 0.3, 0.2, 0.1, 0.05],
  64: [0.4, 0.3, 0.2, 0.1, 0.05],
  32: [0.75, 0.5, 0.4, 0.3, 0.15],
};

/** Number that is added to the V coordinate in HSV (brightness). */
export const BRIGHTNESS: BySet<number> = {
  224: [0.1, 0.2, 0.3, 0.4, 0.5],
  64: [0.1, 0.2, 0.3, 0.4, 0.5],
  32: [0.05, 0.1, 0.15, 0.2, 0.3],
};

/** The S coordinate in HSV (saturation) is multiplied by `factor`, and then `addition` is added to it. */
export const SATURATE: BySet<readonly [factor: number, addition: number]> = {
  224: [
    [0.3, 0],
    [0.1, 0],
    [2, 0],
    [5, 0.1],
    [20, 0.2],
  ],
  64: [
    [0.3, 0],
    [0.1, 0],
    [2, 0],
    [5, 0.1],
    [30, 0.2],
  ],
  32: [
    [0.3, 0],
    [0.1, 0],
    [1.5, 0],
    [2, 0.1],
    [2.5, 0.2],
  ],
};

/** JPEG quality, 1 to 100. */
export const JPEG_COMPRESSION: BySet<number> = {
  224: [25, 18, 15, 10, 7],
  64: [65, 58, 50, 40, 25],
  32: [80, 65, 58, 50, 40],
};

/** Size of the small image, relative to the image. */
export const PIXELATE: BySet<number> = {
  224: [0.6, 0.5, 0.4, 0.3, 0.25],
  64: [0.9, 0.8, 0.7, 0.6, 0.5],
  32: [0.95, 0.9, 0.85, 0.75, 0.65],
};

/**
 * Strength of the displacements, standard deviation of the Gaussian that smooths them, and largest shift of
 * the affine map's corners; all three are multiplied by {@link ELASTIC_UNIT}.
 */
export const ELASTIC_TRANSFORM: BySet<readonly [alpha: number, sigma: number, affine: number]> = {
  224: [
    [2, 0.7, 0.1],
    [2, 0.08, 0.2],
    [0.05, 0.01, 0.02],
    [0.07, 0.01, 0.02],
    [0.12, 0.01, 0.02],
  ],
  64: [
    [0, 0, 0.08],
    [0.05, 0.3, 0.06],
    [0.1, 0.08, 0.06],
    [0.1, 0.03, 0.03],
    [0.16, 0.03, 0.02],
  ],
  32: [
    [0, 0, 0.08],
    [0.05, 0.2, 0.07],
    [0.08, 0.06, 0.06],
    [0.1, 0.04, 0.05],
    [0.1, 0.03, 0.03],
  ],
};

/**
 * Unit of the displacements in pixels. For 224-pixel images it is 244, the value with which the published
 * images were made.
 */
export const ELASTIC_UNIT: Readonly<Record<ConstantSet, number>> = { 224: 244, 64: 64, 32: 32 };

export interface SnowConstants {
  readonly mean: number;
  readonly std: number;
  readonly zoom: number;
  readonly threshold: number;
  readonly radius: number;
  readonly sigma: number;
  /** Weight of the image; its whitened grey version has the weight 1 minus this. */
  readonly image: number;
}

function snow(row: readonly [number, number, number, number, number, number, number]): SnowConstants {
  const [mean, std, zoom, threshold, radius, sigma, image] = row;
  return { mean, std, zoom, threshold, radius, sigma, image };
}

export const SNOW: BySet<SnowConstants> = {
  224: [
    snow([0.1, 0.3, 3, 0.5, 10, 4, 0.8]),
    snow([0.2, 0.3, 2, 0.5, 12, 4, 0.7]),
    snow([0.55, 0.3, 4, 0.9, 12, 8, 0.7]),
    snow([0.55, 0.3, 4.5, 0.85, 12, 8, 0.65]),
    snow([0.55, 0.3, 2.5, 0.85, 12, 12, 0.55]),
  ],
  64: [
    snow([0.1, 0.2, 1, 0.6, 8, 3, 0.8]),
    snow([0.1, 0.2, 1, 0.5, 10, 4, 0.8]),
    snow([0.15, 0.3, 1.75, 0.55, 10, 4, 0.7]),
    snow([0.25, 0.3, 2.25, 0.6, 12, 6, 0.65]),
    snow([0.3, 0.3, 1.25, 0.65, 14, 12, 0.6]),
  ],
  32: [
    snow([0.1, 0.2, 1, 0.6, 8, 3, 0.95]),
    snow([0.1, 0.2, 1, 0.5, 10, 4, 0.9]),
    snow([0.15, 0.3, 1.75, 0.55, 10, 4, 0.9]),
    snow([0.25, 0.3, 2.25, 0.6, 12, 6, 0.85]),
    snow([0.3, 0.3, 1.25, 0.65, 14, 12, 0.8]),
  ],
};

export interface SpatterConstants {
  readonly mean: number;
  readonly std: number;
  readonly sigma: number;
  readonly threshold: number;
  /**
   * For water, the strength of the drops; for mud, the standard deviation of the Gaussian that smooths the
   * stains.
   */
  readonly strength: number;
  readonly liquid: "water" | "mud";
}

function spatter(row: readonly [number, number, number, number, number, 0 | 1]): SpatterConstants {
  const [mean, std, sigma, threshold, strength, kind] = row;
  return { mean, std, sigma, threshold, strength, liquid: kind === 0 ? "water" : "mud" };
}

export const SPATTER: BySet<SpatterConstants> = {
  224: [
    spatter([0.65, 0.3, 4, 0.69, 0.6, 0]),
    spatter([0.65, 0.3, 3, 0.68, 0.6, 0]),
    spatter([0.65, 0.3, 2, 0.68, 0.5, 0]),
    spatter([0.65, 0.3, 1, 0.65, 1.5, 1]),
    spatter([0.67, 0.4, 1, 0.65, 1.5, 1]),
  ],
  64: [
    spatter([0.62, 0.1, 0.7, 0.7, 0.6, 0]),
    spatter([0.65, 0.1, 0.8, 0.7, 0.6, 0]),
    spatter([0.65, 0.3, 1, 0.69, 0.6, 0]),
    spatter([0.65, 0.1, 0.7, 0.68, 0.6, 1]),
    spatter([0.65, 0.1, 0.5, 0.67, 0.6, 1]),
  ],
  32: [
    spatter([0.62, 0.1, 0.7, 0.7, 0.5, 0]),
    spatter([0.65, 0.1, 0.8, 0.7, 0.5, 0]),
    spatter([0.65, 0.3, 1, 0.69, 0.5, 0]),
    spatter([0.65, 0.1, 0.7, 0.69, 0.6, 1]),
    spatter([0.65, 0.1, 0.5, 0.68, 0.6, 1]),
  ],
};
