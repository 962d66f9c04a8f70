import type { ImageSource } from "../../data/images/image-source.js";
import type { RgbImage } from "../../data/images/rgb-image.js";
import type { ResultCard } from "../../robustness/card.js";
import type { CorruptionName, Severity } from "../../robustness/corruptions/index.js";
import { corrupt } from "../../robustness/corruptions/index.js";
import { showEpsilon } from "../../robustness/epsilon.js";
import type { EvaluationPlan } from "../../robustness/evaluate-node.js";
import { decodePixels } from "../../robustness/evaluate-node.js";
import { fitPicture, toImageBatch, toPicture } from "../../robustness/images.js";
import type { Network } from "../../robustness/network.js";
import type { Answer, ExampleRecord, ImageRecord, RunRecord } from "../../robustness/records.js";
import { writeFileAtomic } from "../../util/files-node.js";
import type { ReportPicture } from "../../report/picture-grid.js";
import { dataUri } from "../picture-uri.js";
import type { LabelledPictures } from "./page.js";
import { robustnessPage } from "./page.js";

export interface ReportInput {
  readonly card: ResultCard;
  readonly records: readonly RunRecord[];
  readonly source: ImageSource;
  /** The classifier whose predictions are shown: that of the last timestep, if there are several. */
  readonly network: Network;
  readonly plan: EvaluationPlan;
  readonly seed: number;
}

const FAILURES = 12;

/** Number of classes whose images are shown with their labels, and of images of each class. */
const [SHOWN_CLASSES, SHOWN_PICTURES] = [6, 4];

/** Recreates the images of the report from the seed and their positions, and writes the page. */
export async function writeRobustnessReport(path: string, all: ReportInput): Promise<void> {
  const { timestep } = all.network;
  const records = all.records.filter((record) => record.kind === "skipped" || record.timestep === timestep);
  const input = { ...all, records };
  const images = input.records.filter((record): record is ImageRecord => record.kind === "image");
  const gallery = await galleryOf(input, images);
  const html = await robustnessPage({
    card: input.card,
    ...(gallery && { gallery }),
    labels: await labelsOf(input, images),
    failures: await failuresOf(input, images),
    adversarial: await adversarialOf(input),
    date: new Date().toISOString(),
  });
  await writeFileAtomic(path, html);
}

/** The first measured images of the first classes. */
async function labelsOf(input: ReportInput, images: readonly ImageRecord[]): Promise<LabelledPictures[]> {
  const labels = [...new Set(images.map(({ label }) => label))].sort((a, b) => a - b);
  return Promise.all(
    labels.slice(0, SHOWN_CLASSES).map(async (label) => {
      const own = images.filter((record) => record.label === label);
      const pictures = own.slice(0, SHOWN_PICTURES).map(async ({ image }) => ({
        uri: await dataUri(await original(input, image)),
        title: input.source.nameOf(image),
      }));
      return {
        label,
        name: className(input, label),
        count: own.length,
        pictures: await Promise.all(pictures),
      };
    }),
  );
}

/** The first image that is classified correctly when clean, under every corruption at a middle severity. */
async function galleryOf(
  input: ReportInput,
  images: readonly ImageRecord[],
): Promise<{ title: string; severity: number; pictures: ReportPicture[] } | undefined> {
  const { plan, card } = input;
  const { severities } = card.protocol;
  const severity = severities[Math.floor((severities.length - 1) / 2)];
  const example = images.find(({ answers }) => answers[0]!.rank === 0) ?? images[0];
  if (severity === undefined || example === undefined) return undefined;
  const pictures = [await clean(input, example)];
  for (const [i, { name, severity: own }] of plan.conditions.entries()) {
    if (own !== severity) continue;
    const picture = await corrupted(input, example.image, name, own);
    pictures.push(await captioned(input, picture, words(name), example.answers[i + 1]!, example.label));
  }
  return { title: className(input, example.label), severity, pictures };
}

