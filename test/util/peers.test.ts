import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { StriateError } from "../../src/util/errors.js";
import { OLDEST_NODE, checkNodeVersion } from "../../src/util/node-version-node.js";
import { PEERS, checkOrtVersions, fitsPeer, loadPeer, peerError } from "../../src/util/peers.js";
import { checkInstalled, installedVersion, packageFolder } from "../../src/util/peers-node.js";

const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
};

describe("optional peers", () => {
  it("are those of package.json, in the same versions, and a clone installs them", () => {
    const ranges = Object.fromEntries(
      Object.entries(PEERS).map(([name, { oldest }]) => [name, `^${oldest}`]),
    );
    expect(manifest.peerDependencies).toEqual(ranges);
    expect(Object.keys(manifest.peerDependenciesMeta)).toEqual(Object.keys(ranges));
    for (const [name, { optional }] of Object.entries(manifest.peerDependenciesMeta)) {
      expect(optional).toBe(true);
      expect(manifest.devDependencies[name]).toBe(ranges[name]);
      expect(manifest.dependencies[name]).toBeUndefined();
    }
  });

  it.each([
    ["onnxruntime-node", "1.30.0", true],
    ["onnxruntime-node", "1.30.1-dev.20270101-abc", true],
    ["onnxruntime-node", "1.31.0", true],
    ["onnxruntime-node", "1.29.9", false],
    ["onnxruntime-node", "2.0.0", false],
    ["sharp", "0.35.5", true],
    ["sharp", "0.35.4", false],
    ["sharp", "0.36.0", false],
  ] as const)("%s %s fits: %s", (name, version, fits) => {
    expect(fitsPeer(name, version)).toBe(fits);
  });

  const absent =
    "ONNX Runtime for pages and the device wasm: expected the package onnxruntime-web, found none; " +
    "install it: npm install onnxruntime-web";

  it.each([
    ["Cannot find package 'onnxruntime-web' imported from /a/b.js", absent],
    ["Cannot find module 'onnxruntime-web'\nRequire stack:\n- /a/b.js", absent],
    ['Could not resolve "onnxruntime-web/wasm" imported by "striate". Is it installed?', absent],
    [
      "Cannot find module 'onnxruntime-common'\nRequire stack:\n- /a/onnxruntime-web/x.js",
      "ONNX Runtime for pages and the device wasm: the package onnxruntime-web cannot be loaded " +
        "(Cannot find module 'onnxruntime-common'); install it again: npm install onnxruntime-web",
    ],
  ])("of the failure %j, one sentence is told", (message, told) => {
    const error = peerError("onnxruntime-web", new Error(message));
    expect(error).toBeInstanceOf(StriateError);
    expect(error.message).toBe(told);
  });

  it("of a version that does not fit are refused when they are loaded", async () => {
    const old = loadPeer(
      "vega-lite",
      () => Promise.resolve({ version: "5.2.0" }),
      ({ version }) => version,
    );
    await expect(old).rejects.toThrow(
      'charts of reports: expected vega-lite ^6.4.3, got 5.2.0; install it: npm install "vega-lite@^6.4.3"',
    );
  });

  it("are refused beside an onnxruntime-common of another version", () => {
    checkOrtVersions("onnxruntime-node", { node: "1.30.0", common: "1.30.0" });
    checkOrtVersions("onnxruntime-web", undefined);
    expect(() => {
      checkOrtVersions("onnxruntime-node", { node: "1.30.0", common: "1.31.0" });
    }).toThrow(
      "ONNX Runtime for Node: expected onnxruntime-common 1.30.0, the version of onnxruntime-node, got 1.31.0; " +
        "install one version of both: npm install onnxruntime-node@1.30.0 onnxruntime-common@1.30.0",
    );
  });

  it("are found without loading them", () => {
    checkInstalled("onnxruntime-node", "vega", "vega-lite", "sharp", "onnxruntime-web");
    expect(installedVersion("vega")).toMatch(/^6\./);
    expect(packageFolder("no-such-package")).toBeUndefined();
    expect(installedVersion("no-such-package")).toBeUndefined();
  });
});

describe("the version of Node", () => {
  it("is checked against that of package.json", () => {
    expect(manifest.engines.node).toBe(`>=${OLDEST_NODE}`);
    for (const version of ["20.19.0", "22.0.0", "26.1.0"]) checkNodeVersion(version);
    for (const version of ["18.20.8", "20.18.3"])
      expect(() => {
        checkNodeVersion(version);
      }).toThrow(`Node: expected 20.19 or newer, got ${version}; install it from https://nodejs.org`);
  });
});
