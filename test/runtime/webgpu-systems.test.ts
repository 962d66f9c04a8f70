import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { nodeDevices } from "../../src/runtime/node.js";
import { SYSTEMS } from "../browser/pages/systems.js";

const driver = "/usr/lib/chromium/vk_swiftshader_icd.json";

/**
 * What may run on the CPU, by type. ONNX Runtime moves transpositions through choices on its own, to their conditions, and has no
 * kernel of WebGPU that transposes a bool: one node for each timestep. Sudoku's digits are of type int64, which WebGPU compares on
 * the CPU.
 */
const ON_CPU: Readonly<Record<string, readonly string[]>> = {
  KomplexNet: ["Transpose", "Transpose", "Transpose"],
  "KomplexNet with feedback": ["Transpose", "Transpose", "Transpose"],
  "AKOrN for Sudoku": ["Greater", "Transpose", "Transpose", "Unsqueeze"],
};

interface Row {
  readonly system: string;
  readonly alone: boolean;
  readonly onCpu: readonly string[];
}

it("no node of a training step leaves the GPU", async (context) => {
  if (!nodeDevices().includes("webgpu") || !existsSync(driver)) {
    const reason = `no software Vulkan driver: ${driver} is missing (Debian's package chromium has it)`;
    console.log(`WebGPU skipped: ${reason}`);
    context.skip(reason);
  }
  const hooks = new URL("../support/typescript-hooks.mjs", import.meta.url).href;
  const script = fileURLToPath(new URL("./webgpu-placement.ts", import.meta.url));
  const env = {
    ...process.env,
    LD_LIBRARY_PATH: "/usr/lib/chromium",
    VK_ICD_FILENAMES: driver,
    XDG_RUNTIME_DIR: "/tmp",
  };
  const command = ["--import", hooks, script];
  const { stdout } = await promisify(execFile)(process.execPath, command, { env });
  const [needy, ...rows] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
  // The check notices a node that leaves.
  expect(needy).toMatchObject({ alone: false, onCpu: ["IsInf"] });
  expect(rows.map(({ system }) => system)).toEqual(Object.keys(SYSTEMS));
  for (const { system, onCpu } of rows) expect(onCpu, system).toEqual(ON_CPU[system] ?? []);
});
