import { command } from "./command.js";

export const cacheCommand = command({
  name: "cache",
  summary: "list, remove and check the data sets that Striate has downloaded",
  options: {},
  examples: [
    { line: "striate cache", does: "lists the data sets and their sizes, as striate cache ls does" },
  ],
  commands: [
    command({
      name: "ls",
      summary: "list the data sets in the data cache, and their sizes",
      options: {},
      examples: [{ line: "striate cache ls", does: "lists them" }],
      run: async (_options, { streams }) => {
        const { printCache } = await import("../cache.js");
        await printCache(streams);
      },
    }),
    command({
      name: "rm",
      summary: "remove a data set from the data cache; its next use downloads it again",
      argument: { name: "name", help: "name of the data set, as striate cache ls lists it, or all" },
      options: {},
      examples: [{ line: "striate cache rm cifar10", does: "removes CIFAR-10" }],
      run: async (_options, { argument, streams }) => {
        const { removeFromCache } = await import("../cache.js");
        await removeFromCache(argument, streams);
      },
    }),
    command({
      name: "verify",
      summary: "check the files of the data cache by their checksums; the exit status is 1 if one is damaged",
      options: {},
      examples: [{ line: "striate cache verify", does: "checks all files" }],
      run: async (_options, { streams }) => {
        const { printVerifiedCache } = await import("../cache.js");
        return printVerifiedCache(streams);
      },
    }),
  ],
  run: async (_options, { streams }) => {
    const { printCache } = await import("../cache.js");
    await printCache(streams);
  },
});
