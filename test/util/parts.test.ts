import { describe, expect, it, onTestFinished, vi } from "vitest";
import { input, parameter } from "../../src/graph/index.js";
import { add, mul } from "../../src/graph/operators/elementwise/elementwise.js";
import { scopeOfParts } from "../../src/graph/tensor.js";
import type { Parts } from "../../src/util/slices.js";
import { atOnce, inSlices } from "../../src/util/slices.js";

/** Work of some parts that take the given time each, and notes when each ran. */
function* busy(parts: number, milliseconds: number, ran: string[] = []): Parts<number> {
  for (let part = 0; part < parts; part++) {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
    ran.push("part");
    yield;
  }
  return parts;
}

/** A channel whose messages are turns of the event loop, as in browsers: Node delivers many of them in one. */
class TurnChannel {
  readonly port1: { onmessage?: () => void; close(): void } = { close: () => undefined };
  readonly port2 = { postMessage: () => setTimeout(() => this.port1.onmessage?.()) };
}

function pretendPage(): void {
  vi.stubGlobal("MessageChannel", TurnChannel);
  vi.stubGlobal("requestAnimationFrame", () => 0);
  vi.stubGlobal("document", {});
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
}

describe("work in parts", () => {
  it("lets others have their turn in a page", async () => {
    pretendPage();
    const ran: string[] = [];
    const working = inSlices(busy(10, 5, ran));
    const others = setInterval(() => ran.push("other"));
    expect(await working).toBe(10);
    clearInterval(others);
    const turns = ran
      .join("")
      .split(/(?:other)+/)
      .filter((parts) => parts !== "");
    expect(turns.length).toBeGreaterThan(3);
  });

  it("is done at once in Node", async () => {
    const ran: string[] = [];
    const working = inSlices(busy(5, 5, ran));
    expect(ran).toHaveLength(5);
    expect(await working).toBe(5);
    expect(atOnce(busy(3, 0))).toBe(3);
  });

  it("hands on what a part throws", async () => {
    pretendPage();
    const failing = function* (): Parts<void> {
      throw new Error("no more");
    };
    await expect(inSlices(failing())).rejects.toThrow("no more");
  });

  it("names its own nodes only", () => {
    const x = input("x", [2]);
    const names: string[] = [];
    const work = function* (): Parts<string> {
      names.push(add(x, x).node.scope);
      yield;
      names.push(mul(x, x).node.scope);
      return "done";
    };
    const parts = scopeOfParts("inner", work());
    parts.next();
    const between = parameter([1], () => new Float32Array(1)).node.scope;
    expect(between).toBe("");
    expect(parts.next()).toEqual({ done: true, value: "done" });
    expect(names).toEqual(["inner", "inner"]);
  });
});