async function clean(input: ReportInput, { image, label, answers }: ImageRecord): Promise<ReportPicture> {
  return captioned(input, await original(input, image), "clean", answers[0]!, label);
}

async function captioned(
  input: ReportInput,
  picture: RgbImage,
  title: string,
  answer: Answer,
  label: number,
): Promise<ReportPicture> {
  return {
    uri: await dataUri(picture),
    title,
    answers: [
      {
        text: `${className(input, answer.predicted)}, ${Math.round(100 * answer.confidence)} %`,
        wrong: answer.predicted !== label,
      },
    ],
  };
}

/** The most confident wrong predictions, at most one for each image. */
async function failuresOf(input: ReportInput, images: readonly ImageRecord[]): Promise<ReportPicture[]> {
  const worst = images
    .flatMap((record) => {
      const wrong = record.answers
        .map((answer, version) => ({ record, answer, version }))
        .filter(({ answer }) => answer.rank > 0 && answer.predicted !== record.label);
      return wrong.sort((a, b) => b.answer.confidence - a.answer.confidence).slice(0, 1);
    })
    .sort((a, b) => b.answer.confidence - a.answer.confidence)
    .slice(0, FAILURES);
  const pictures: ReportPicture[] = [];
  for (const { record, answer, version } of worst) {
    const condition = input.plan.conditions[version - 1];
    const picture =
      condition === undefined
        ? await original(input, record.image)
        : await corrupted(input, record.image, condition.name, condition.severity);
    const where = condition === undefined ? "clean" : `${words(condition.name)} ${condition.severity}`;
    const title = `${className(input, record.label)} (${where})`;
    pictures.push(await captioned(input, picture, title, answer, record.label));
  }
  return pictures;
}

/** The adversarial examples of each attack at the smallest radius that has some. */
async function adversarialOf(input: ReportInput): Promise<{ title: string; pictures: ReportPicture[] }[]> {
  const { records, plan, network } = input;
  const figures: { title: string; pictures: ReportPicture[] }[] = [];
  for (const { name } of plan.attacks) {
    const own = records.filter(
      (record): record is ExampleRecord => record.kind === "example" && record.plan === name,
    );
    const smallest = Math.min(...own.map(({ epsilon }) => epsilon));
    const pictures: ReportPicture[] = [];
    for (const { image, label, predicted, pixels } of own.filter(({ epsilon }) => epsilon === smallest)) {
      const before = toImageBatch([await original(input, image)], network.imageShape).data;
      const after = decodePixels(pixels, before.length);
      const change = after.map((value, i) => value - before[i]!);
      const most = change.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
      const [shown, difference] = [after, change.map((value) => 0.5 + (0.5 * value) / most)].map((values) =>
        toPicture(values, network.imageShape),
      ) as [RgbImage, RgbImage];
      pictures.push(
        {
          uri: await dataUri(await original(input, image)),
          title: "clean",
          answers: [{ text: className(input, label), wrong: false }],
        },
        { uri: await dataUri(difference), title: `change, × ${(0.5 / most).toFixed(0)}` },
        {
          uri: await dataUri(shown),
          title: "adversarial",
          answers: [{ text: className(input, predicted), wrong: true }],
        },
      );
    }
    if (pictures.length > 0)
      figures.push({
        title: `${name}, ε ${showEpsilon(smallest)}: clean image, perturbation, adversarial image`,
        pictures,
      });
  }
  return figures;
}

async function original({ source, network }: ReportInput, image: number): Promise<RgbImage> {
  return fitPicture(await source.read(image), network.imageShape, network.preprocessing);
}

async function corrupted(
  input: ReportInput,
  image: number,
  name: CorruptionName,
  severity: Severity,
): Promise<RgbImage> {
  const { plan, seed } = input;
  return corrupt(await original(input, image), name, severity, { ...plan.corruption, seed, index: image });
}

function className({ source }: ReportInput, label: number): string {
  return source.classes[label] ?? `class ${label}`;
}

function words(name: string): string {
  return name === "frost" ? "frost (procedural)" : name.replaceAll("_", " ");
}
