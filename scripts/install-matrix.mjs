// npm run install-matrix [-- --only PATTERN --out FILE]: installs the packed library as strangers do, with every package
// manager and version of Node, and prints one table. PATTERN is a regular expression for names such as "npm@10 22 skip".
// Needs the npm registry; a proxy of this script refuses every other address, as in many companies. Not part of CI.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

const run = promisify(execFile);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const PATIENCE = 600_000;

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    work: { type: "string", default: join(tmpdir(), "striate-install-matrix") },
    out: { type: "string" },
  },
});

const peer = "onnxruntime-node@^1.30.0";
const NODES = ["20.19", "22", "24", "26"];
/** How each manager installs the packages, and what it is told to run no scripts. */
const MANAGERS = {
  "npm@10": {
    needs: "npm",
    version: "10",
    command: ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"],
    none: ["--ignore-scripts"],
  },
  npm: {
    needs: "npm",
    command: ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"],
    none: ["--ignore-scripts"],
  },
  pnpm: { needs: "pnpm", command: ["pnpm", "add"], none: ["--ignore-scripts"] },
  yarn: {
    needs: "yarn",
    command: ["yarn", "add", "--no-progress", "--non-interactive"],
    none: ["--ignore-scripts"],
  },
  berry: {
    needs: "@yarnpkg/cli-dist",
    command: ["berry", "add"],
    environment: { YARN_NODE_LINKER: "node-modules" },
  },
  "berry-pnp": {
    needs: "@yarnpkg/cli-dist",
    command: ["berry", "add"],
    environment: { YARN_NODE_LINKER: "pnp" },
  },
  bun: { needs: "bun", command: ["bun", "add"], none: ["--ignore-scripts"] },
};
/** What each mode is called in the table, and the environment that it sets. */
const MODES = {
  scripts: { title: "default", environment: {} },
  skip: { title: "ONNXRUNTIME_NODE_INSTALL=skip", environment: { ONNXRUNTIME_NODE_INSTALL: "skip" } },
  none: { title: "--ignore-scripts", environment: { YARN_ENABLE_SCRIPTS: "false" } },
};

/** Trains two steps; also compiled as TypeScript. */
const TRAIN = `import { KomplexNet, KomplexNetTask, MultiMnist, sceneData } from "striate";
import { nodeDevices, train } from "striate/node";

// Twenty digits "1", drawn as a bar of 4 x 20 pixels.
const images = new Uint8Array(20 * 784);
for (let i = 0; i < images.length; i++) {
  const [row, column] = [Math.floor((i % 784) / 28), i % 28];
  if (row >= 4 && row < 24 && column >= 12 && column < 16) images[i] = 200;
}
const digits = {
  ...{ count: 20, width: 28, height: 28, images },
  labels: Uint8Array.from({ length: 20 }, (_, i) => i % 10),
};
const model = new KomplexNet({ timesteps: 2, hidden: 8, coupling: { size: 3 } });
const scenes = sceneData(new MultiMnist(digits, { count: 8, seed: 1 }));
const run = await train(new KomplexNetTask(model), scenes, { epochs: 1, batchSize: 4, seed: 1 });
console.log(run.finished, run.step, run.values.size > 0, nodeDevices().includes("cpu"));
`;
const TRAINED = "true 2 true true";

