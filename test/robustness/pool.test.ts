import { describe, expect, it } from "vitest";
import type { RgbImage } from "../../src/data/images/rgb-image.js";
import type { Severity } from "../../src/robustness/corruptions/index.js";
import { corrupt } from "../../src/robustness/corruptions/index.js";
import { corruptAll } from "../../src/robustness/corruptions/pool-node.js";
import { constantPicture, testPicture } from "./pictures.js";

const tasks = [
  { name: "gaussian_noise", severity: 3 },
  { name: "frost", severity: 1 },
  { name: "contrast", severity: 5 },
] as const;

interface Item {
  readonly index: number;
  readonly image: RgbImage;
}

function* items(count: number, onPull: (index: number) => void = () => undefined): Generator<Item> {
  const large = testPicture(32);
  for (let index = 0; index < count; index++) {
    onPull(index);
    // A view of a larger buffer, as slices of a data set are.
    const data = new Uint8Array(3 * 3072);
    data.set(large.data, 3072);
    yield { index, image: { width: 32, height: 32, data: data.subarray(3072, 6144) } };
  }
}

describe("corruption on many threads", () => {
  it("gives the bytes of one thread, in order, and keeps what came with an image", async () => {
    const options = { seed: "pool", reencode: 70 };
    const frost = [constantPicture(400, [200, 220, 240])];
    let next = 0;
    for await (const { index, image, corrupted } of corruptAll(items(12), tasks, {
      ...options,
      frost,
      threads: 3,
    })) {
      expect(index).toBe(next++);
      const expected = tasks.map(({ name, severity }) =>
        corrupt(image, name, severity, { ...options, frost, index }),
      );
      expect(corrupted).toEqual(expected);
    }
    expect(next).toBe(12);
  });

  it("takes no more from its source than fits its queue", async () => {
    const threads = 2;
    let pulled = 0;
    let done = 0;
    for await (const _ of corruptAll(
      items(60, () => pulled++),
      tasks,
      { threads },
    )) {
      expect(pulled - done).toBeLessThanOrEqual(2 * threads);
      done++;
      // A slow consumer.
      if (done % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect([pulled, done]).toEqual([60, 60]);
  });

  it("ends when its consumer does, and closes the source", async () => {
    let closed = false;
    const source = async function* () {
      try {
        yield* items(1000);
        await Promise.resolve();
      } finally {
        closed = true;
      }
    };
    for await (const { index } of corruptAll(source(), tasks, { threads: 2 })) if (index === 3) break;
    expect(closed).toBe(true);
  });

  it("stops when it is told to", async () => {
    const controller = new AbortController();
    const read = async () => {
      for await (const { index } of corruptAll(items(1000), tasks, {
        threads: 2,
        signal: controller.signal,
      })) {
        if (index === 2) controller.abort(new Error("enough"));
      }
    };
    await expect(read()).rejects.toThrow("enough");
  });

  it("reports errors of threads and of the source as they are", async () => {
    const read = async (source: Iterable<Item>, severity: number, threads = 2) => {
      let count = 0;
      for await (const _ of corruptAll(source, [{ name: "fog", severity: severity as Severity }], {
        threads,
      }))
        count++;
      return count;
    };
    await expect(read(items(4), 9)).rejects.toThrow(
      "corruption severity: expected one of 1, 2, 3, 4, 5, got 9",
    );
    await expect(read([{ index: 5, image: testPicture(50) }], 1)).rejects.toThrow("not for 50");
    await expect(read([{ index: 5, image: { ...testPicture(32), width: 31 } }], 1)).rejects.toThrow(
      "image 5: expected",
    );
    const failing = function* () {
      yield* items(2);
      throw new Error("the disk is gone");
    };
    await expect(read(failing(), 1)).rejects.toThrow("the disk is gone");
    await expect(read(items(1), 1, 0)).rejects.toThrow(
      "corruptions: threads: expected a whole number of at least 1, got 0",
    );
    expect(await read([], 1)).toBe(0);
  });
});
