#!/usr/bin/env node
import { checkNodeVersion } from "../util/node-version-node.js";

// An old version of Node may not be able to load the commands, so they are loaded after this check.
try {
  checkNodeVersion();
  const { outliveReaders } = await import("./terminal/streams.js");
  outliveReaders({ out: process.stdout, err: process.stderr });
  const { runCommandLine } = await import("./command-line.js");
  process.exitCode = await runCommandLine(process.argv.slice(2));
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
