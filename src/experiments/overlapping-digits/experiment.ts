import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../util/files-node.js";
import { packageFolder } from "../../util/peers-node.js";
import { loadDigits } from "../digits/scenes.js";
import { terminalReport } from "../digits/terminal.js";
import { defineExperiment } from "../experiment.js";
import { runOverlapCell } from "./cell.js";
import { OVERLAP_CLAIMS, overlapClaims } from "./claims.js";
import { checkExport } from "./onnx-check.js";
import { NOT_COMPARED } from "./onnx-check.js";
import { overlappingDigitsPage } from "./page.js";
import { overlapCellName, overlapCells, SCALE_CONFIGS } from "./plan.js";
import type { OverlapResult } from "./results.js";
import { cleanScenes, folderOf, overlappingDigitsReport } from "./results.js";

/** KomplexNet against the real-valued network and random phases on two digits in one image (TMLR 2025). */
export const overlappingDigits = defineExperiment({
  name: "overlapping-digits",
  explorerView: "komplexnet",
  claims: OVERLAP_CLAIMS,
  summary: "Do synchronised phases help to tell two digits apart? KomplexNet against its baselines.",
  scales: {
    smoke: { summary: "three networks, 40 steps, to check that everything works. Under a minute.", seeds: 2 },
    laptop: {
      summary: "four networks, 2,400 steps of 32 images, frozen coupling. About 10 minutes.",
      seeds: 2,
    },
    paper: { summary: "four networks, 30 epochs end to end. Many hours for each seed.", seeds: 3 },
  },
  plan: ({ scale }) => SCALE_CONFIGS[scale],
  cellsOf: (plan, { seeds }) => overlapCells(plan, seeds),
  load: loadDigits,
  nameOf: overlapCellName,
  runCell: runOverlapCell,
  describe,
  report: async (run) => {
    const onnx = join(run.out, "komplexnet.onnx");
    await writeFileAtomic(onnx, await readFile(join(folderOf(run, "kuramoto"), "model.onnx")));
    const canCompare = packageFolder("onnxruntime-web") !== undefined;
    const check = canCompare ? await checkExport(onnx, cleanScenes(run)) : null;
    const report = await overlappingDigitsReport(run, check && { ...check, file: "komplexnet.onnx" });
    return {
      page: await overlappingDigitsPage(report),
      numbers: { ...report, phasePictures: [] },
      claims: overlapClaims(report),
      text: [terminalReport(report), ...(canCompare ? [] : [`! ${NOT_COMPARED}`])].join("\n"),
      files: [{ what: "trained network", path: onnx }],
    };
  },
});

function describe({ conditions, imagesPerSecond, seconds }: OverlapResult): string {
  const accuracy = conditions[0]!.metrics.setAccuracy ?? NaN;
  const speed = imagesPerSecond > 0 ? `, ${Math.round(imagesPerSecond)} images/s` : "";
  return `set accuracy ${(100 * accuracy).toFixed(1)} %, in ${Math.round(seconds)} s${speed}`;
}
