// npm run torture: kills a training run at every change of a file, where `npm test` kills it at a few.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./bootstrap.mjs";

const { status } = spawnSync(process.execPath, [join(root, "scripts", "test.mjs"), "test/torture"], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, STRIATE_TORTURE: "all" },
});
process.exitCode = status ?? 1;
