import type { Dim, Tensor, TensorData } from "../../../graph/index.js";
import { concat, constant, input, scope, showShape } from "../../../graph/index.js";
import { checkOneOf, checkSome, checkWhole } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { ViewingGeometry } from "../v1/receptive-fields.js";
import { pixelsPerDegree } from "../v1/receptive-fields.js";
import type { LightAdaptation } from "./light-adaptation.js";
import { LIGHT_ADAPTATIONS, adaptToLight } from "./light-adaptation.js";
import type { CompleteTensors, PathwayKernels, PathwayTensors } from "./pathway-kernels.js";
import { pathwayKernels, tensorsOf } from "./pathway-kernels.js";
import type { PathwayFilters } from "./pathway-responses.js";
import { constants, pathwayResponses, separableFilters, squareFilters } from "./pathway-responses.js";
import type { Pathway } from "./pathways.js";
import { PATHWAYS } from "./pathways.js";
import type { SubcorticalNoise } from "./subcortical-noise.js";
import { addSubcorticalNoise, checkSubcorticalNoise } from "./subcortical-noise.js";

/** Options of `SubcorticalBlock`. */
export interface SubcorticalOptions extends ViewingGeometry {
  /** Number of P cells at each pixel. Default 3: red/green, green/red and blue/yellow. */
  readonly p?: number;
  /** Number of M cells at each pixel. Default 1. */
  readonly m?: number;
  /** Number of colours of the images, 3 (red, green, blue) or 1 (grey). Default 3. */
  readonly colours?: 1 | 3;
  /** Default "mean". With "none", images are in [-1, 1] instead of [0, 1]. */
  readonly lightAdaptation?: LightAdaptation;
  /** Default true. */
  readonly contrastNormalisation?: boolean;
  /** Whether negative responses become 0 before the gain. Default false, as in all published networks. */
  readonly rectify?: boolean;
  /** Noise of the responses. Default: none. */
  readonly noise?: SubcorticalNoise;
  /**
   * Tensors that replace those of the geometry, such as those of a checkpoint, by pathway; see
   * `subcorticalWeights`. A pathway that is missing keeps its own. Kernels that differ from those of the geometry are
   * used as square kernels, which is slower.
   */
  readonly weights?: SubcorticalWeights;
}

/** The tensors of the pathways that a block has. */
export type SubcorticalWeights = Readonly<Partial<Record<Pathway, PathwayTensors<TensorData>>>>;

/** Name of the graph input for the noise of retina and thalamus. */
export const RETINA_NOISE = "retina:noise";

/**
 * Retina and thalamus as a fixed stage before V1 (Piper, Oliveira and Marques, NeurIPS 2025,
 * arXiv:2506.03089). Images [batch, 3, height, width] with values in [0, 1] become responses [batch, p + m,
 * height, width] of P cells, then M cells, in these steps:
 *
 * 1. Light adaptation: u = (x - mean) / (mean + epsilon), {@link adaptToLight}.
 * 2. Centre-surround receptive fields, differences of Gaussians: d = K * u.
 * 3. Contrast normalisation: y = d / (sqrt(P * d^2) + c50)^n.
 * 4. Gain and noise: t = k_exc y, and t + z sqrt(F (|t| + 1e-5)).
 *
 * Responses have signs. Borders are reflected, so height and width stay as they are. Height and width may
 * differ from `imageSize` if the pixels per degree are the same, but reflection needs at least half of the
 * largest kernel ({@link SubcorticalBlock.smallestSide}). All tensors are constants and are not trained.
 *
 * @throws StriateError if the visual angle is missing, there are no cells, an option is invalid, or tensors in
 * `weights` have the wrong shape.
 * @example
 * ```ts
 * import { input } from "striate/graph";
 * import { SubcorticalBlock } from "striate/vonenet";
 *
 * const retina = new SubcorticalBlock({ imageSize: 64, visualDegrees: 2 });
 * console.log(retina.forward(input("images", ["batch", 3, 64, 64])).shape.join(", ")); // batch, 4, 64, 64
 * ```
 */
