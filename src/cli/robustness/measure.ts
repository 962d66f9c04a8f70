import { dirname } from "node:path";
import pc from "picocolors";
import { namedImages, readClassOrder } from "../../data/sets/named-images-node.js";
import { contentDigest } from "../../data/images/content-digest-node.js";
import type { ClassOrder } from "../../data/images/class-names.js";
import { sameOrder, someNames } from "../../data/images/class-names.js";
import type { ImageSource } from "../../data/images/image-source.js";
import type { Network } from "../../robustness/network.js";
import type { OnnxFile } from "../../graph/onnx/read/read.js";
import { openOnnx, sha256OfModel } from "../../graph/onnx/read/open-node.js";
import { onnxNetworkOverTime } from "../../robustness/onnx-network.js";
import { checkAnswers, dependsOnBatch } from "../../robustness/answer-checks.js";
import type { ImageBatch } from "../../robustness/classifier.js";
import { Classifier } from "../../robustness/classifier.js";
import type { AttackPlan } from "../../robustness/attacks/index.js";
import { attackPlan, checkPlan, isDeterministic, planCautions } from "../../robustness/attacks/index.js";
import { checkEpsilon } from "../../robustness/attacks/ball.js";
import type { Protocol, ResultCard } from "../../robustness/card.js";
import { resultCard } from "../../robustness/card.js";
import type { ConstantSet } from "../../robustness/corruptions/index.js";
import {
  CONSTANT_SETS,
  corruptionGroup,
  defaultReencode,
  nearestConstants,
} from "../../robustness/corruptions/index.js";
import type { EvaluationPlan } from "../../robustness/evaluate-node.js";
import { showEpsilon } from "../../robustness/epsilon.js";
import { evaluate } from "../../robustness/evaluate-node.js";
import { fitPicture, toImageBatch } from "../../robustness/images.js";
import type { RunRecord } from "../../robustness/records.js";
import { openResults } from "../../robustness/results-file-node.js";
import { sayIfSlow } from "../../runtime/slow-opening.js";
import { workerRuntime } from "../../runtime/worker-node.js";
import { StriateError, check } from "../../util/errors.js";
import { ensureFolder, writeFileAtomic } from "../../util/files-node.js";
import type { JsonObject } from "../../util/json.js";
import { packageFacts } from "../../util/package-facts-node.js";
import { Random } from "../../util/random.js";
import type { RobustnessOptions } from "../commands/robustness.js";
import { statedPreprocessing } from "../options/preprocessing.js";
import type { createProgress } from "../terminal/progress.js";

const BINS = 15;

/** Where the results of a measurement go, and how it can be stopped. */
export interface MeasureContext {
  /** Name for messages and the result card. */
  readonly name: string;
  /** The path of the results without an ending: the result card is STEM.json, the records are STEM.results.jsonl. */
  readonly stem: string;
  readonly signal: AbortSignal;
  readonly progress: ReturnType<typeof createProgress>;
  /** Called with the digest of the images, before anything is measured. */
  readonly checkData?: (digest: string | undefined) => void;
}

/** A network that was measured. */
export interface MeasuredNetwork {
  readonly card: ResultCard;
  readonly records: readonly RunRecord[];
  readonly source: ImageSource;
  /** The classifier of the last timestep, if there are several. */
  readonly network: Network;
  readonly plan: EvaluationPlan;
  /** Cautions that were already shown. */
  readonly shown: readonly string[];
  /** The files of the result card and the records. */
  readonly files: { readonly card: string; readonly records: string };
}

/**
 * Measures a classifier, or continues a measurement, and writes its result card and records. If it was stopped, they hold
 * what there is.
 */
