import { StriateError } from "./errors.js";

/** The oldest version of Node that Striate runs on: that of "engines" in package.json, which a test compares. */
export const OLDEST_NODE = "20.19";

/** Throws {@link StriateError} if Node is older than {@link OLDEST_NODE}. */
export function checkNodeVersion(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE.split(".").map(Number);
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new StriateError(
    `Node: expected ${OLDEST_NODE} or newer, got ${version}; install it from https://nodejs.org, or type: npx -p node@22 -p striate striate`,
  );
}
