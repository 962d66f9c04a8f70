import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Tensor, TensorData } from "../../../src/graph/index.js";
import {
  add,
  conv,
  flatten,
  gemm,
  globalAveragePool,
  input,
  lower,
  maxPool,
  parameter,
  relu,
  tensorData,
  writeOnnx,
} from "../../../src/graph/index.js";
import { Random, describeModel, initialState, modelMetadata, readOnnx } from "../../../src/index.js";
import { normal } from "../../../src/nn/init.js";
import { nodeRuntime } from "../../../src/node.js";
import { asConstants } from "../../../src/nn/training-state.js";
import type { Values } from "../../../src/index.js";
import { openPage } from "../chromium.js";
import { expectAccessible, pixelsOf, showView, site, stopAt, url } from "./site.js";

const CLASSES = [
  "cat",
  "dog",
  "a bird with a name that is much too long for the width of the figure",
  "fish",
];

/** A file of a classifier of grey pictures of 16 x 12 pixels, with drawn weights. */
function classifier(metadata: Readonly<Record<string, string>> = {}): Buffer {
  const parameters = new Map<string, Tensor>();
  const weight = (name: string, shape: readonly number[]): Tensor => {
    const made = parameter(shape, normal(0, 2 / Math.sqrt(shape.slice(1).reduce((a, b) => a * b, 1))), {
      name,
    });
    parameters.set(name, made);
    return made;
  };
  const image = input("picture", ["batch", 1, 12, 16]);
  const layer = (x: Tensor, name: string, into: number, out: number) =>
    relu(conv(x, weight(name, [out, into, 3, 3]), undefined, { padding: 1 }));
  const a = layer(image, "a.weight", 1, 6);
  const b = layer(maxPool(a, 2, { stride: 2 }), "b.weight", 6, 8);
  const scores = gemm(flatten(globalAveragePool(b)), weight("read.weight", [4, 8]), undefined, { transB: 1 });
  const values = asConstants(initialState(parameters, (name) => Random.derive(3, name)));
  return Buffer.from(writeOnnx(lower({ scores }, "portable"), { values, metadata }).bytes);
}

/** The first output of a file that ONNX Runtime for Node runs. */
async function answersOf(bytes: Uint8Array, feeds: Values): Promise<number[]> {
  const session = await nodeRuntime.createSession(Uint8Array.from(bytes));
  const results = await session.run(feeds);
  await session.close();
  return Array.from(results[session.outputNames[0]!]!.data as Float32Array);
}

/** A graph that adds two pictures. */
const twoInputs = (): Buffer => {
  const [a, b] = ["a", "b"].map((name) => input(name, ["batch", 3, 8, 8])) as [Tensor, Tensor];
  return Buffer.from(writeOnnx(lower({ sum: add(a, b) }, "portable")).bytes);
};

/** A graph whose only operator is renamed to one that nobody knows. */
const unknownOperator = (): Buffer => {
  const { bytes } = writeOnnx(lower({ y: relu(input("x", ["batch", 3, 8, 8])) }, "portable"));
  const text = Buffer.from(bytes).toString("latin1");
  return Buffer.from(text.replaceAll("Relu", "Qelu"), "latin1");
};

const choose = (page: Page, buffer: Buffer, name = "own.onnx"): Promise<void> =>
  page
    .locator('input[aria-label^="Your own network"]')
    .setInputFiles({ name, mimeType: "application/octet-stream", buffer });

/** Waits until the run of the user's network is shown. */
const ownReady = async (page: Page): Promise<void> => {
  await page.getByText(/^The network: /).waitFor();
  await page.locator('.figures[aria-busy="false"]').first().waitFor();
};

async function trained(page: Page, steps: number): Promise<string> {
  await page.getByLabel("training steps").fill(String(steps));
  await page.getByRole("button", { name: /^Train the feedback/ }).click();
  const end = page.getByRole("status").filter({ hasText: "Unexplained share of the training pictures" });
  await end.waitFor();
  return (await end.textContent()) ?? "";
}

