import { StriateError } from "../../util/errors.js";
import { removeSiteFolder, siteFolder, sitePath } from "../../util/folders/file-folder-web.js";
import { toJson } from "../../util/json.js";
import { openCheckpoints, readCheckpointOf, checkpointName } from "./checkpoint-files.js";
import { cutMetrics, parseMetrics } from "../metrics.js";
import { checkConfig } from "./run-config.js";
import type { LogRow, RunStore } from "./run-store.js";

const metricsName = "metrics.jsonl";
const metricsFile = { what: "metrics", maxBytes: 500_000_000, mayBeEmpty: true } as const;
/** A page that is being closed takes a moment to release its locks. */
const LOCK_MILLISECONDS = 2000;

/** A run in the site's files, to which only this page may write. */
export interface SiteRun extends RunStore {
  close(): Promise<void>;
}

/**
 * Creates a run in the site's files, or opens it again with `resume`: the same `config.json`, `metrics.jsonl` and
 * `checkpoints/` as in a folder of Node's `train`.
 *
 * @throws StriateError if another tab has the run open, if the folder holds a run and `resume` is off, if its config
 * differs, or if the browser keeps no files.
 */
export async function openSiteRun(
  path: string,
  options: {
    readonly config: unknown;
    readonly resume: boolean;
    readonly onWarning: (message: string) => void;
  },
): Promise<SiteRun> {
  const { resume, onWarning } = options;
  const config = toJson(options.config, "The run's config");
  const folder = await siteFolder(path);
  const release = await lockRun(folder.path);
  try {
    const checkpoints = await siteFolder(`${folder.path}/checkpoints`);
    await checkConfig(folder, checkpoints, config, resume);
    const { checkpoint, store } = await openCheckpoints(checkpoints, {
      keepLast: 3,
      onWarning,
    });
    const held = await folder.read(metricsName, metricsFile);
    const text = held === undefined ? "" : new TextDecoder().decode(held);
    // Steps after the checkpoint run again and write their rows again.
    let metrics = cutMetrics(text, checkpoint?.step ?? -1, folder.file(metricsName)) ?? text;
    let written = metrics;
    const writeMetrics = async () => {
      if (written === metrics) return;
      const now = metrics;
      await folder.write(metricsName, now);
      written = now;
    };
    return {
      checkpoint,
      openLog: () =>
        Promise.resolve({
          rows: parseMetrics(metrics, folder.file(metricsName)).map(({ row }) => row),
          append: (row: LogRow) => {
            metrics += `${JSON.stringify(row)}\n`;
          },
          close: () => undefined,
        }),
      saveCheckpoint: async (state) => {
        // A checkpoint must not outlive the metrics that led to it.
        await writeMetrics();
        return store.save({ ...state, config });
      },
      bestCheckpoint: store.best,
      readCheckpoint: (step) => readCheckpointOf(checkpoints, step),
      checkpointName: (step) => checkpoints.file(checkpointName(step)),
      close: async () => {
        try {
          await writeMetrics();
        } finally {
          release();
        }
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * Removes a run from the site's files.
 *
 * @throws StriateError if a tab has it open.
 */
export async function deleteRun(path: string): Promise<void> {
  const release = await lockRun(sitePath(path));
  try {
    await removeSiteFolder(path);
  } finally {
    release();
  }
}

/**
 * Takes the lock of a run, by its {@link sitePath}. The browser releases the lock when the page closes. Returns a
 * function that releases it.
 */
function lockRun(path: string): Promise<() => void> {
  const locks = globalThis.navigator.locks as LockManager | undefined;
  if (locks === undefined)
    return Promise.reject(
      new StriateError("this browser has no locks between tabs: update it, or keep checkpoints as bytes"),
    );
  return new Promise((resolve, reject) => {
    const hold = () => new Promise<void>(resolve);
    locks
      .request(`striate:${path}`, { signal: AbortSignal.timeout(LOCK_MILLISECONDS) }, hold)
      .catch((cause: unknown) => {
        const why = "is open in another tab of this site: close that tab, or choose another folder";
        reject(new StriateError(`The run "${path}" ${why}.`, { cause }));
      });
  });
}
