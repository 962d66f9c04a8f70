/** The folder of the repository. */
export const root: string;
/**
 * Makes the checkout ready to run: checks the version of Node, installs the locked packages, and builds if
 * sources changed.
 */
export function bootstrap(): void;
/** Prints a message and ends the process with status 1. */
export function fail(message: string): never;
