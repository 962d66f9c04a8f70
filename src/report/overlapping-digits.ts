import { cssGradient, UNIFORM_CYCLE } from "../draw/index.js";
import { duration, markup, number, page, raw } from "./html.js";
import type { Content, Section } from "./html.js";
import { checkReport } from "./digits-data.js";
import type { DigitsReport } from "./digits-data.js";
import { phaseSection } from "./digits-pictures.js";
import { accuracySection, learningSection, summarySection, timestepSection } from "./digits-sections.js";
import { orderingSection } from "./digits-tables.js";
import { phaseTables } from "./phase-player.js";
import { PLAYER_SCRIPT } from "./player-script.js";

export type { DigitsReport } from "./digits-data.js";

/** The report of the overlapping-digits experiment as one self-contained HTML file. */
export async function overlappingDigitsPage(report: DigitsReport): Promise<string> {
  checkReport(report);
  const sections = [
    summarySection(report),
    phaseSection(report),
    await accuracySection(report),
    await timestepSection(report),
    await learningSection(report),
    orderingSection(report),
    onnxSection(report),
  ].filter((section) => section !== undefined);
  const { seeds, wallTimeSeconds, date } = report.provenance;
  return page({
    title: report.title,
    subtitle: report.subtitle,
    facts: [
      `scale: ${report.scale}`,
      `${report.digits} digits per image`,
      seeds.length === 1 ? "1 seed" : `${seeds.length} seeds`,
      duration(wallTimeSeconds),
      date.slice(0, 10),
    ],
    ribbon: cssGradient(UNIFORM_CYCLE),
    sections,
    provenance: provenance(report),
    data: phaseTables(),
    scripts: [PLAYER_SCRIPT],
  });
}

function onnxSection(report: DigitsReport): Section | undefined {
  const check = report.onnxCheck;
  if (!check) return undefined;
  const same = check.maximumDifference <= check.tolerance;
  const [one, other] = check.runtimes ?? ["onnxruntime-node", "onnxruntime-web"];
  return {
    id: "onnx",
    title: "The exported model",
    body: markup`<ul class="verdicts">
      <li>
        <span class="mark ${same ? "holds" : "reversed"}">${same ? "✓ same" : "✗ differs"}</span>
        <span>${check.file ? markup`<code>${check.file}</code> gives the` : "The exported ONNX file gives the"}
          ${same ? "same" : raw("<strong>not the same</strong>")} logits in ${one} and ${other}: largest
          difference ${number(check.maximumDifference, 3)} over ${check.images} images (allowed:
          ${number(check.tolerance, 3)}).</span>
      </li>
    </ul>`,
  };
}

/** What was run where, name and value. */
export function provenance(report: DigitsReport): [string, Content][] {
  const {
    seeds,
    steps,
    batchSize,
    imagesSeen,
    testImages,
    machine,
    versions,
    date,
    wallTimeSeconds,
    command,
    more,
  } = report.provenance;
  return [
    ["Command", markup`<code>${command}</code>`],
    ["Scale", report.scale],
    ["Seeds", seeds.join(", ")],
    [
      "Training, each model and seed",
      `${steps.toLocaleString("en-GB")} steps of ${batchSize}: ${imagesSeen.toLocaleString("en-GB")} images`,
    ],
    ["Test images per condition", testImages.toLocaleString("en-GB")],
    ["Wall time", duration(wallTimeSeconds)],
    ["Date", date],
    ["Machine", machine],
    [
      "Versions",
      Object.entries(versions).map(([name, version], i) => `${i > 0 ? ", " : ""}${name} ${version}`),
    ],
    ...Object.entries(more ?? {}),
  ];
}
