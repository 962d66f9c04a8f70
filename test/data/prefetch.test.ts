import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { prefetch } from "../../src/data/index.js";

function* counting(
  end: number,
  log: (line: string) => void = () => undefined,
): Generator<number, void, undefined> {
  try {
    for (let i = 0; i < end; i++) {
      log(`make ${i}`);
      yield i;
    }
  } finally {
    log("closed");
  }
}

async function* slowly(end: number): AsyncGenerator<number, void, undefined> {
  for (let i = 0; i < end; i++) {
    await sleep(i % 3);
    yield i;
  }
}

async function collect<T>(source: AsyncIterable<T>, pause = 0): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) {
    items.push(item);
    if (pause > 0) await sleep(pause);
  }
  return items;
}

describe("prefetch", () => {
  it("hands on every item once and in order, from sources of both kinds, at any depth and pace", async () => {
    const expected = Array.from({ length: 12 }, (_, i) => i);
    for (const depth of [1, 2, 20]) {
      for (const pause of [0, 2]) {
        expect(await collect(prefetch(counting(12), depth), pause)).toEqual(expected);
        expect(await collect(prefetch(slowly(12), depth), pause)).toEqual(expected);
      }
    }
    expect(await collect(prefetch([], 2))).toEqual([]);
    expect(await collect(prefetch(["a", "b"]))).toEqual(["a", "b"]);
  });

  it("prepares up to depth items while the consumer is busy, and no more", async () => {
    const log: string[] = [];
    const items = prefetch(
      counting(10, (line) => log.push(line)),
      3,
    );
    await sleep(10);
    expect(log).toEqual([]);
    expect((await items.next()).value).toBe(0);
    expect(log).toEqual(["make 0"]);
    await vi.waitFor(() => {
      expect(log).toEqual(["make 0", "make 1", "make 2", "make 3"]);
    });
    await sleep(30);
    expect(log.length).toBe(4);
    expect((await items.next()).value).toBe(1);
    await vi.waitFor(() => {
      expect(log.length).toBe(5);
    });
    await sleep(30);
    expect(log.length).toBe(5);
    await items.return();
  });

  it("lets a source reuse depth + 1 buffers in turn", async () => {
    for (const depth of [1, 3]) {
      const buffers = Array.from({ length: depth + 1 }, () => new Uint8Array(1));
      const source = function* (): Generator<Uint8Array, void, undefined> {
        for (let i = 0; i < 40; i++) {
          const buffer = buffers[i % buffers.length]!;
          buffer[0] = i;
          yield buffer;
        }
      };
      let i = 0;
      for await (const buffer of prefetch(source(), depth)) {
        const before = buffer[0];
        await sleep(i % 4);
        expect([before, buffer[0]]).toEqual([i, i]);
        i++;
      }
      expect(i).toBe(40);
    }
  });

  it("passes on an error of the source after the items before it", async () => {
    const failing = function* (): Generator<number, void, undefined> {
      yield* [1, 2];
      throw new Error("the source broke");
    };
    const seen: number[] = [];
    await expect(async () => {
      for await (const item of prefetch(failing(), 5)) {
        await sleep(10);
        seen.push(item);
      }
    }).rejects.toThrow("the source broke");
    expect(seen).toEqual([1, 2]);
  });

  it("closes the source when the consumer leaves early, also by an error of its own", async () => {
    for (const leave of ["break", "throw"]) {
      const log: string[] = [];
      const run = async (): Promise<void> => {
        for await (const item of prefetch(
          counting(10, (line) => log.push(line)),
          2,
        )) {
          if (item < 1) continue;
          if (leave === "break") break;
          throw new Error("consumer");
        }
      };
      await run().catch((error: unknown) => {
        expect((error as Error).message).toBe("consumer");
      });
      expect(log.at(-1)).toBe("closed");
      expect(log.filter((line) => line === "closed")).toHaveLength(1);
      const lines = log.length;
      await sleep(20);
      expect(log).toHaveLength(lines);
    }
  });

  it("makes the next item while the consumer waits for something else", async () => {
    const made = new Array<boolean>(10).fill(false);
    const source = async function* (): AsyncGenerator<number, void, undefined> {
      for (let i = 0; i < 10; i++) {
        await sleep(5);
        made[i] = true;
        yield i;
      }
    };
    for await (const item of prefetch(source(), 1)) {
      await vi.waitFor(() => {
        expect(made[Math.min(item + 1, 9)]).toBe(true);
      });
    }
    expect(made.every(Boolean)).toBe(true);
  });

  it("refuses a depth that is no count", async () => {
    await expect(prefetch([1], 0).next()).rejects.toThrow(
      "prefetch: depth: expected a whole number of at least 1, got 0",
    );
  });
});