export class SubcorticalBlock {
  readonly p: number;
  readonly m: number;
  readonly colours: 1 | 3;
  readonly imageSize: number;
  readonly pixelsPerDegree: number;
  readonly lightAdaptation: LightAdaptation;
  readonly contrastNormalisation: boolean;
  readonly rectify: boolean;
  readonly noise: Required<SubcorticalNoise> | undefined;
  /** The tensors of the pathways, as in the authors' state dictionaries. */
  readonly weights: SubcorticalWeights;
  readonly #pathways: readonly PathwayPlan[];

  constructor(options: SubcorticalOptions) {
    const { p = 3, m = 1, colours = 3, lightAdaptation = "mean", imageSize, weights } = options;
    this.pixelsPerDegree = pixelsPerDegree(options);
    checkWhole("retina: p", p, { from: 0 });
    checkWhole("retina: m", m, { from: 0 });
    checkSome("retina", p + m, "cell");
    checkOneOf("retina: colours", colours, [1, 3]);
    checkOneOf("retina: light adaptation", lightAdaptation, LIGHT_ADAPTATIONS);
    [this.p, this.m, this.colours, this.imageSize] = [p, m, colours, imageSize];
    this.lightAdaptation = lightAdaptation;
    this.contrastNormalisation = options.contrastNormalisation ?? true;
    this.rectify = options.rectify ?? false;
    this.noise = options.noise && checkSubcorticalNoise(options.noise);
    const plans = PATHWAYS.flatMap((pathway) => {
      const cells = pathway === "P" ? p : m;
      return cells === 0 ? [] : [this.#plan(pathwayKernels(pathway, cells, options), weights)];
    });
    this.#pathways = plans;
    this.weights = Object.fromEntries(plans.map(({ pathway, tensors }) => [pathway, tensors]));
  }

  /** Number of channels of the responses. */
  get channels(): number {
    return this.p + this.m;
  }

  /** The smallest height and width of images in pixels: (k + 1) / 2, where k is the side of the largest kernel. */
  get smallestSide(): number {
    const sides = this.#pathways.flatMap(({ tensors: { dog, pool } }) => [
      dog.shape[2]!,
      this.contrastNormalisation ? pool.shape[2]! : 1,
    ]);
    return (Math.max(...sides) + 1) / 2;
  }

  /** The range of the values of images: [0, 1], or [-1, 1] without light adaptation. */
  get imageRange(): readonly [low: number, high: number] {
    return [this.lightAdaptation === "none" ? -1 : 0, 1];
  }

  /**
   * Makes the graph input for the standard-normal draws of a block with noise. A task lists it as noise of
   * kind "normal". Returns undefined for a block without noise. Height and width are by default those of the
   * block's images.
   */
  noiseInput(batch: Dim, height = this.imageSize, width = height): Tensor | undefined {
    if (this.noise === undefined) return undefined;
    return input(RETINA_NOISE, [batch, this.channels, height, width]);
  }

  /**
   * Writes the graph of the responses. If the block has noise, `noise` is required: standard-normal draws
   * [batch or 1, channels, height, width], such as {@link noiseInput}.
   *
   * @throws StriateError if images have the wrong number of colours, an unknown or too small height or width,
   * or if noise is missing, has the wrong shape, or is given to a block without noise.
   */
  forward(images: Tensor, noise?: Tensor): Tensor {
    return this.stages(images, noise).responses;
  }

  /** Writes the graph of the responses after each stage. Throws in the same cases as {@link forward}. */
  stages(images: Tensor, noise?: Tensor): SubcorticalStages {
    this.#checkImages(images);
    this.#checkNoise(images, noise);
    return scope("subcorticalblock", () => {
      const adapted = adaptToLight(images, this.lightAdaptation);
      const parts = this.#pathways.map(({ filters, tensors }) =>
        pathwayResponses(adapted, filters, constants(tensors), this),
      );
      const join = (stage: keyof (typeof parts)[number]) => {
        const all = parts.map((part) => part[stage]);
        return all.length === 1 ? all[0]! : concat(all, 1);
      };
      const responses = join("responses");
      return {
        adapted,
        centreSurround: join("centreSurround"),
        normalised: join("normalised"),
        responses: this.noise && noise ? addSubcorticalNoise(responses, noise, this.noise) : responses,
      };
    });
  }

  #plan(kernels: PathwayKernels, given: SubcorticalWeights | undefined): PathwayPlan {
    const { pathway } = kernels;
    const own = tensorsOf(kernels, this.colours);
    const replacing: PathwayTensors<TensorData> = given?.[pathway] ?? own;
    const used: CompleteTensors = {
      dog: replacing.dog,
      kExc: replacing.kExc,
      pool: replacing.pool ?? own.pool,
      c50: replacing.c50 ?? own.c50,
      n: replacing.n ?? own.n,
    };
    for (const name of ["dog", "kExc", "pool", "c50", "n"] as const)
      check(
        fits(used[name], own[name], name),
        () =>
          `retina: ${name} of pathway ${pathway}: expected [${own[name].shape.join(", ")}], ` +
          `got [${used[name].shape.join(", ")}]`,
      );
    const isSeparable = isClose(used.dog, own.dog) && isClose(used.pool, own.pool);
    const filters = isSeparable
      ? separableFilters(kernels, this.colours)
      : squareFilters(constant(used.dog), constant(used.pool));
    return { pathway, tensors: used, filters };
  }

  #checkImages({ rank, shape }: Tensor): void {
    const { colours, smallestSide: least } = this;
    check(
      rank === 4 && shape[1] === colours && shape.slice(2).every((length) => typeof length === "number"),
      () =>
        `retina: expected images [batch, ${colours}, height, width] of known height and width, got ${showShape(shape)}`,
    );
    check(
      shape.slice(2).every((length) => Number(length) >= least),
      () =>
        `retina: expected images of at least ${least} x ${least} pixels, because kernels of ${2 * least - 1} pixels ` +
        `(at ${this.pixelsPerDegree} pixels per degree) reach beyond smaller reflected images, got ${showShape(shape)}`,
    );
  }

  #checkNoise(images: Tensor, noise: Tensor | undefined): void {
    if (this.noise === undefined) {
      check(
        noise === undefined,
        () => `retina: expected no noise for a block without noise, got ${showShape(noise!.shape)}`,
      );
      return;
    }
    const shape = images.shape.with(1, this.channels);
    check(
      noise?.rank === 4 && noise.shape.every((n, i) => n === shape[i] || (i === 0 && n === 1)),
      () =>
        `retina: noise: expected standard-normal numbers ${showShape(shape)} (or a batch of 1 to share them among all ` +
        `images), got ${noise === undefined ? "none" : showShape(noise.shape)}`,
    );
  }
}

