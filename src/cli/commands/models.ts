import { command } from "./command.js";

export const modelsCommand = command({
  name: "models",
  summary: "list the trained networks that come with Striate, with their figures",
  options: {},
  examples: [{ line: "striate models", does: "lists them, and checks that their files are undamaged" }],
  run: async (_options, { streams }) => {
    const { printModels } = await import("../pretrained.js");
    return printModels(streams);
  },
});
