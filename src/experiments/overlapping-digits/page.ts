import type { Section } from "../../report/html.js";
import { markup, number, raw } from "../../report/html.js";
import { phaseTables } from "../../report/phase-player.js";
import { PLAYER_SCRIPT } from "../../report/player-script.js";
import { experimentPage, runFacts } from "../../report/provenance-node.js";
import { mark, verdictList } from "../../report/verdict.js";
import type { DigitsReport } from "../digits/results.js";
import { NOT_COMPARED } from "./onnx-check.js";
import { checkReport } from "../digits/results.js";
import {
  digitsAccuracySection,
  digitsProvenance,
  digitsLearningSection,
  orderingSection,
  phaseSection,
  digitsSummarySection,
  timestepSection,
} from "../digits/sections.js";

/** The report of the overlapping-digits experiment as one self-contained HTML file. */
export async function overlappingDigitsPage(report: DigitsReport): Promise<string> {
  checkReport(report);
  const [scale, ...facts] = runFacts(report);
  return experimentPage(report, {
    facts: [scale!, `${report.digits} digits per image`, ...facts],
    sections: [
      digitsSummarySection(report),
      phaseSection(report),
      await digitsAccuracySection(report),
      await timestepSection(report),
      await digitsLearningSection(report),
      orderingSection(report),
      onnxSection(report),
    ],
    provenance: digitsProvenance(report),
    data: phaseTables(),
    scripts: [PLAYER_SCRIPT],
  });
}

function onnxSection(report: DigitsReport): Section {
  const check = report.onnxCheck;
  if (!check) return { id: "onnx", title: "The exported model", body: markup`<p>${NOT_COMPARED}</p>` };
  const same = check.maximumDifference <= check.tolerance;
  const [one, other] = check.runtimes ?? ["onnxruntime-node", "onnxruntime-web"];
  return {
    id: "onnx",
    title: "The exported model",
    body: verdictList([
      [
        mark({ status: same ? "holds" : "reversed" }, same ? "✓ same" : "✗ differs"),
        markup`${check.file ? markup`<code>${check.file}</code> gives the` : "The exported ONNX file gives the"}
          ${same ? "same" : raw("<strong>not the same</strong>")} logits in ${one} and ${other}: largest
          difference ${number(check.maximumDifference, 3)} over ${check.images} images (allowed:
          ${number(check.tolerance, 3)}).`,
      ],
    ]),
  };
}
