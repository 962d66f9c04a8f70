import { cssGradient, UNIFORM_CYCLE } from "../draw/index.js";
import { duration, markup, page } from "./html.js";
import type { Section } from "./html.js";
import { analysisSection, impactSection } from "./v1-sampling-analysis.js";
import type { V1SamplingReport } from "./v1-sampling-data.js";
import { accuracySection, learningSection, summarySection } from "./v1-sampling-scores.js";
import { distributionSection, filterSection, tuningSection } from "./v1-sampling-v1.js";

export type { V1SamplingReport } from "./v1-sampling-data.js";

/** The report of the study of V1 sampling as one self-contained HTML file. */
export async function v1SamplingPage(report: V1SamplingReport): Promise<string> {
  const sections: (Section | undefined)[] = [
    summarySection(report),
    await accuracySection(report),
    await learningSection(report),
    filterSection(report),
    await distributionSection(report),
    await tuningSection(report),
    await analysisSection(report),
    await impactSection(report),
  ];
  return page({
    title: report.title,
    subtitle: markup`Does it matter how the receptive fields of a model V1 are drawn: as measured in animals, or uniformly?
      VOneResNet-18 after Barbulescu, Marques &amp; Oliveira (2023).`,
    facts: [
      `scale: ${report.scale}`,
      report.seeds.length === 1 ? "1 seed" : `${report.seeds.length} seeds`,
      `${report.testImages} test images, ${report.conditions} conditions`,
      duration(report.seconds),
      report.date.slice(0, 10),
    ],
    ribbon: cssGradient(UNIFORM_CYCLE),
    sections: sections.filter((section) => section !== undefined),
    provenance: Object.entries(report.provenance),
  });
}
