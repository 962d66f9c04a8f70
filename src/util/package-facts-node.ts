import { readFileSync } from "node:fs";

/** The fields of Striate's package.json that are used. */
export interface PackageFacts {
  readonly version: string;
  /** The ranges of the packages that come with Striate, by name. */
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Reads the package.json of the package that contains this file. */
export function packageFacts(): PackageFacts {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return JSON.parse(text) as PackageFacts;
}
