// Installs packages and builds, each only if something changed. It needs only Node, because it runs before
// the packages are installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
/** The oldest Node that the tools for building and testing run on; the library itself runs on any Node 20. */
const oldestNode = [20, 19];

/**
 * Makes the checkout ready to run: checks the version of Node, installs the locked packages, and builds if
 * sources changed.
 */
export function bootstrap() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    fail(`Striate needs Node ${oldestNode.join(".")} or newer, this is ${process.version}.`);
  }
  install();
  build();
}

export function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** `npm ci`, unless node_modules already holds what package-lock.json asks for. */
function install() {
  if (isInstalled()) return;
  process.stderr.write("Installing packages (once; about half a minute) ...\n");
  const { status, output } = npm(["ci", "--loglevel=error", "--no-audit", "--no-fund", "--prefer-offline"]);
  if (status === 0) return;
  const offline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED/.exec(output);
  if (offline !== null) {
    fail(
      `Could not install: npm cannot reach the package registry (${offline[0]}).\n` +
        "Connect to the network (or set npm's proxy or registry) and try again; after one success this works offline.",
    );
  }
  // Only the first lines, which give the reason; after them, npm prints a page of usage.
  fail(`Could not install: "npm ci" failed.\n${output.trim().split("\n").slice(0, 12).join("\n")}`);
}

/**
 * Whether every package of the lock file is there in its locked version. Optional packages may be missing,
 * because some are for other systems.
 */
function isInstalled() {
  const wanted = readJson(at("package-lock.json"))?.packages;
  const found = readJson(at("node_modules", ".package-lock.json"))?.packages;
  if (wanted === undefined) fail("package-lock.json is missing or damaged: restore it from the repository.");
  if (found === undefined) return false;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === "") return true;
    const here = found[path];
    return here === undefined ? optional === true : here.version === version && existsSync(at(path));
  });
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

function npm(args) {
  // Under "npm start", an environment variable gives npm's path; otherwise npm is looked up.
  const script = process.env.npm_execpath;
  const [command, all] = script?.endsWith(".js") ? [process.execPath, [script, ...args]] : ["npm", args];
  const shell = command === "npm" && process.platform === "win32";
  const result = spawnSync(command, all, { cwd: root, encoding: "utf8", shell });
  if (result.error !== undefined) fail(`Could not start npm: ${result.error.message}`);
  return { status: result.status, output: `${result.stdout}${result.stderr}` };
}

/** Compiles `src/` to `dist/`, unless nothing changed since the last time. */
function build() {
  const sources = filesUnder(at("src")).filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"));
  const stampFile = at("dist", ".build-stamp");
  const stamp = stampOf(sources);
  const complete = sources.every((source) => existsSync(outputOf(source)));
  if (complete && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;

  process.stderr.write("Building ...\n");
  // The compiler trusts its .tsbuildinfo, which is wrong if outputs are missing.
  if (!complete) rmSync(at("dist", ".tsbuildinfo"), { force: true });
  rmSync(stampFile, { force: true });
  removeOrphans(new Set(sources.map(outputOf)));
  const compiler = at("node_modules", "typescript", "bin", "tsc");
  const { status } = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], {
    cwd: root,
    // Standard output stays free for results.
    stdio: ["ignore", process.stderr, process.stderr],
  });
  if (status !== 0) fail("The build failed: see the errors above.");
  leaveOutDocComments();
  mkdirSync(at("dist"), { recursive: true });
  writeFileSync(stampFile, stamp);
}

/**
 * Removes doc comments from the scripts in `dist/`, a tenth of what an installation weighs. The declarations keep them,
 * and comments for bundlers stay.
 */
function leaveOutDocComments() {
  for (const path of filesUnder(at("dist"))) {
    if (!path.endsWith(".js")) continue;
    const text = readFileSync(path, "utf8");
    const shorter = text.replace(/^[ \t]*\/\*\*[^]*?\*\/[ \t]*\r?\n/gm, "");
    if (shorter !== text) writeFileSync(path, shorter);
  }
}

function stampOf(sources) {
  const hash = createHash("sha256");
  for (const path of [...sources, at("tsconfig.json"), at("tsconfig.build.json"), at("package-lock.json")]) {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${relative(root, path)} ${mtimeMs} ${size}\n`);
  }
  return hash.digest("hex");
}

function outputOf(source) {
  return at("dist", relative(at("src"), source).replace(/\.ts$/, ".js"));
}

/** Removes what earlier sources left in `dist/`, because a deleted module must not go on working. */
function removeOrphans(expected) {
  for (const path of filesUnder(at("dist"))) {
    const script = path.replace(/(\.d\.ts|\.js)(\.map)?$/, ".js");
    if (!script.split(sep).at(-1).startsWith(".") && !expected.has(script)) rmSync(path);
  }
}

function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}
