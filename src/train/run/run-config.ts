import { check, StriateError } from "../../util/errors.js";
import type { FileFolder } from "../../util/folders/file-folder.js";
import { firstDifference, parseStrictJson, shorten, toJson } from "../../util/json.js";
import type { Json } from "../../util/json.js";
import { checkpointSteps } from "./checkpoint-files.js";

const configName = "config.json";

/**
 * Writes `config.json`, or compares the config with it. Returns whether the folder already contained the run.
 *
 * @throws StriateError if the folder contains a run and `resume` is off, or the config differs (the error names the
 * first key)
 */
export async function checkConfig(
  folder: FileFolder,
  checkpoints: FileFolder,
  config: Json,
  resume: boolean,
): Promise<boolean> {
  const { path } = folder;
  const held = await readConfig(folder);
  if (held === undefined) {
    const steps = await checkpointSteps(checkpoints);
    check(
      steps.length === 0,
      () => `The folder "${path}" holds checkpoints but no config.json: choose another folder for a new run.`,
    );
    await folder.write(configName, `${JSON.stringify(config, null, 2)}\n`);
    return false;
  }
  check(
    resume,
    () => `The folder "${path}" already holds a run. Resume it, or choose another folder for a new one.`,
  );
  const difference = firstDifference(held, config);
  if (difference !== undefined) {
    const { path: key, expected, found } = difference;
    throw new StriateError(
      `Cannot resume the run in "${path}": its config.json has ${key === "" ? "" : `${key} = `}${show(expected)}, ` +
        `this run ${show(found)}. Use the same configuration, or another folder.`,
    );
  }
  return true;
}

function show(value: Json | undefined): string {
  return value === undefined ? "(nothing)" : shorten(JSON.stringify(value));
}

async function readConfig(folder: FileFolder): Promise<Json | undefined> {
  const bytes = await folder.read(configName, { what: "run's config", maxBytes: 16_000_000 });
  if (bytes === undefined) return undefined;
  const what = `"${folder.file(configName)}"`;
  return toJson(parseStrictJson(new TextDecoder().decode(bytes), what), what);
}