/** A proxy that connects to the hosts of the registry alone, and lists the others that were asked for. */
async function startWall() {
  const { stdout } = await run("npm", ["config", "get", "registry"], { cwd: tmpdir() });
  const allowed = new Set([new URL(stdout.trim()).hostname, "registry.npmjs.org", "registry.yarnpkg.com"]);
  const refused = new Set();
  const server = createServer((request, response) => {
    refused.add(request.url);
    response.writeHead(403).end("the wall lets only the registry through");
  });
  server.on("connect", (request, socket, head) => {
    const [host, port] = request.url.split(":");
    socket.on("error", () => socket.destroy());
    if (!allowed.has(host)) {
      refused.add(host);
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    const upstream = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on("error", () => socket.destroy());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, refused, close: () => (server.closeAllConnections(), server.close()) };
}

/** Variables that send a program's connections through the wall, in the spellings that the package managers read. */
function through(wall) {
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];
  const own = ["npm_config_proxy", "npm_config_https_proxy", "YARN_HTTP_PROXY", "YARN_HTTPS_PROXY"];
  // onnxruntime-node's install script reads these.
  const globalAgent = ["GLOBAL_AGENT_HTTP_PROXY", "GLOBAL_AGENT_HTTPS_PROXY"];
  return Object.fromEntries([...names, ...own, ...globalAgent].map((name) => [name, wall.url]));
}

/** Installs a tool or a version of Node once, and gives its folder of programs. */
async function programs(name, version = "latest") {
  const folder = join(options.work, "tools", `${name.replaceAll("/", "+")}@${version}`);
  const bin = name.startsWith("node-")
    ? join(folder, "node_modules", name, "bin")
    : join(folder, "node_modules", ".bin");
  if (!existsSync(bin)) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "package.json"), '{ "private": true }\n');
    await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts=false", `${name}@${version}`], {
      cwd: folder,
    });
  }
  return bin;
}

/** Runs a command; gives its output, or a word for what went wrong. */
async function attempt(command, args, cwd, env) {
  try {
    const { stdout } = await run(command, args, { cwd, env, timeout: PATIENCE, maxBuffer: 2 ** 26 });
    return { ok: true, text: stdout.trim() };
  } catch (error) {
    return { ok: false, text: `${error.stdout ?? ""}${error.stderr ?? ""}${error.message ?? ""}` };
  }
}

async function mebibytes(folder) {
  const { stdout } = await run("du", ["-sm", "--apparent-size", folder]);
  return Number(stdout.split("\t")[0]);
}

const yes = (result, is = result.ok) => (is ? "yes" : "NO");

