import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const MB = 1_000_000;

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
  readonly packages: Readonly<Record<string, Locked>>;
};

/** The place in the lock file of a package that the package at `from` asks for; undefined if it is for another system. */
function placeOf(from: string, name: string): string | undefined {
  for (let base = from; ;) {
    const place = `${base === "" ? "" : `${base}/`}node_modules/${name}`;
    if (place in packages) return place;
    if (base === "") return undefined;
    base = base.slice(0, Math.max(0, base.lastIndexOf("node_modules/") - 1));
  }
}

/** All packages that come with these, by their places. */
function closure(names: readonly string[]): Set<string> {
  const found = new Set<string>();
  const add = (from: string, name: string): void => {
    const place = placeOf(from, name);
    if (place === undefined || found.has(place) || !existsSync(join(root, place))) return;
    found.add(place);
    const { dependencies = {}, optionalDependencies = {} } = packages[place]!;
    for (const below of Object.keys({ ...dependencies, ...optionalDependencies })) add(place, below);
  };
  for (const name of names) add("", name);
  return found;
}

/** Bytes of the files of a package, without packages inside it, which the lock file lists themselves. */
function bytesOf(folder: string): number {
  let sum = 0;
  for (const name of readdirSync(folder)) {
    if (name === "node_modules") continue;
    const stat = lstatSync(join(folder, name));
    sum += stat.isDirectory() ? bytesOf(join(folder, name)) : stat.size;
  }
  return sum;
}

const weigh = (places: Iterable<string>): number =>
  [...places].reduce((sum, place) => sum + bytesOf(join(root, place)), 0);

const [packed] = JSON.parse(
  execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    stdio: ["ignore", "pipe", "ignore"],
  }),
) as [
  {
    readonly size: number;
    readonly unpackedSize: number;
    readonly files: readonly { readonly path: string }[];
  },
];

/** Bytes of the explorer, which prepack builds: what it has without the files that the package leaves out. */
const EXPLORER_BUDGET = 2.6 * MB;

describe("the weight of an installation", () => {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly peerDependencies: Readonly<Record<string, string>>;
  };
  const core = closure(Object.keys(dependencies));
  const hasExplorer = packed.files.some(({ path }) => path.startsWith("explorer-site/"));
  const own = packed.unpackedSize + (hasExplorer ? 0 : EXPLORER_BUDGET);

  it("is at most 15 MB for the library with its dependencies, and 5 MB to download the library", () => {
    const total = weigh(core) + own;
    console.log(
      `the library ${(own / MB).toFixed(1)} MB, with its dependencies ${(total / MB).toFixed(1)} MB`,
    );
    expect(total).toBeLessThan(15 * MB);
    expect(packed.size).toBeLessThan(5 * MB);
  });

  it("is at most 330 MB with onnxruntime-node, which no dependency brings", () => {
    for (const name of Object.keys(peerDependencies)) expect(core).not.toContain(`node_modules/${name}`);
    const training = closure([...Object.keys(dependencies), "onnxruntime-node"]);
    expect(training).toContain("node_modules/onnxruntime-common");
    expect(weigh(training) + own).toBeLessThan(330 * MB);
  });

  it("has no file twice: neither ONNX Runtime's nor the weights in the explorer", () => {
    expect(packed.files.filter(({ path }) => /^explorer-site\/.*\.(wasm|safetensors)$/.test(path))).toEqual(
      [],
    );
    expect(packed.files.filter(({ path }) => path.startsWith("pretrained/")).length).toBeGreaterThan(0);
  });
});
