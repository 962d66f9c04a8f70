import { optional } from "../options/option.js";
import { folder } from "../options/values.js";
import { TEMPLATES } from "../new/templates.js";
import { command } from "./command.js";

export const newCommand = command({
  name: "new",
  summary: "start a project from a template",
  argument: {
    name: "template",
    help: Object.entries(TEMPLATES)
      .map(([name, what]) => `${name} (${what})`)
      .join(", "),
  },
  options: {
    out: optional(folder, "folder of the project, which must not exist or be empty", "striate-TEMPLATE"),
  },
  examples: [
    { line: "striate new page", does: "writes a page that trains a network into striate-page/" },
    { line: "striate new system --out my-dynamics", does: "writes a system of your own, with its tests" },
  ],
  run: async ({ out }, { argument, streams }) => {
    const { newProject } = await import("../new/new-project.js");
    await newProject(argument, out, streams);
    return undefined;
  },
});