export function testOwnNetwork(): void {
  describe("a network of one's own in the view of Predify", () => {
    it("runs with feedback that the tab trains, and is saved with it as an ONNX file", async () => {
      const page = await showView("predify", "noise=0");
      const sent: string[] = [];
      const listen = (request: { url(): string }): number => sent.push(request.url());
      const original = classifier(
        modelMetadata({ classes: CLASSES, preprocessing: { mean: [0.5], std: [0.25] } }),
      );
      await choose(page, original);
      await ownReady(page);
      page.on("request", listen);
      const facts = await page.getByText(/^The network: /).textContent();
      expect(facts).toMatch(/own\.onnx, takes pictures of 16 x 12 x 1, 4 classes/);
      await page.getByText("mean 0.5").waitFor();
      // Without training there is no feedback: the answer stays.
      const answers = page.locator('canvas[aria-label^="Answer: "]');
      await stopAt(page, 0);
      const before = await answers.getAttribute("aria-label");
      expect(before).toMatch(/^Answer: (cat|dog|a bird.*|fish), \d+ %$/);
      const believed = await pixelsOf(page, "What the layers believe");
      await stopAt(page, 8);
      expect(await answers.getAttribute("aria-label")).toBe(before);

      const end = await trained(page, 150);
      const [, first, last, unseen] = /: ([\d.]+) → ([\d.]+) \(80 pictures\).*: ([\d.]+) \(20 pictures\)/
        .exec(end)!
        .map(Number) as [number, number, number, number];
      expect(last).toBeLessThan(first / 2);
      expect(unseen).toBeLessThan(first / 2);
      expect(unseen).toBeGreaterThan(0);
      await stopAt(page, 0);
      // The classifier itself has not changed, but its layers believe something else.
      expect(await answers.getAttribute("aria-label")).toBe(before);
      await expect.poll(() => pixelsOf(page, "What the layers believe")).not.toBe(believed);
      await stopAt(page, 8);

      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Save the network with its feedback (.onnx)" }).click(),
      ]);
      expect(file.suggestedFilename()).toBe("pown.onnx");
      const bytes = await readFile(await file.path());
      const { metadata, inputs } = readOnnx(bytes);
      expect(describeModel(metadata, "the saved file").classes).toEqual(CLASSES);
      expect(Object.keys(inputs).sort()).toEqual(["error", "feedback", "feedforward", "picture"]);
      // The first timestep is the network itself; later ones have the feedback, by the defaults that the file states.
      const data = Random.derive(5, "picture").fillNormal(new Float32Array(12 * 16));
      const picture = { dtype: "float32", shape: [1, 1, 12, 16], data } as const;
      const weights: Record<string, TensorData> = {};
      for (const [name, values] of Object.entries(describeModel(metadata, "the saved file").inputs ?? {}))
        weights[name] = tensorData(values, [values.length]);
      const [alone, saved] = await Promise.all([
        answersOf(original, { picture }),
        answersOf(bytes, { picture, ...weights }),
      ]);
      expect(saved).toHaveLength(9 * 4);
      saved.slice(0, 4).forEach((score, i) => {
        expect(score).toBeCloseTo(alone[i]!, 4);
      });
      expect(Math.max(...saved.slice(32).map((score, i) => Math.abs(score - alone[i]!)))).toBeGreaterThan(
        1e-3,
      );

      const numbers = page.getByLabel("Save…");
      await numbers.focus();
      const [table] = await Promise.all([page.waitForEvent("download"), numbers.selectOption("csv")]);
      const lines = (await readFile(await table.path(), "utf8")).trim().split("\r\n");
      expect(lines[0]).toMatch(/^timestep,probability \w/);
      expect(lines).toHaveLength(10);
      page.off("request", listen);
      // What is asked for is code of the page, and files that the page itself makes.
      expect(sent.filter((address) => !/^blob:|\/assets\/[\w-]+\.js$/.test(address))).toEqual([]);
      await expectAccessible(page, 390);
    });

    it("can be cancelled while it trains, and goes on moving", async () => {
      const page = await showView("predify", "noise=0");
      await choose(page, classifier());
      await ownReady(page);
      await page.getByLabel("training steps").fill("1000");
      await page.getByRole("button", { name: /^Train the feedback/ }).click();
      await page.locator("progress").waitFor();
      const frames = await page.evaluate(async () => {
        let count = 0;
        const began = performance.now();
        while (performance.now() - began < 300) {
          await new Promise(requestAnimationFrame);
          count++;
        }
        return count;
      });
      expect(frames).toBeGreaterThan(2);
      await page.getByRole("button", { name: "Cancel" }).click();
      const end = page.getByRole("status").filter({ hasText: "Cancelled; what was learnt is kept." });
      await end.waitFor();
      const [, step] = /step (\d+)\./.exec((await end.textContent())!)!;
      expect(Number(step)).toBeLessThan(1000);
    });

    it("takes names of the classes from a text file, and says if their number is wrong", async () => {
      const page = await showView("predify", "noise=0");
      await choose(page, classifier());
      await ownReady(page);
      const names = page.locator('input[aria-label^="Names of the classes"]');
      const file = (text: string) => ({
        name: "names.txt",
        mimeType: "text/plain",
        buffer: Buffer.from(text),
      });
      await page.locator('canvas[aria-label^="Answer: "]').filter({ visible: true }).waitFor();
      expect(await page.locator('canvas[aria-label^="Answer: "]').getAttribute("aria-label")).toMatch(
        /: \d, /,
      );
      await names.setInputFiles(file("one\ntwo\n"));
      await page.getByText("names.txt: 2 lines, but the network has this many classes: 4").waitFor();
      await names.setInputFiles(file("red\ngreen\nblue\nwhite\n"));
      await page
        .locator('canvas[aria-label^="Answer: "]')
        .and(
          page.locator(
            '[aria-label*="red"],[aria-label*="green"],[aria-label*="blue"],[aria-label*="white"]',
          ),
        )
        .waitFor();
    });

    it.each([
      ["text", () => Buffer.from("this is no network"), "This file is no ONNX model."],
      ["two inputs", twoInputs, "it has several inputs, or an input that is no picture"],
      ["an unknown operator", unknownOperator, "an operator, or a value, that Striate cannot read"],
    ])("says in one sentence what is wrong with a file: %s", async (_, make, sentence) => {
      const page = await showView("predify");
      await choose(page, make());
      await page.getByRole("alert").filter({ hasText: sentence }).waitFor();
      await page.getByRole("button", { name: "Back to the network of the page" }).click();
      await page.locator('canvas[aria-label^="Probability of the digit shown"]').waitFor();
      expect(await page.getByRole("alert").count()).toBe(0);
    });

    it("takes a dropped network, and says so if it is too large for a tab", async () => {
      const page = await showView("predify");
      await page.evaluate(() => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(100_600_000)], "large.onnx"));
        document.body.dispatchEvent(
          new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }),
        );
      });
      const alert = page.getByRole("alert").filter({ hasText: "large.onnx: This network is too large" });
      await alert.waitFor();
      expect(await alert.textContent()).toContain("101 MB; the limit is 100 MB");
      await page.getByRole("button", { name: "Back to the network of the page" }).click();
      await page.locator('canvas[aria-label^="Probability of the digit shown"]').waitFor();
    });

    it("is opened from beside the page if the address names it", async () => {
      await mkdir(join(site, "network"), { recursive: true });
      await writeFile(join(site, "network", "my net.onnx"), classifier());
      const { page } = await openPage(`${url}?view=predify&network=my+net.onnx`);
      await ownReady(page);
      expect(await page.getByText(/^The network: my net\.onnx/).count()).toBe(1);
      await page.goto(`${url}?view=predify&network=none.onnx`);
      await page
        .getByRole("alert")
        .filter({
          hasText: '"none.onnx": expected the network of this address beside the page, got status 404',
        })
        .waitFor();
    });
  });
}
