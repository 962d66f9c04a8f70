import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openStepper } from "../../src/train/stepper.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import { runTypescript } from "../support/child.js";
import { temporaryFolder } from "../support/folders.js";

describe("examples/stepper.ts", () => {
  it("watches phases fall into step, and leaves a file that runs by itself", async () => {
    const file = join(await temporaryFolder(), "komplexnet.step.onnx");
    const child = runTypescript(new URL("../../examples/stepper.ts", import.meta.url), [file]);
    const lines: string[] = [];
    for (let line = await child.nextLine(); line !== undefined; line = await child.nextLine())
      lines.push(line);
    expect(await child.ended()).toMatchObject({ status: 0, errors: "" });
    const agreements = lines.map((line) =>
      Array.from(line.matchAll(/\d\.\d\d/g), ([value]) => Number(value)),
    );
    expect(agreements).toHaveLength(30);
    expect(Math.max(...agreements[0]!)).toBeLessThan(0.2);
    expect(Math.min(...agreements[14]!, ...agreements[29]!)).toBeGreaterThan(0.95);
    // The right bar has moved: units that were silent before have phases of their own.
    expect(agreements[15]![1]).toBeLessThan(0.8);
    const stepper = await openStepper(nodeRuntime, await readFile(file));
    expect((await stepper.step({ images: 0 })).logits!.shape).toEqual([1, 10]);
    await stepper.close();
  });
});
