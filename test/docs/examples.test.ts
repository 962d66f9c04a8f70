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

/** Runs an example to its end and gives the lines that it prints. */
async function linesOf(name: string, args: readonly string[] = []): Promise<string[]> {
  const child = runTypescript(new URL(`../../examples/${name}`, import.meta.url), args);
  const lines: string[] = [];
  for (let line = await child.nextLine(); line !== undefined; line = await child.nextLine()) lines.push(line);
  expect(await child.ended()).toMatchObject({ status: 0, errors: "" });
  return lines;
}

describe("examples/vonenet.ts", () => {
  it("draws populations as they differ, and a cell that prefers its own orientation", async () => {
    const lines = await linesOf("vonenet.ts");
    const median = (variant: string) =>
      Number(/more than ([\d.]+)/.exec(lines.find((line) => line.startsWith(variant))!)![1]);
    // Uniform over octaves from 0.5 to 11.2 cycles per degree: the median is near their geometric mean. Monkeys' cells prefer more.
    expect(Math.abs(median("unif1") - Math.sqrt(0.5 * 11.2))).toBeLessThan(0.4);
    expect(median("biol")).toBeGreaterThan(median("unif1"));
    const response = (turn: number) =>
      Number(lines.find((line) => line.startsWith(`${turn} degrees`))!.split(": ")[1]);
    for (const turn of [-90, -60, -30, 30, 60]) expect(response(0)).toBeGreaterThan(response(turn));
  });
});

describe("examples/phase-map.ts", () => {
  it("writes a picture and its legend", async () => {
    const folder = await temporaryFolder();
    const [picture, legend] = [join(folder, "phases.png"), join(folder, "wheel.svg")];
    expect(await linesOf("phase-map.ts", [picture, legend])).toEqual([
      `${picture}: 384 x 384 pixels; ${legend}`,
    ]);
    expect((await readFile(picture)).subarray(1, 4).toString()).toBe("PNG");
    expect(await readFile(legend, "utf8")).toMatch(/^<svg/);
  });
});