export async function measureNetwork(
  path: string,
  options: RobustnessOptions,
  { name, stem, signal, progress, checkData }: MeasureContext,
): Promise<MeasuredNetwork> {
  const { seed, device, threads } = options;
  const note = (line: string): void => {
    progress.note(line);
  };
  const { networks, sha256 } = await networksIn(path, name, options);
  const network = networks.at(-1)!;
  const order = await classOrder(network, options.classes);
  const source = await namedImages(options.data, {
    outputs: network.classes,
    ...(options.split !== undefined && { split: options.split }),
    ...(order && { classes: order }),
    cifar10: {
      fetch: options.cifar10Source,
      onProgress: (step, steps = step) => {
        progress.update("CIFAR-10", { step, steps, imagesPerSecond: 0, secondsLeft: undefined });
      },
    },
  });
  checkClasses(source, network, options);
  const classifiers = networks.map(
    (one) =>
      new Classifier(one, workerRuntime, {
        device,
        ...(threads !== undefined && { threads }),
        ...(options.fixedNoise && { fixedNoise: seed }),
      }),
  );
  const began = performance.now();
  try {
    const { plan, protocol, plans, warnings } = await sayIfSlow(
      planOf(classifiers, source, options, sha256),
      note,
    );
    for (const warning of warnings) note(`${pc.yellow("caution")} ${warning}`);
    checkData?.(protocol.data.sha256);
    const settings: JsonObject = {
      ...(protocol as unknown as JsonObject),
      attacks: plans.map(({ name: planName, norm }) => `${planName} ${norm}`),
      epsilons: [...plan.epsilons],
    };
    await ensureFolder(dirname(stem));
    const results = await openResults(`${stem}.results.jsonl`, settings, {
      force: options.force,
      limits: {
        labels: source.labels,
        classes: network.classes,
        answers: 1 + plan.conditions.length,
        passes: plan.passes,
      },
      onWarning: note,
    });
    if (results.records.length > 0) note(pc.dim(`continuing ${results.path}`));
    note(pc.dim(describe(plan, plans)));
    const evaluation = evaluate(classifiers, source, plan, results, {
      signal,
      threads,
      onProgress: (task, event) => {
        progress.update(task, event);
      },
    });
    const records = await evaluation.finally(() => results.close());
    const card = resultCard({
      protocol,
      conditions: plan.conditions,
      plans,
      epsilons: plan.epsilons,
      records,
      groupOf: corruptionGroup,
      classes: source.classes,
      warnings,
      seconds: (performance.now() - began) / 1000,
    });
    const files = { card: `${stem}.json`, records: results.path };
    await writeFileAtomic(files.card, `${JSON.stringify(card, null, 2)}\n`);
    return { card, records, source, network, plan, shown: warnings, files };
  } finally {
    for (const classifier of classifiers) await classifier.close();
  }
}

function describe(plan: EvaluationPlan, plans: readonly AttackPlan[]): string {
  const parts = [`${plan.images.length} images`];
  if (plan.conditions.length > 0) parts.push(`${plan.conditions.length} corrupted versions of each`);
  if (plans.length > 0) {
    const names = plans.map(({ name }) => name).join(", ");
    parts.push(`${names} at ${plan.epsilons.map(showEpsilon).join(", ")} on ${plan.attacked.length}`);
  }
  return parts.join(" · ");
}

/**
 * The order of the network's classes that the user or the file gives. Throws {@link StriateError} if the two
 * differ.
 */
async function classOrder(
  { name, classes: outputs, classNames }: Network,
  stated: string | undefined,
): Promise<ClassOrder | undefined> {
  const own = classNames && {
    from: `the metadata of ${name}`,
    classes: classNames.map((one) => ({ name: one })),
  };
  if (stated === undefined) return own;
  const order = await readClassOrder(stated, outputs);
  check(
    order.classes.length === outputs,
    () =>
      `--classes ${stated}: expected a name for each of the ${outputs} outputs of ${name}, got ${order.classes.length}`,
  );
  check(
    own === undefined || sameOrder(own.classes, order.classes),
    () =>
      `--classes ${stated} contradicts the metadata of ${name}: the option gives ${someNames(order.classes)}, ` +
      `the file gives ${someNames(own!.classes)}`,
  );
  return order;
}

/**
 * Makes sure that a data set has as many classes as the network has outputs; otherwise its labels cannot be
 * the numbers of outputs.
 */
