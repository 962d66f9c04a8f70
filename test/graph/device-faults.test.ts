import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { nodeDevices } from "../../src/runtime/node.js";
import { numbers, runGraph } from "../support/run.js";
import { FAULTS, near } from "./device-faults.js";

const driver = "/usr/lib/chromium/vk_swiftshader_icd.json";

describe.each(Object.entries(FAULTS))("%s", (_, { y, feeds, right }) => {
  it.each(["cpu", "wasm", "portable", "webgpu"] as const)(
    "gives the right numbers as lowered for %s",
    async (target) => {
      const found = numbers((await runGraph({ y }, feeds, { target })).y);
      expect(near(found, right), `${found.join(" ")} instead of ${right.join(" ")}`).toBe(true);
    },
  );
});

it("all of them give the right numbers on WebGPU", async (context) => {
  if (!nodeDevices().includes("webgpu") || !existsSync(driver)) {
    const reason = `no software Vulkan driver: ${driver} is missing (Debian's package chromium has it)`;
    console.log(`WebGPU skipped: ${reason}`);
    context.skip(reason);
  }
  const hooks = new URL("../support/typescript-hooks.mjs", import.meta.url).href;
  const script = fileURLToPath(new URL("./device-faults-webgpu.ts", import.meta.url));
  const env = {
    ...process.env,
    LD_LIBRARY_PATH: "/usr/lib/chromium",
    VK_ICD_FILENAMES: driver,
    XDG_RUNTIME_DIR: "/tmp",
  };
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", hooks, script], { env });
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { fault: string; found: string; right: boolean });
  expect(rows.map(({ fault }) => fault)).toEqual(Object.keys(FAULTS));
  expect(rows.filter(({ right }) => !right)).toEqual([]);
});
