import { hostname } from "node:os";
import { join } from "node:path";
import { openAppendFile } from "../../util/append-file-node.js";
import type { AppendFile } from "../../util/append-file-node.js";
import { ensureFolder, errorCode } from "../../util/files-node.js";
import { StriateError } from "../../util/errors.js";
import { encodeEvent, encodeTfRecord } from "./tensorboard.js";
import type { TensorboardEvent } from "./tensorboard.js";

export interface TensorboardWriter {
  /** The event file: `events.out.tfevents.<seconds>.<host>.<process>.<number>`. */
  readonly path: string;
  /** Appends scalars by tag (`loss/train`) at a step. NaN and infinities are kept. Throws {@link StriateError}. */
  scalars(step: number, values: Readonly<Record<string, number>>): void;
  close(): void;
}

export interface TensorboardOptions {
  /** The step of the checkpoint that a run continues from; TensorBoard then drops everything logged after it. */
  readonly resumeStep?: number;
  /** The current time in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * Begins a new TensorBoard event file in `folder`, which is created if it does not exist. Throws {@link StriateError}.
 */
export async function openTensorboardWriter(
  folder: string,
  options: TensorboardOptions = {},
): Promise<TensorboardWriter> {
  const { resumeStep, now = Date.now } = options;
  await ensureFolder(folder);
  const file = createEventFile(folder, now());
  const write = (event: Omit<TensorboardEvent, "wallTime">): void => {
    file.append(encodeTfRecord(encodeEvent({ wallTime: now() / 1000, ...event })));
  };
  try {
    write({ step: 0, fileVersion: "brain.Event:2" });
    if (resumeStep !== undefined) write({ step: resumeStep + 1, restart: true });
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    path: file.path,
    scalars(step, values) {
      write({ step, scalars: values });
    },
    close: file.close,
  };
}

/**
 * TensorBoard reads the files of a folder in the order of their names, so names must sort by time, even within a
 * second.
 */
function createEventFile(folder: string, milliseconds: number): AppendFile {
  const seconds = String(Math.floor(milliseconds / 1000)).padStart(10, "0");
  for (let number = 0; ; number++) {
    const name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${number}`;
    try {
      return openAppendFile(join(folder, name), { exclusive: true });
    } catch (error) {
      if (!(error instanceof StriateError) || errorCode(error.cause) !== "EEXIST") throw error;
    }
  }
}
