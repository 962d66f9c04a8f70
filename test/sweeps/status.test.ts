import { describe, expect, it } from "vitest";
import { stripVTControlCharacters } from "node:util";
import { measured, statusPage } from "../../src/cli/sweep/status.js";
import { estimateOf as estimateOfCells } from "../../src/experiments/estimate.js";
import { checkClock, queueAddress } from "../../src/sweeps/queue/address.js";
import type { CellStatus } from "../../src/sweeps/sweep.js";

const published = (seconds: number) => ({
  name: "",
  description: "accuracy 50 %",
  seconds,
  host: "one",
  processor: "",
  date: "",
  files: [],
});
const running = (seconds: number, secondsLeft?: number) => ({
  host: "two",
  part: "training",
  step: 3,
  steps: 12,
  imagesPerSecond: 40,
  seconds,
  ...(secondsLeft !== undefined && { secondsLeft }),
});
const cells: CellStatus[] = [
  { key: "1", name: "small/seed1", state: "finished", published: published(100) },
  { key: "2", name: "small/seed2", state: "running", progress: running(40, 20) },
  { key: "3", name: "small/seed3", state: "waiting", seconds: 30 },
  { key: "4", name: "large/seed1", state: "running", progress: running(100, 900) },
  { key: "5", name: "large/seed2", state: "waiting", waitsFor: "small/seed2" },
  { key: "6", name: "other/seed1", state: "failed", failure: "the disk is full" },
];

const estimateOf = (given: readonly CellStatus[]) => estimateOfCells(given.map(measured));

describe("the time that a sweep needs", () => {
  it("is that of cells that differ in the seed only, and otherwise of the average cell", () => {
    // small: 100 s measured; large: 1000 s by its own rate. Left: 60 + 70 + 900 + 1000.
    expect(estimateOf(cells)).toEqual({
      finished: 1,
      all: 6,
      imagesPerSecond: 80,
      secondsDone: 270,
      secondsOfWork: 2030,
      secondsLeft: 1015,
    });
    const unlike: CellStatus = { key: "7", name: "new/seed1", state: "waiting" };
    expect(estimateOf([...cells, unlike]).secondsOfWork).toBe(2030 + 550);
  });

  it("is at least that of the longest cell, and unknown while nothing was measured or nothing runs", () => {
    expect(estimateOf([cells[1]!, cells[3]!]).secondsLeft).toBe(900);
    expect(estimateOf([cells[2]!])).toEqual({ finished: 0, all: 1, imagesPerSecond: 0, secondsDone: 30 });
    expect(estimateOf([cells[0]!, cells[2]!])).toMatchObject({ secondsOfWork: 70 });
    expect(estimateOf([cells[0]!, cells[2]!])).not.toHaveProperty("secondsLeft");
  });
});

describe("the page of a sweep", () => {
  it("has every cell, the last line of every failure, and the whole", () => {
    const page = stripVTControlCharacters(statusPage("sweep-1", cells, true));
    expect(page).toContain("sweep-1 (cancelled)");
    expect(page).toMatch(/small\/seed1 +│ finished +│ accuracy 50 % · one/);
    expect(page).toMatch(
      /small\/seed2 +│ running +│ training 25 % · 40 images\/s · 20 s left in this part · two/,
    );
    expect(page).toMatch(/small\/seed3 +│ waiting +│ checkpoint after 30 s/);
    expect(page).toMatch(/large\/seed2 +│ waiting +│ starts from small\/seed2/);
    expect(page).toContain("\nother/seed1: the disk is full\n");
    expect(page.split("\n").at(-1)).toBe(
      "1 of 6 cells are finished · 4 min 30 s of computing so far · about 33 min 50 s to do · 80 images/s · about 16 min 55 s left",
    );
  });
});

describe("the address of a queue", () => {
  it("is one of Redis or PostgreSQL, shown without its password", () => {
    expect(queueAddress("rediss://me:secret@host:1/2")).toMatchObject({
      kind: "redis",
      shown: "rediss://me:***@host:1/2",
    });
    expect(queueAddress("postgres://me@host/a?password=secret&x=1")).toMatchObject({
      kind: "postgres",
      shown: "postgres://me@host/a?password=***&x=1",
    });
    expect(() => queueAddress(undefined)).toThrow("expected an address such as redis://host:6379");
    expect(() => queueAddress("mysql://me:secret@host")).toThrow(
      "expected an address with redis: or postgres:, got one with mysql:",
    );
    expect(() => queueAddress("secret word")).toThrow(/got a text that is none$/);
  });

  it("is refused if its clock differs by more than a minute", () => {
    checkClock("redis://host", 1_000_000, 1_059_000);
    expect(() => {
      checkClock("redis://host", 1_000_000, 1_300_000);
    }).toThrow(
      "the queue redis://host: expected a clock within 60 s of the one of this machine, got a difference of 300 s",
    );
  });
});
