import { parseArgs } from "node:util";
import { StriateError } from "../src/util/errors.js";
import { evaluator } from "../test/goldens/evaluate.js";
import { runGoldens } from "../test/goldens/harness.js";
import { goldenSystems } from "../test/goldens/systems.js";

const usage = `npm run goldens -- DIR [--system NAME] [--kind PATTERN] [--optimisation all|disabled]

Runs every case that DIR/SYSTEM/index.json lists against our code. PATTERN is part of a kind's or file's name, or has *.`;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      system: { type: "string" },
      kind: { type: "string" },
      optimisation: { type: "string", default: "all" },
      help: { type: "boolean" },
    },
  });
  const [folder, ...more] = positionals;
  const { optimisation } = values;
  if (values.help) console.log(usage);
  else if (folder === undefined || more.length > 0) throw new StriateError(`expected one folder\n\n${usage}`);
  else if (optimisation !== "all" && optimisation !== "disabled")
    throw new StriateError(`--optimisation: expected all or disabled, got "${optimisation}"`);
  else {
    const { system, kind } = values;
    const passed = await runGoldens(folder, goldenSystems, {
      system,
      kind,
      evaluate: evaluator({ optimisation }),
    });
    process.exitCode = passed ? 0 : 1;
  }
} catch (error) {
  console.error(error instanceof StriateError ? error.message : error);
  process.exitCode = 1;
}
