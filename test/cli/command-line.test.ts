import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.js";
import { explain } from "../../src/cli/terminal/errors.js";
import { StriateError } from "../../src/util/errors.js";
import { captured } from "./streams.js";

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const { streams, out, err } = captured();
  const status = await runCommandLine(args, streams);
  return { status, out: out(), err: err() };
}

describe("command line", () => {
  it("prints the version of package.json", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(await run("--version")).toEqual({ status: 0, out: `${version}\n`, err: "" });
  });

  it("goes on in silence if the reader of its output ends first, as head does", async () => {
    const main = ["--import", "tsx", "src/cli/main.ts"];
    const child = spawn(process.execPath, [...main, "run", "--help"], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => (complaint += String(chunk)));
    const [status] = (await once(child, "close")) as [number];
    expect({ status, complaint }).toEqual({ status: 0, complaint: "" });
  });

  it("lists its commands and options", async () => {
    const { status, out } = await run("--help");
    expect(status).toBe(0);
    for (const command of ["run", "summary", "devices"])
      expect(out).toMatch(new RegExp(`^  ${command}\\b`, "m"));
    const { out: options } = await run("run", "--help");
    for (const name of ["scale", "out", "seed", "seeds", "device", "threads", "resume", "force"]) {
      expect(options).toContain(`--${name}`);
    }
  });

  it.each([
    [["run", "x", "--scal", "smoke"], "(Did you mean --scale?)"],
    [["sumary"], "(Did you mean summary?)"],
    [["run", "x", "--scale", "lapto"], "expected one of smoke, laptop, paper (did you mean laptop?)"],
    [["run", "x", "--device", "webgp"], "(did you mean webgpu?)"],
    [
      ["run", "x", "--device", "quantum"],
      'Unknown device "quantum": expected one of cpu, webgpu, cuda, wasm.',
    ],
    [["run", "x", "--seeds", "0"], "Expected a whole number from 1 to 100000."],
    [["run", "x", "--seed", "-1"], "Expected a whole number from 0 to 4294967295."],
    [["run", "x", "--seed", "1.5"], "Expected a whole number"],
    [["run"], "missing required argument 'experiment'"],
    [["run", "a", "b"], "too many arguments"],
    [["summary", "komplexnt"], "(did you mean komplexnet?)"],
    [["summary", "nowhere/model.onnx"], 'Could not read the ONNX model "nowhere/model.onnx"'],
    [["run", "no-such-experiment"], 'unknown experiment "no-such-experiment"'],
  ])("%j says what is wrong, without a stack", async (args, message) => {
    const { status, out, err } = await run(...args);
    expect(status).toBe(1);
    expect(out).toBe("");
    expect(err).toContain(message);
    expect(err).not.toMatch(/^\s+at /m);
  });

  it("prints the stack with --debug", async () => {
    expect((await run("--debug", "summary", "nowhere.onnx")).err).toMatch(/^\s+at /m);
    expect((await run("summary", "nowhere.onnx", "--debug")).err).toMatch(/^\s+at /m);
  });

  it("prints the stack with STRIATE_DEBUG=1", async () => {
    vi.stubEnv("STRIATE_DEBUG", "1");
    try {
      expect((await run("summary", "nowhere.onnx")).err).toMatch(/^\s+at /m);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe("explain", () => {
  it("owns up to errors that are no bad input, and shows causes", () => {
    expect(explain(new StriateError("bad file"), false)).not.toContain("bug");
    expect(explain(new TypeError("x is not a function"), false)).toContain("bug in Striate");
    const error = new StriateError("outer", { cause: new Error("inner") });
    expect(explain(error, true)).toMatch(/caused by Error: inner/);
  });
});
