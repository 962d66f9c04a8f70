import { join } from "node:path";
import type { ImageSource } from "../data/images/image-source.js";
import { versions } from "../report/provenance-node.js";
import type { AttackPlan } from "../robustness/attacks/index.js";
import type { Protocol, ResultCard } from "../robustness/card.js";
import { resultCard } from "../robustness/card.js";
import { Classifier } from "../robustness/classifier.js";
import type { ConstantSet } from "../robustness/corruptions/index.js";
import { corruptionGroup } from "../robustness/corruptions/index.js";
import type { EvaluationPlan } from "../robustness/evaluate-node.js";
import { evaluate } from "../robustness/evaluate-node.js";
import type { Network } from "../robustness/network.js";
import type { Outcome } from "../robustness/outcomes.js";
import { outcomesOf } from "../robustness/outcomes.js";
import type { AttackRecord, CorruptionCondition, RunRecord } from "../robustness/records.js";
import { openResults } from "../robustness/results-file-node.js";
import { sessionOptionsOf } from "../runtime/runtime.js";
import { workerRuntime } from "../runtime/worker-node.js";
import { ensureFolder } from "../util/files-node.js";
import { Random } from "../util/random.js";
import type { CellOptions } from "./cells.js";

/** What a cell measures of a network. */
export interface NetworkMeasurement {
  readonly network: Network;
  /** Images to measure. */
  readonly source: ImageSource;
  /** Number of images on which accuracy is measured, clean and corrupted; 0 for none. */
  readonly images: number;
  readonly conditions: readonly CorruptionCondition[];
  /** Image size whose published constants set the severities, and the quality of the JPEG compression after corruptions. */
  readonly corruption: { readonly constants: ConstantSet; readonly reencode: number | false };
  /** Number of images to attack; 0 for none. */
  readonly attacked: number;
  readonly attacks: readonly AttackPlan[];
  readonly epsilons: readonly number[];
  /** Random seed of noise, corruptions and attacks. */
  readonly seed: number;
  /** Name of the cell, and the key of the network that it measures. */
  readonly cell: string;
  readonly key: string;
  /** Folder of the cell, for the records from which a stopped cell continues. */
  readonly folder: string;
}

/** Which of the measured images a network gets right, for one measure. */
export interface StoredOutcome {
  readonly name: string;
  readonly kind: Outcome["kind"];
  /** Positions of the images in the data set, ascending. */
  readonly images: readonly number[];
  /** For each image, the share of conditions under which it is right. */
  readonly right: readonly number[];
}

/** What {@link measureNetwork} found. */
export interface MeasuredNetwork {
  readonly card: ResultCard;
  readonly records: readonly RunRecord[];
  /** Returns the outcomes of all images; `attackName` names the measure of an attack at one radius. */
  readonly outcomesNamed: (
    attackName: (attack: Pick<AttackRecord, "plan" | "epsilon">) => string,
  ) => StoredOutcome[];
}

/** Number of images of one run of the network, and of bins of a reliability diagram. */
const [BATCH, BINS] = [32, 15];
/** Random seed for the choice of images, which is the same for all networks and seeds. */
const IMAGES_SEED = 1;

/**
 * Runs the evaluation of `striate robustness` in a cell of an experiment. Returns undefined if the cell was stopped.
 *
 * @throws StriateError if the records in the folder belong to another network
 */
export async function measureNetwork(
  measurement: NetworkMeasurement,
  options: CellOptions,
): Promise<MeasuredNetwork | undefined> {
  const { network, source, images, conditions, corruption, attacked, attacks, epsilons, seed } = measurement;
  const { cell, key, folder } = measurement;
  const { signal, threads } = options;
  const classifier = new Classifier(network, workerRuntime, sessionOptionsOf(options));
  const order = Random.derive(IMAGES_SEED, "test images").permutation(source.count);
  const chosen = (most: number) => [...order.slice(0, most)].sort((a, b) => a - b);
  const plan: EvaluationPlan = {
    images: chosen(images),
    conditions,
    corruption,
    attacked: chosen(attacked),
    attacks,
    epsilons,
    seed,
    batch: BATCH,
    passes: 1,
  };
  const protocol: Protocol = {
    model: {
      name: network.name,
      sha256: key,
      classes: network.classes,
      imageShape: network.imageShape,
      answers: network.answers,
      preprocessing: network.preprocessing,
      preprocessingFrom: network.preprocessingFrom,
      ...(network.timestep !== undefined && { timesteps: [network.timestep] }),
    },
    data: {
      name: source.name,
      count: source.count,
      images: plan.images.length,
      attacked: plan.attacked.length,
      choice: `drawn at random with seed ${IMAGES_SEED}`,
      labels: source.labelling?.text ?? "the data set's own",
    },
    seed,
    passes: 1,
    batch: BATCH,
    corruptions: [...new Set(conditions.map(({ name }) => name))],
    severities: [...new Set(conditions.map(({ severity }) => severity))],
    constants: corruption.constants,
    reencode: corruption.reencode,
    frost: "procedural",
    bins: BINS,
    device: options.device ?? "cpu",
    version: versions().striate!,
  };
  await ensureFolder(folder);
  const results = await openResults(join(folder, "records.jsonl"), { cell, key });
  try {
    const records = await evaluate([classifier], source, plan, results, {
      signal,
      ...(threads !== undefined && { threads }),
      onProgress: (task, event) => {
        options.onProgress(task, event);
      },
    });
    if (signal.aborted) return undefined;
    const card = resultCard({
      protocol,
      conditions,
      plans: plan.attacks,
      epsilons: plan.epsilons,
      records,
      groupOf: corruptionGroup,
      seconds: 0,
    });
    const outcomesNamed: MeasuredNetwork["outcomesNamed"] = (attackName) =>
      outcomesOf(records, conditions, network.timestep, attackName).map(({ name, kind, right }) => {
        const found = [...right.keys()].sort((a, b) => a - b);
        return { name, kind, images: found, right: found.map((image) => right.get(image)!) };
      });
    return { card, records, outcomesNamed };
  } finally {
    await results.close();
    await classifier.close();
  }
}
