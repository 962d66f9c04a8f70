// npm run goldens -- DIR [OPTIONS]: compares our code with numbers of the authors' code; scripts/goldens.ts has the options.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bootstrap } from "./bootstrap.mjs";

bootstrap();
const here = dirname(fileURLToPath(import.meta.url));
const hooks = pathToFileURL(join(here, "..", "test", "support", "typescript-hooks.mjs")).href;
const script = join(here, "goldens.ts");
const { status, signal } = spawnSync(
  process.execPath,
  ["--import", hooks, script, ...process.argv.slice(2)],
  {
    stdio: "inherit",
  },
);
process.exitCode = status ?? (signal === "SIGINT" ? 130 : 1);
