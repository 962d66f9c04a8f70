import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longest-first.js";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // These limits end only tests that hang: a busy machine is several times slower than a quiet one.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 2,
    globalSetup: "test/support/run-folder.ts",
    sequence: { sequencer: LongestFirst },
  },
});
