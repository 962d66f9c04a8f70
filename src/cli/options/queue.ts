import { optional } from "./option.js";
import { folder, text } from "./values.js";

/** The queue of a sweep. Its address may hold a password, which others could read in a list of processes. */
export const queue = optional(
  text("address"),
  "the queue, such as redis://host:6379 or postgres://user@host/database; put an address with a password into STRIATE_QUEUE",
  "the address in STRIATE_QUEUE",
);

export const scratch = optional(
  folder,
  "folder for the files of cells while they are computed, on a disk of this machine",
  "the system's folder for temporary files",
);