function checkClasses(
  { name, classes, labelling }: ImageSource,
  network: Network,
  { classes: stated }: RobustnessOptions,
): void {
  check(
    stated === undefined || labelling?.complete !== false,
    () =>
      `--classes has no effect: ${name} lists output numbers instead of names (files.json without labels.json); leave the option out`,
  );
  const [own, outputs] = [classes.length, network.classes];
  if (labelling?.complete === false || own === outputs) return;
  const counted = labelling === undefined ? "" : ` (${labelling.text})`;
  const advice =
    stated === undefined
      ? `give the names of all ${outputs} in the order of the outputs with --classes FILE` +
        (own + 1 === outputs ? "; is output 0 a background class?" : "")
      : `expected ${outputs} names in "${stated}"`;
  throw new StriateError(
    `${name} has ${own} classes${counted}, ${network.name} has ${outputs} outputs: the labels do not match the outputs; ${advice}`,
  );
}

interface Planned {
  readonly plan: EvaluationPlan;
  readonly protocol: Protocol;
  readonly plans: readonly AttackPlan[];
  readonly warnings: readonly string[];
}

/** Reads the network, once for each timestep to measure. */
async function networksIn(
  path: string,
  name: string,
  options: RobustnessOptions,
): Promise<{ readonly networks: readonly Network[]; readonly sha256: string }> {
  const file = await openOnnx(path, name);
  // The result keeps no reference to the bytes of the file, which would take as much memory again as the
  // weights.
  return { networks: networksOf(file, name, options), sha256: await sha256OfModel(path, file) };
}

function networksOf(file: OnnxFile, name: string, options: RobustnessOptions): readonly Network[] {
  const { size, output, answers, noise, input: inputs, timestep } = options;
  const preprocessing = statedPreprocessing(options);
  const all = onnxNetworkOverTime(file, {
    name,
    overTime: timestep !== undefined,
    ...(preprocessing && { preprocessing }),
    ...(size !== undefined && { size }),
    ...(output !== undefined && { output }),
    ...(answers !== undefined && { answers }),
    ...(noise && { noise }),
    ...(inputs && { inputs }),
  });
  if (timestep === undefined || timestep === "all") return all;
  const chosen = all[timestep];
  check(chosen, () => `--timestep: expected 0 to ${all.length - 1} for ${name}, got ${timestep}`);
  return [chosen];
}

async function planOf(
  classifiers: readonly Classifier[],
  source: ImageSource,
  options: RobustnessOptions,
  sha256: string,
): Promise<Planned> {
  const classifier = classifiers.at(-1)!;
  const { network } = classifier;
  const { seed, batch, norm, severities, corruptions = [], eps = [] } = options;
  const plans = (options.attacks ?? []).map((name) => attackPlan(name, norm));
  check(
    plans.length === 0 || eps.length > 0,
    () => "--attacks needs --eps, the radii of the attacks, such as --eps 2/255,4/255",
  );
  for (const epsilon of eps)
    for (const { norm: own } of plans) checkEpsilon(epsilon, own, classifier.imageSize);
  for (const plan of plans) checkPlan(plan, classifier);
  const warnings: string[] = [
    ...(source.labelling?.cautions ?? []),
    ...plans.flatMap((plan) => planCautions(plan, network.classes)),
  ];
  if (network.labels === "several") {
    warnings.push(
      "the network was trained for images with several labels: only its largest score counts here, and confidence comes " +
        "from a softmax, which it was not trained with",
    );
  }
  const side = Math.min(...network.imageShape.slice(1));
  const constants = constantsFor(side, options.constants);
  if (corruptions.length > 0 && constants !== side) {
    warnings.push(
      `corruptions have no constants for ${side} pixels: those for ${constants} pixels are used (--constants chooses others)`,
    );
  }
  const pick = (count: number) => chosenImages(seed, source.count, count);
  const images = pick(options.images);
  const attacked = plans.length === 0 ? [] : pick(Math.min(options.attackImages, images.length));
  const stochastic = await probe(classifiers, source, images, warnings);
  if (stochastic && plans.some(({ name }) => !name.includes("rand"))) {
    warnings.push(
      "the network draws random numbers: attacks that do not average over them (all but rand) overestimate robustness",
    );
  }
  const { passes = stochastic ? 5 : 1 } = options;
  if (passes > 1 && plans.length > 0) {
    warnings.push(
      `clean and corrupted images are classified by the average of ${passes} forward passes, attacked ones by one pass each: ` +
        `their accuracies cannot be compared directly`,
    );
  }
  const reencode = options.reencode ?? defaultReencode(constants);
  const plan: EvaluationPlan = {
    images,
    conditions: corruptions.flatMap((name) => severities.map((severity) => ({ name, severity }))),
    corruption: { constants, reencode },
    attacked,
    attacks: plans,
    epsilons: eps,
    seed,
    batch,
    passes,
  };
  const { name, classes, imageShape, answers, preprocessing, preprocessingFrom } = network;
  const protocol: Protocol = {
    model: {
      name,
      sha256,
      classes,
      imageShape,
      answers,
      preprocessing,
      preprocessingFrom,
      ...(network.timestep !== undefined && {
        timesteps: classifiers.map((one) => one.network.timestep!),
      }),
      ...inputsOf(options),
    },
    data: {
      name: source.name,
      count: source.count,
      images: images.length,
      attacked: attacked.length,
      choice: images.length === source.count ? "all" : `drawn at random with seed ${seed}`,
      labels: source.labelling?.text ?? "those of the data set",
      sha256: await contentDigest(source, images),
    },
    seed,
    passes,
    batch,
    corruptions,
    severities: corruptions.length === 0 ? [] : severities,
    constants,
    reencode,
    frost: "procedural",
    bins: BINS,
    device: options.device,
    version: packageFacts().version,
  };
  return { plan, protocol, plans, warnings };
}

