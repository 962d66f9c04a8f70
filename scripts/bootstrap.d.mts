/** The folder of the repository. */
export const root: string;
/** Makes the checkout ready to run: right Node, packages as locked, `dist/` as new as `src/`. */
export function bootstrap(): void;
/** Prints a message and ends the process with status 1. */
export function fail(message: string): never;
