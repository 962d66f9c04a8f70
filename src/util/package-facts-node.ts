import { readFileSync } from "node:fs";

/** What Striate's package.json says, of which this is used. */
export interface PackageFacts {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Reads the package.json that this file was installed with. */
export function packageFacts(): PackageFacts {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return JSON.parse(text) as PackageFacts;
}
