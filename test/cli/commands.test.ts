import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Command } from "../../src/cli/commands/command.js";
import { commands } from "../../src/cli/commands/index.js";
import { runCommandLine } from "../../src/cli/command-line.js";
import { completionFor } from "../../src/cli/completion/completion.js";
import { SHELLS } from "../../src/cli/completion/shells.js";
import { flagOf } from "../../src/util/command-words.js";
import { resumingCommand } from "../../src/cli/resuming-command.js";
import { temporaryFolder } from "../support/folders.js";
import { captured } from "./streams.js";

function withNested(list: readonly Command[]): Command[] {
  return list.flatMap((one) => [one, ...withNested(one.commands ?? [])]);
}

const all = withNested(commands);

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const { streams, out, err } = captured();
  const status = await runCommandLine(args, streams);
  return { status, out: out(), err: err() };
}

describe("commands as data", () => {
  it.each(all.map((one) => [one.name, one] as const))(
    "%s has an example, and words for every option",
    (_name, one) => {
      expect(one.examples.length).toBeGreaterThan(0);
      for (const [key, option] of Object.entries(one.options)) {
        expect(option.help, key).toMatch(/^[a-z.].{3,}[^.]$/s);
      }
    },
  );

  it.each(all.flatMap((one) => one.examples.map(({ line }) => [line, one] as const)))(
    "the example %s uses options that exist",
    (line, { options }) => {
      const known = new Set(Object.keys(options).map(flagOf));
      const used = line.split(" ").filter((word) => word.startsWith("--"));
      expect(used.filter((word) => !known.has(word))).toEqual([]);
    },
  );

  it("help of run lists the experiments, their scales, and who takes which option", async () => {
    const { status, out } = await run("run", "--help");
    expect(status).toBe(0);
    expect(out).toMatch(
      /object-discovery\n[\s\S]*laptop .*\n[\s\S]*also takes --cells, --data-set, --data, --models, --up-tiling/,
    );
    expect(out).toContain("striate run sudoku --scale smoke");
    expect((await run("help", "run")).out).toBe(out);
  });

  it("every command prints its examples", async () => {
    for (const { name, examples } of commands) {
      expect((await run(name, "--help")).out, name).toContain(examples[0]!.line);
    }
  });

  it("an option that is required is asked for by name", async () => {
    const { status, err } = await run("robustness", "model.onnx");
    expect(status).toBe(1);
    expect(err).toContain("required option '--data <data>' not specified");
  });
});

describe("the command that continues a run", () => {
  it("keeps every option, quotes what a shell would read, and names the folder once", () => {
    const words = ["run", "sudoku", "--seed", "7", "--cells", "digits2/*", "--out", "my runs", "--force"];
    expect(resumingCommand(words, "my runs")).toBe(
      "striate run sudoku --seed 7 --cells 'digits2/*' --resume --out 'my runs'",
    );
    expect(resumingCommand(["run", "x", "--out=a", "--device", "wasm"], "a")).toBe(
      "striate run x --device wasm --resume --out a",
    );
    expect(resumingCommand(["predify", "m.onnx", "--out", "p.onnx"], "runs/p", "--run")).toBe(
      "striate predify m.onnx --out p.onnx --resume --run runs/p",
    );
  });
});

/** Whether a shell is here to read its script. */
function hasShell(shell: string): boolean {
  try {
    execFileSync(shell, ["-c", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe("completion", () => {
  it("an unknown shell is named beside the known ones", async () => {
    expect((await run("completion", "basch")).err).toContain(
      'unknown shell "basch": expected one of bash, zsh, fish (did you mean bash?)',
    );
  });

  for (const shell of SHELLS) {
    const present = hasShell(shell);
    it.skipIf(!present)(
      `${shell} reads the script${present ? "" : ` (skipped: ${shell} is not installed)`}`,
      async () => {
        const script = join(await temporaryFolder(), `striate.${shell}`);
        writeFileSync(script, completionFor(shell, commands));
        execFileSync(shell, ["-n", script], { stdio: "pipe" });
      },
    );
  }

  const offers = async (...words: string[]): Promise<string[]> => {
    const script = join(await temporaryFolder(), "striate.bash");
    writeFileSync(script, completionFor("bash", commands));
    const list = words.map((word) => `'${word}'`).join(" ");
    const line = `source ${script}; COMP_WORDS=(striate ${list}); COMP_CWORD=${words.length}; _striate; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync("bash", ["-c", line], { encoding: "utf8" }).split("\n").filter(Boolean);
  };

  it.skipIf(!hasShell("bash"))(
    "bash offers commands, options, values, experiments and commands below",
    async () => {
      expect(await offers("ru")).toEqual(["run"]);
      expect(await offers("run", "sud")).toEqual(["sudoku"]);
      expect(await offers("run", "sudoku", "--sc")).toEqual(["--scale"]);
      expect(await offers("run", "sudoku", "--scale", "")).toEqual(["smoke", "laptop", "paper"]);
      expect(await offers("run", "sudoku", "--seed", "")).toEqual([]);
      expect(await offers("predify", "ini")).toContain("init");
      expect(await offers("predify", "init", "--f")).toEqual(["--force"]);
    },
  );
});
