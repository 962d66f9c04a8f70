import { cacheCommand } from "./cache.js";
import { cardCommand } from "./card.js";
import type { Command } from "./command.js";
import { compareCommand } from "./compare.js";
import { completionCommand } from "./completion.js";
import { corruptCommand } from "./corrupt.js";
import { devicesCommand } from "./devices.js";
import { doctorCommand } from "./doctor.js";
import { exploreCommand } from "./explore.js";
import { importCommand } from "./import.js";
import { modelsCommand } from "./models.js";
import { newCommand } from "./new.js";
import { predifyCommand } from "./predify.js";
import { quantizeCommand } from "./quantize.js";
import { robustnessCommand } from "./robustness.js";
import { runCommand } from "./run.js";
import { studyCommand } from "./study.js";
import { summaryCommand } from "./summary.js";
import { sweepCommand } from "./sweep.js";
import { trainCommand } from "./train.js";
import { workerCommand } from "./worker.js";

/** All commands in the order in which help texts and docs list them. */
export const commands: readonly Command[] = [
  runCommand,
  trainCommand,
  studyCommand,
  sweepCommand,
  workerCommand,
  robustnessCommand,
  compareCommand,
  cardCommand,
  predifyCommand,
  quantizeCommand,
  importCommand,
  summaryCommand,
  modelsCommand,
  exploreCommand,
  newCommand,
  corruptCommand,
  devicesCommand,
  doctorCommand,
  cacheCommand,
  completionCommand(() => commands),
];