/** The options about the model's output and inputs, on which the numbers depend. */
function inputsOf({ output, noise, input, fixedNoise }: RobustnessOptions): Partial<Protocol["model"]> {
  return {
    ...(output !== undefined && { output }),
    ...(noise && { noise }),
    ...(input && { inputs: input }),
    ...(fixedNoise && { fixedNoise }),
  };
}

function constantsFor(side: number, stated: string | undefined): ConstantSet {
  return CONSTANT_SETS.find((set) => String(set) === stated) ?? nearestConstants(side);
}

/** Number of images that the network is checked with before anything is measured. */
const PROBED = 16;

/**
 * Checks the network's outputs for a few images: refuses outputs that are not what they are assumed to be, adds
 * cautions, and returns whether the network draws random numbers.
 */
async function probe(
  classifiers: readonly Classifier[],
  source: ImageSource,
  images: readonly number[],
  warnings: string[],
): Promise<boolean> {
  const classifier = classifiers.at(-1)!;
  const some = await readableImages(classifier, source, images);
  if (some.count === 0) return classifier.isStochastic;
  for (const each of classifiers) {
    const caution = checkAnswers(each.network, await each.logits(some), some.count);
    if (caution !== undefined) warnings.push(caution);
  }
  const first = { count: 1, data: some.data.slice(0, classifier.imageSize) };
  const stochastic = classifier.isStochastic || !(await isDeterministic(classifier, first));
  // Random numbers drawn inside a network differ from run to run anyway.
  const drawnInside = stochastic && !classifier.isStochastic;
  if (!drawnInside && (await dependsOnBatch(classifier, first))) {
    const { fixedBatch } = classifier.network;
    warnings.push(
      `the network's output for an image depends on the other images of its batch: all numbers here depend on --batch` +
        (fixedBatch === undefined
          ? ""
          : `, and on the copies that fill the network's fixed batch of ${fixedBatch}`),
    );
  }
  return stochastic;
}

async function readableImages(
  { network: { imageShape, preprocessing } }: Classifier,
  source: ImageSource,
  images: readonly number[],
): Promise<ImageBatch> {
  const pictures = await Promise.all(
    images.slice(0, PROBED).map((image) =>
      source.read(image).catch((error: unknown) => {
        if (error instanceof StriateError) return undefined;
        throw error;
      }),
    ),
  );
  const fitted = pictures.flatMap((picture) =>
    picture === undefined ? [] : [fitPicture(picture, imageShape, preprocessing)],
  );
  return toImageBatch(fitted, imageShape);
}

/** The positions of the images to measure, in ascending order: `count` of the data set's `all`, drawn with the seed. */
export function chosenImages(seed: number, all: number, count: number): number[] {
  const order = Random.derive(seed, "images").permutation(all);
  return [...order.slice(0, count)].sort((a, b) => a - b);
}
