import { join } from "node:path";
import type { TrainingReport } from "../../experiments/own-images/training-page.js";
import { wilsonInterval } from "../../metrics/statistics.js";
import { percent } from "../../report/html.js";
import { versionsText } from "../../report/provenance-node.js";
import type { ResultCard, Share } from "../../robustness/card.js";
import { showEpsilon } from "../../robustness/epsilon.js";
import { StriateError, check } from "../../util/errors.js";
import { readFileChecked } from "../../util/files-node.js";
import { isJsonObject, parseStrictJson } from "../../util/json.js";
import type { Json } from "../../util/json.js";
import type { CardOptions } from "../commands/card.js";
import { frontMatter } from "./front-matter.js";

const LARGEST = 2 ** 28;

/**
 * Reads the results of `striate train`.
 *
 * @throws StriateError for folders that are no finished training run
 */
export async function readRun(folder: string): Promise<TrainingReport> {
  const path = join(folder, "results.json");
  const bytes = await readFileChecked(path, { what: "results of a training run", maxBytes: LARGEST });
  const value = parseStrictJson(new TextDecoder().decode(bytes), `"${path}"`);
  if (!isReport(value))
    throw new StriateError(`"${path}": expected the results of striate train, got those of something else`);
  return value;
}

function isReport(value: unknown): value is TrainingReport {
  return (
    isJsonObject(value) &&
    typeof value.network === "string" &&
    isJsonObject(value.data) &&
    isJsonObject(value.test) &&
    isJsonObject(value.recipe) &&
    Array.isArray(value.validation)
  );
}

/** One score: an entry of the hub's `model-index`, and a row of the table. */
interface Score {
  readonly what: string;
  readonly share: Share;
  readonly dataset: string;
}

/**
 * The model card of a training run as the Hugging Face hub reads it: a README.md whose beginning holds the metadata in
 * YAML, with the results as `model-index` (https://github.com/huggingface/hub-docs/blob/main/modelcard.md).
 *
 * @throws StriateError for a license that is no id of the hub, and a result card of another network's data
 */
export function hubCard(
  run: TrainingReport,
  robustness: ResultCard | undefined,
  { name = run.network, license, dataset }: CardOptions,
): { readonly text: string; readonly cautions: readonly string[] } {
  check(
    license === undefined || /^[a-z0-9][a-z0-9.-]*$/.test(license),
    () =>
      `--license: expected an id of the hub, such as mit or cc-by-4.0 (https://hf.co/docs/hub/repositories-licenses), got "${license!}"`,
  );
  check(
    dataset === undefined || /^[\w.-]+(\/[\w.-]+)?$/.test(dataset),
    () => `--dataset: expected an id of the hub, such as cifar10 or owner/name, got "${dataset!}"`,
  );
  const classes = robustness?.classes;
  check(
    classes === undefined || JSON.stringify(classes) === JSON.stringify(run.data.classes),
    () =>
      `--robustness: expected the classes of the run (${run.data.classes.slice(0, 3).join(", ")} ...), got ${classes!.slice(0, 3).join(", ")} ...`,
  );
  const scores = scoresOf(run, robustness);
  const metadata: Record<string, Json> = {
    ...(license !== undefined && { license }),
    pipeline_tag: "image-classification",
    tags: ["image-classification", "onnx", "striate"],
    ...(dataset !== undefined && { datasets: [dataset] }),
    metrics: ["accuracy"],
    "model-index": [
      {
        name,
        results: scores.map(({ what, share, dataset: shown }) => ({
          task: { type: "image-classification", name: "Image Classification" },
          // Data that are not on the hub have the type of the loader that reads folders of images.
          dataset: { type: dataset ?? "imagefolder", name: shown, split: "test" },
          metrics: [{ type: "accuracy", value: Number(share.value.toFixed(6)), name: what }],
        })),
      },
    ],
  };
  const cautions = [
    ...(license === undefined ? ["the card names no license: give --license, such as --license mit"] : []),
    ...(dataset === undefined
      ? ["the card names no data set of the hub: give --dataset if it is there"]
      : []),
  ];
  return { text: `${frontMatter(metadata)}\n${body(name, run, robustness, scores)}`, cautions };
}

function scoresOf({ data, test }: TrainingReport, card: ResultCard | undefined): Score[] {
  const right = Math.round(test.accuracy * test.count);
  const own = { value: test.accuracy, ...wilsonInterval(right, test.count), n: test.count };
  const scores: Score[] = [{ what: "Test accuracy", share: own, dataset: data.name }];
  if (!card) return scores;
  const { protocol, attacks, corruptions } = card;
  if (corruptions.length > 0) {
    const n = card.clean!.accuracy.n;
    const mean = (value: (one: (typeof corruptions)[number]) => number) =>
      corruptions.reduce((sum, one) => sum + value(one) / corruptions.length, 0);
    scores.push({
      what: `Accuracy under ${protocol.corruptions.length} corruptions, severities ${protocol.severities.join(", ")}`,
      share: { value: mean((one) => one.accuracy.value), low: NaN, high: NaN, n },
      dataset: `${data.name}, corrupted`,
    });
  }
  for (const { plan, norm, epsilon, robust } of attacks)
    scores.push({
      what: `Accuracy under ${plan}, ${norm} ${showEpsilon(epsilon)}`,
      share: robust,
      dataset: `${data.name}, attacked`,
    });
  return scores;
}

function body(
  name: string,
  { network, choices, data, recipe, parameters, trained, provenance }: TrainingReport,
  card: ResultCard | undefined,
  scores: readonly Score[],
): string {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
    [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");
  const interval = ({ low, high }: Share) => (Number.isNaN(low) ? "" : `${percent(low)} to ${percent(high)}`);
  return `${[
    `# ${name}`,
    `An image classifier (${network}) for ${data.classes.length} classes in the ONNX format, trained with Striate ${provenance.versions.striate ?? ""}. It has ${parameters.toLocaleString("en-GB")} parameters, of which ${trained.toLocaleString("en-GB")} were trained.${choices.length > 0 ? ` The network has ${choices.join("; ")}.` : ""}`,
    "## Results",
    table(
      ["measured", "%", "95 % interval", "images"],
      scores.map(({ what, share }) => [what, percent(share.value), interval(share), String(share.n)]),
    ),
    `The test images (${data.counts.test}) were neither trained on nor used to choose the weights.${card ? ` Robustness was measured on ${card.measured} images with seed ${card.protocol.seed}.` : ""}`,
    ...(card && card.warnings.length > 0 ? [card.warnings.map((one) => `- ${one}`).join("\n")] : []),
    "## Use",
    [
      "```sh",
      "striate summary model.onnx",
      "striate robustness model.onnx --data photos/ --corruptions benchmark",
      "```",
    ].join("\n"),
    "The metadata of `model.onnx` state the preprocessing and the classes. Any runtime for ONNX can run the file.",
    "## Data",
    `${data.name}: ${data.counts.train} images to train on, ${data.counts.validation} for validation, ${data.counts.test} to test (${data.text}).`,
    `Classes: ${data.classes.map((one) => `\`${one}\``).join(", ")}.`,
    ...(data.cautions.length > 0 ? [data.cautions.map((one) => `- ${one}`).join("\n")] : []),
    "## Training",
    table(
      ["setting", "value"],
      Object.entries(recipe).map(([key, value]) => [key, String(value)]),
    ),
    `Command: \`${provenance.command}\``,
    `Seed ${provenance.seeds.join(", ")}; ${versionsText(provenance.versions)}; ${provenance.machine}; ${provenance.date.slice(0, 10)}.`,
  ].join("\n\n")}\n`;
}