/** The values of a `SubcorticalBlock` after each stage. */
export interface SubcorticalStages {
  /** Adapted light, [batch, colours, height, width]. Both pathways share it. */
  readonly adapted: Tensor;
  /** Responses of the receptive fields, [batch, channels, height, width]. */
  readonly centreSurround: Tensor;
  /** Responses after contrast normalisation, without gain; those before it if there is none. */
  readonly normalised: Tensor;
  /** The responses of the block. */
  readonly responses: Tensor;
}

interface PathwayPlan {
  readonly pathway: Pathway;
  readonly tensors: CompleteTensors;
  readonly filters: PathwayFilters;
}

/** Whether a tensor has the shape of the block's own; kernels may have any odd side. */
function fits({ shape }: TensorData, own: TensorData, name: string): boolean {
  const isKernel = name === "dog" || name === "pool";
  const [, , side, width] = shape;
  const kernels = side !== undefined && side % 2 === 1 && side === width;
  const compared = isKernel ? 2 : 4;
  return (
    shape.length === 4 &&
    (!isKernel || kernels) &&
    shape.slice(0, compared).join() === own.shape.slice(0, compared).join()
  );
}

/** The largest difference of kernels that are the same up to rounding. */
const ROUNDING = 1e-6;

function isClose(a: TensorData, b: TensorData): boolean {
  if (a.shape.join() !== b.shape.join()) return false;
  return (a.data as Float32Array).every((value, i) => Math.abs(value - Number(b.data[i])) <= ROUNDING);
}
