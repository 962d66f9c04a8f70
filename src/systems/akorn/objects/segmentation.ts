import { agglomerativeClusters } from "../../../metrics/hierarchical-clustering.js";
import { principalComponents } from "../../../metrics/principal-components.js";
import { checkShape } from "../../../util/check.js";
import { check } from "../../../util/errors.js";
import type { Grid } from "../layer/grid.js";
import { gridOf } from "../layer/grid.js";
import type { UpTiling } from "./up-tiling.js";
import { checkUpTiling, interleave, shiftedCopies } from "./up-tiling.js";

/** The feature maps of a batch of images. */
export interface FeatureMapBatch {
  readonly data: Float32Array;
  /** `[batch, channels, height, width]`. */
  readonly shape: readonly number[];
}

/**
 * Computes the feature maps of images `[batch, 3, H, W]`. The images are one of the shifted copies of
 * up-tiling; `copy` is its index, from 0.
 */
export type FeatureExtractor = (images: Float32Array, copy: number) => Promise<FeatureMapBatch>;

/** Options of `segmentImages`. */
export interface SegmentationOptions {
  readonly tiling: UpTiling;
  /** Largest number of segments in an image, including the background. */
  readonly clusters: number;
  /**
   * Number of principal components to which the feature vectors of each image are reduced if they have more
   * channels than that. 0 means no reduction. Default 128.
   */
  readonly components?: number;
}

/**
 * Segments images `[batch, 3, H, W]` by their features (Miyato et al. 2025, section 5.1). It computes the
 * feature maps of every shifted copy, scales the vector at each position to length 1, interleaves the copies,
 * reduces the vectors by PCA, and clusters them with average linkage. The map of labels is resized to the
 * size of the images by nearest neighbour. Returns labels `[batch, H, W]`, counted from 1.
 *
 * @throws StriateError if the images do not have the size given in `tiling`, or if the feature maps differ in
 * size or do not have the batch size of the images.
 */
export async function segmentImages(
  images: Float32Array,
  features: FeatureExtractor,
  { tiling, clusters, components = 128 }: SegmentationOptions,
): Promise<Int32Array> {
  checkUpTiling(tiling);
  const size = gridOf(tiling.size);
  const [pixels, factor] = [size[0] * size[1], gridOf(tiling.factor)];
  const batch = images.length / (3 * pixels);
  check(
    Number.isInteger(batch) && batch > 0,
    () => `segmentation: expected RGB images of ${size[0]} x ${size[1]}, got ${images.length} numbers`,
  );
  const maps: Float32Array[] = [];
  let shape: readonly number[] = [];
  for (const [copy, shifted] of shiftedCopies(images, tiling).entries()) {
    const found = await features(shifted, copy);
    const first = copy === 0 ? found.shape : shape;
    checkShape(`segmentation: feature maps of copy ${copy}`, found.shape, first);
    shape = found.shape;
    check(
      shape.length === 4 && shape[0] === batch,
      () => `segmentation: expected feature maps of ${batch} images, got [${shape.join(", ")}]`,
    );
    maps.push(unitVectors(found));
  }
  const [, channels, height, width] = shape as [number, number, number, number];
  const vectors = interleave(maps, [batch, height, width, channels], factor);
  const [rows, columns] = [height * factor[0], width * factor[1]];
  const labels = new Int32Array(batch * pixels);
  for (let n = 0; n < batch; n++) {
    const length = rows * columns * channels;
    const imageVectors = vectors.subarray(n * length, (n + 1) * length);
    const found = clusterVectors(imageVectors, rows * columns, channels, clusters, components);
    labels.set(nearest(found, [rows, columns], size), n * pixels);
  }
  return labels;
}

function clusterVectors(
  vectors: Float32Array,
  count: number,
  channels: number,
  clusters: number,
  components: number,
): Int32Array {
  if (components === 0 || channels <= components)
    return agglomerativeClusters(vectors, count, channels, clusters);
  const projected = principalComponents(vectors, count, channels, components);
  return agglomerativeClusters(projected, count, components, clusters);
}

/** Converts maps `[batch, C, h, w]` to vectors `[batch, h, w, C]` of length 1. Zero vectors remain 0. */
function unitVectors({ data, shape }: FeatureMapBatch): Float32Array {
  const [batch, channels, height, width] = shape as [number, number, number, number];
  const plane = height * width;
  const out = new Float32Array(data.length);
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < plane; i++) {
      const from = n * channels * plane + i;
      const to = (n * plane + i) * channels;
      let sum = 0;
      for (let c = 0; c < channels; c++) sum += data[from + c * plane]! ** 2;
      const scale = 1 / Math.max(Math.sqrt(sum), 1e-12);
      for (let c = 0; c < channels; c++) out[to + c] = data[from + c * plane]! * scale;
    }
  }
  return out;
}

/**
 * Enlarges a map of labels by nearest neighbour. Along an axis that grows from `from` to `to` pixels, pixel i
 * gets the label of source pixel floor(i * from / to).
 */
function nearest(labels: Int32Array, [rows, columns]: Grid, [height, width]: Grid): Int32Array {
  return Int32Array.from({ length: height * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    return labels[Math.floor((row * rows) / height) * columns + Math.floor((column * columns) / width)]!;
  });
}