async function cell(manager, version, mode, archive, wall) {
  const { needs, version: tool, command, none = [], environment = {} } = MANAGERS[manager];
  const node = await programs(`node-${process.platform}-${process.arch}`, version);
  const tools = await programs(needs, tool);
  const folder = await mkdtemp(join(options.work, `${manager}-`));
  const env = {
    ...process.env,
    ...through(wall),
    ...environment,
    ...MODES[mode].environment,
    PATH: [node, tools, process.env.PATH].join(delimiter),
    // A clone's own settings must not reach the project: npm passes them on to the scripts that it runs.
    npm_config_ignore_scripts: "",
    npm_config_local_prefix: "",
    npm_package_json: "",
    YARN_ENABLE_TELEMETRY: "0",
    YARN_ENABLE_IMMUTABLE_INSTALLS: "false",
  };
  delete env.npm_config_local_prefix;
  delete env.npm_package_json;
  delete env.npm_config_ignore_scripts;
  try {
    await writeFile(
      join(folder, "package.json"),
      '{ "name": "stranger", "version": "1.0.0", "private": true, "type": "module" }\n',
    );
    const [program, ...args] = command;
    const isBerry = program === "berry";
    if (isBerry) await writeFile(join(folder, "yarn.lock"), "");
    const packages = [isBerry ? `striate@file:${archive}` : archive, peer, "@types/node@^20"];
    const all = [...args, ...(mode === "none" ? none : []), ...packages];
    const began = performance.now();
    const installed = await attempt(
      isBerry ? join(node, "node") : program,
      isBerry ? [join(tools, "yarn"), ...all] : all,
      folder,
      env,
    );
    const seconds = (performance.now() - began) / 1000;
    const row = {
      manager: await nameOf(manager, tools),
      node: version,
      mode,
      installed: yes(installed),
      seconds,
    };
    if (!installed.ok) {
      const failed = installed.text.split("\n").find((line) => /onnxruntime-node|403|error/i.test(line));
      return { ...row, why: failed?.trim().slice(0, 160) ?? "" };
    }
    const inNode = (file) =>
      manager === "berry-pnp"
        ? attempt(join(node, "node"), [join(tools, "yarn"), "node", file], folder, env)
        : attempt(join(node, "node"), [file], folder, env);
    await writeFile(join(folder, "train.mjs"), TRAIN);
    await writeFile(join(folder, "required.cjs"), 'console.log(typeof require("striate").KomplexNet);\n');
    const trained = await inNode("train.mjs");
    const required = await inNode("required.cjs");
    const types = manager === "berry-pnp" ? undefined : await typesOf(folder, env);
    const modules = join(folder, "node_modules");
    return {
      ...row,
      trained: yes(trained, trained.text === TRAINED),
      required: yes(required, required.text === "function"),
      types: types === undefined ? "-" : yes(types),
      size: existsSync(modules) ? await mebibytes(modules) : undefined,
      why: [trained.ok ? "" : trained.text, types?.ok === false ? types.text : ""]
        .join(" ")
        .trim()
        .slice(0, 300),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A package manager with its version, such as "npm 10.9.4". */
async function nameOf(manager, tools) {
  const { needs } = MANAGERS[manager];
  const { version } = JSON.parse(await readFile(join(dirname(tools), needs, "package.json"), "utf8"));
  if (manager === "berry-pnp") return `yarn ${version}, Plug'n'Play`;
  return `${manager.replace(/@.*/, "").replace("berry", "yarn")} ${version}`;
}

/** Compiles the program strictly, with the declarations of all packages, in two ways of resolving imports. */
async function typesOf(folder, env) {
  await writeFile(join(folder, "train.mts"), TRAIN);
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const ways = [
    ["--module", "node16", "--moduleResolution", "node16"],
    ["--module", "esnext", "--moduleResolution", "bundler"],
  ];
  for (const way of ways) {
    const strict = [
      "--strict",
      "--noEmit",
      "--skipLibCheck",
      "false",
      "--target",
      "es2022",
      "--types",
      "node",
    ];
    const lib = ["--lib", "es2023,dom,dom.iterable"];
    const result = await attempt(
      process.execPath,
      [tsc, ...strict, ...lib, ...way, "train.mts"],
      folder,
      env,
    );
    if (!result.ok) return result;
  }
  return { ok: true, text: "" };
}

function tableOf(rows) {
  const head = ["manager", "Node", "setting", "installs", "s", "MiB", "trains", "types", "require"];
  const lines = rows.map(({ manager, node, mode, installed, seconds, size, trained, types, required }) =>
    [
      manager,
      node,
      MODES[mode].title,
      installed,
      Math.round(seconds),
      size ?? "",
      trained ?? "",
      types ?? "",
      required ?? "",
    ].join(" | "),
  );
  return [head.join(" | "), head.map(() => "---").join(" | "), ...lines]
    .map((line) => `| ${line} |`)
    .join("\n");
}

await mkdir(options.work, { recursive: true });
const packs = await mkdtemp(join(options.work, "pack-"));
const { stdout: packed } = await run(
  "npm",
  ["pack", "--json", "--ignore-scripts", "--pack-destination", packs],
  {
    cwd: root,
    maxBuffer: 2 ** 26,
  },
);
const archive = join(packs, JSON.parse(packed)[0].filename);
console.error(`packed: ${((await readFile(archive)).length / 1e6).toFixed(1)} MB`);
const wall = await startWall();
const rows = [];
const wanted = new RegExp(options.only);
for (const version of NODES)
  for (const manager of Object.keys(MANAGERS))
    for (const mode of Object.keys(MODES)) {
      if (!wanted.test(`${manager} ${version} ${mode}`)) continue;
      const row = await cell(manager, version, mode, archive, wall);
      rows.push(row);
      console.error(JSON.stringify(row));
    }
wall.close();
await rm(packs, { recursive: true, force: true });
const text = `${tableOf(rows)}\n\nRefused by the wall: ${[...wall.refused].join(", ") || "nothing"}\n`;
console.log(text);
if (options.out !== undefined) await writeFile(options.out, text);
