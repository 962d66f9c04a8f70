import { existsSync, readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");

interface Manifest {
  readonly bin: Record<string, string>;
  readonly exports: Record<string, string | { types: string; default: string }>;
  readonly sideEffects: string[];
}
const manifest = JSON.parse(read("package.json")) as Manifest;

const sources = readdirSync(new URL("src/", root), { recursive: true, encoding: "utf8" })
  .map((name) => `src/${name.replaceAll("\\", "/")}`)
  .filter((name) => name.endsWith(".ts"));

/** The source of a built file. */
const sourceOf = (built: string): string => built.replace(/^(\.\/)?dist\//, "src/").replace(/\.js$/, ".ts");

describe("package.json", () => {
  it("points every entry at a module that exists, types beside it", () => {
    const entries = Object.entries(manifest.exports).filter(([name]) => name !== "./package.json");
    expect(entries.length).toBeGreaterThan(0);
    for (const [name, target] of entries) {
      if (typeof target === "string") throw new Error(`${name} has no types`);
      expect(existsSync(new URL(sourceOf(target.default), root)), name).toBe(true);
      expect(target.types, name).toBe(target.default.replace(/\.js$/, ".d.ts"));
    }
    for (const target of Object.values(manifest.bin)) {
      expect(read(sourceOf(target))).toMatch(/^#!\/usr\/bin\/env node\n/);
    }
  });

  it("gives each system that is there an entry of its own", () => {
    for (const path of sources) {
      const system = /^src\/systems\/(?!baselines)([^/]+)\/index\.ts$/.exec(path)?.[1];
      if (system !== undefined) expect(Object.keys(manifest.exports)).toContain(`./${system}`);
    }
  });
});
