import { flag } from "../options/option.js";
import { command } from "./command.js";

export const doctorCommand = command({
  name: "doctor",
  summary:
    "examine the installation: versions, packages, devices, data, disk and memory, and what is missing",
  options: { json: flag("print the findings as JSON") },
  examples: [
    { line: "striate doctor", does: "prints the findings, and what to type for what is missing" },
    { line: "striate doctor --json", does: "prints them for a bug report or a program" },
  ],
  run: async ({ json }, { streams }) => {
    const { printExamination } = await import("../doctor/doctor.js");
    return printExamination(json, streams);
  },
});
