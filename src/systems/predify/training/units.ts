import { IMAGES } from "../../../data/images/prepared-images.js";
import type { TensorData } from "../../../graph/index.js";
import { tensorData } from "../../../graph/index.js";
import type { State } from "../../../nn/module.js";
import type { Runtime } from "../../../runtime/runtime.js";
import type { TrainingData } from "../../../train/task.js";
import { Random } from "../../../util/random.js";
import type { PredictiveNetwork } from "../core/network.js";
import { measureDeviations, measureWindows } from "../core/run.js";
import { freshValues } from "../core/values.js";

/* What the training of decoders measures on images: units before the first step, windows after the last one. */

interface Measuring {
  readonly seed: number;
  /** Values to start from. Default: random decoders. */
  readonly values?: ReadonlyMap<string, TensorData>;
  readonly onWarning?: (message: string) => void;
  /** Where the backbone runs. */
  readonly runtime: Runtime;
}

/** Number of images on which units are measured. */
const UNIT_IMAGES = 64;

/** A ratio of standard deviations from which on the authors' values no longer suit a network without measured units. */
const FAR_FROM_ONE = 8;

/**
 * The values with which training starts, with the units of a network whose decoders are new. A network without measured
 * units gets a caution if its images or feature maps are far from those for which the authors' hyper-parameters are meant.
 */
export async function startValues(
  network: PredictiveNetwork,
  data: TrainingData,
  { seed, values: given, onWarning, runtime }: Measuring,
): Promise<State> {
  const result = new Map(given ?? freshValues(network, seed));
  const hasUnits = network.pcoders.some(({ units }) => units !== undefined);
  // Decoders that were trained before keep the units in which they were trained.
  if (hasUnits && given !== undefined) return result;
  const images = await firstImages(network, data, UNIT_IMAGES);
  const deviations = await measureDeviations(network, images, Random.derive(seed, "units"), runtime);
  network.pcoders.forEach(({ number, units, after }, i) => {
    const [target, source] = [deviations[i]!, deviations[i + 1]!];
    const places = {
      target: i === 0 ? "the images" : `"${network.pcoders[i - 1]!.after}"`,
      source: `"${after}"`,
    };
    if (units === undefined) {
      const ratio = target / source;
      if (ratio > FAR_FROM_ONE)
        onWarning?.(
          `PCoder ${number}: its error step is ${Math.round(ratio ** 2)} times as large as for values of equal spread, because ` +
            `the standard deviation of ${places.target} is ${target.toPrecision(3)} and that of ${places.source} ${source.toPrecision(3)}; ` +
            'the hyper-parameters may be far too large: units: "measured" makes them independent of this',
        );
      return;
    }
    for (const [name, deviation] of Object.entries({ target, source }) as ["target" | "source", number][]) {
      const isSpread = Number.isFinite(deviation) && deviation > 0;
      if (!isSpread)
        onWarning?.(
          `PCoder ${number}: the standard deviation of ${places[name]} is ${deviation} on the first ${images.shape[0]!} images, so it is taken as 1`,
        );
      result.set(`pcoder${number}.${name}_std`, tensorData([isSpread ? deviation : 1], []));
    }
  });
  return result;
}

/** The values after training, with the windows that have to be measured. */
export async function finishedValues(
  network: PredictiveNetwork,
  values: State,
  data: TrainingData,
  { seed, batchSize, runtime }: Measuring & { readonly batchSize: number },
): Promise<State> {
  const first = await firstImages(network, data, Math.min(batchSize, 8));
  return measureWindows(network, values, first, Random.derive(seed, "windows"), runtime);
}

async function firstImages(
  network: PredictiveNetwork,
  data: TrainingData,
  most: number,
): Promise<TensorData> {
  const shape = [Math.min(most, data.count), ...network.backbone.imageShape];
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  await data.fill(
    Array.from({ length: shape[0]! }, (_, i) => i),
    { [IMAGES]: values },
  );
  return { dtype: "float32", shape, data: values };
}
