import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { queueAddress } from "../../src/sweeps/queue/address.js";
import { openBullQueue } from "../../src/sweeps/queue/bullmq.js";
import type { CellJob, WorkQueue } from "../../src/sweeps/queue/cell-queue.js";
import { softwareOf } from "../../src/sweeps/software.js";
import { cancelSweep, retryCells, submitSweep, sweepStatus } from "../../src/sweeps/sweep.js";
import type { Service } from "./services.js";
import { hasService, startPostgres, startRedis } from "./services.js";
import { expectedResults, lives, startWorker, toySweep, until, workHere } from "./toy-sweep.js";

/** The tests of a store of queues. */
export function testQueue(kind: "redis" | "postgres"): void {
  describe.skipIf(!hasService(kind))(`a sweep on ${kind}`, () => {
    let service: Service;
    let queue: WorkQueue;
    beforeAll(async () => {
      service = await (kind === "redis" ? startRedis("--appendonly", "yes") : startPostgres());
      queue = await openBullQueue(queueAddress(service.url), softwareOf(), { prepare: true });
    });
    afterAll(async () => {
      await queue.close();
      await service.stop();
    });

    it("computes a cell once that blocks longer than the lease, and cells after those that they start from", async () => {
      const sweep = await toySweep({ cells: ["first", "after1", "after2"], steps: 1, milliseconds: 2500 });
      expect(await submitSweep({ ...sweep, queue })).toMatchObject({ added: { length: 3 }, finished: 0 });
      const workers = [workHere(queue), workHere(queue)];
      for (const worker of workers) expect(await worker.ended).toBeUndefined();
      const expected = await expectedResults(sweep);
      expect(await sweep.results()).toEqual(expected);
      for (const what of ["start", "end"])
        expect((await sweep.lines(what)).map((line) => line.split(" ")[1]).sort()).toEqual([
          "after1",
          "after2",
          "first",
        ]);
      expect((await sweepStatus({ ...sweep, queue })).map(({ state }) => state)).toEqual(
        Array(3).fill("finished"),
      );
    });

    it("goes on after a killed worker, whose process of the cell ends with it", async () => {
      const sweep = await toySweep({ steps: 14, milliseconds: 400 });
      await submitSweep({ ...sweep, queue });
      const killed = await startWorker(service.url);
      await until(async () => (await sweep.lines("step")).length >= 8);
      const pid = Number((await sweep.lines("start"))[0]!.split(" ")[3]);
      expect(await lives(pid)).toBe(true);
      await killed.kill();
      const began = Date.now();
      await until(async () => !(await lives(pid)));
      expect(Date.now() - began).toBeLessThan(2000);
      expect(await workHere(queue).ended).toBeUndefined();
      const starts = (await sweep.lines("start")).map((line) => Number(line.split(" ")[2]));
      expect(starts).toHaveLength(2);
      // The worker looks for new checkpoints every 2 s, which are 5 steps.
      expect(starts[1]).toBeGreaterThanOrEqual(2);
      expect(await sweep.results()).toEqual(await expectedResults(sweep));
    });

    it("is handed over if its worker is stopped: another worker goes on at the next step, and the result is the same", async () => {
      const sweep = await toySweep({ steps: 12, milliseconds: 300 });
      await submitSweep({ ...sweep, queue });
      const first = workHere(queue);
      await until(async () => (await sweep.lines("step")).length >= 4);
      first.stop();
      expect(await first.ended).toBeUndefined();
      const [stop] = await sweep.lines("stop");
      expect((await sweepStatus({ ...sweep, queue }))[0]).toMatchObject({
        state: "waiting",
        name: "first/seed1",
      });
      await workHere(queue).ended;
      const starts = (await sweep.lines("start")).map((line) => line.split(" ")[2]);
      expect(starts).toEqual(["0", stop!.split(" ")[2]]);
      expect(await sweep.lines("step")).toHaveLength(12);
      expect(await sweep.results()).toEqual(await expectedResults(sweep));
    });

    it("says which cells fail, with those that start from them, and tries them again if asked", async () => {
      const sweep = await toySweep({ cells: ["broken", "after", "fine"] });
      await submitSweep({ ...sweep, queue });
      await workHere(queue).ended;
      const status = await sweepStatus({ ...sweep, queue });
      const byName = new Map(status.map((cell) => [cell.name, cell]));
      expect(byName.get("broken/seed1")).toMatchObject({ state: "failed", failure: "the toy is broken" });
      expect(byName.get("after/seed1")).toMatchObject({
        state: "failed",
        failure: "broken/seed1, from which this cell starts, has failed",
      });
      expect(byName.get("fine/seed1")!.state).toBe("finished");
      // A second submission leaves failed cells alone.
      expect(await submitSweep({ ...sweep, queue })).toMatchObject({ added: [], finished: 1, failed: 2 });
      expect((await retryCells({ ...sweep, queue }, "broken/*")).sort()).toEqual(["broken/seed1"]);
      expect(
        (await sweepStatus({ ...sweep, queue })).find(({ name }) => name === "broken/seed1")!.state,
      ).toBe("waiting");
      await workHere(queue).ended;
      expect(await sweep.lines("start broken")).toHaveLength(2);
      expect((await sweep.lines("start fine")).length).toBe(1);
      await retryCells({ ...sweep, queue });
      await cancelSweep({ ...sweep, queue });
    });

    it("is cancelled, with the checkpoints of running cells, and continued", async () => {
      const sweep = await toySweep({ cells: ["first", "second"], steps: 20, milliseconds: 200 });
      await submitSweep({ ...sweep, queue });
      const worker = workHere(queue);
      await until(async () => (await sweep.lines("step")).length >= 2);
      expect(await cancelSweep({ ...sweep, queue })).toEqual({ removed: 1, running: ["first/seed1"] });
      expect(await worker.ended).toBeUndefined();
      const done = (await sweep.lines("step")).length;
      expect(done).toBeLessThan(20);
      expect((await sweepStatus({ ...sweep, queue })).map(({ state }) => state)).toEqual([
        "absent",
        "absent",
      ]);
      expect((await submitSweep({ ...sweep, queue })).added).toEqual(["first/seed1", "second/seed1"]);
      await workHere(queue, { jobs: 2 }).ended;
      expect(await sweep.lines("step")).toHaveLength(40);
      expect(await sweep.results()).toEqual(await expectedResults(sweep));
    });

    it("keeps the first entry of a cell, and holds small entries only", async () => {
      const job: CellJob = { sweep: "00000000", folder: "/nowhere", key: "0123456701234567", name: "a cell" };
      await queue.add([job]);
      await queue.add([job]);
      expect(await queue.states(job.sweep, [job.key, "ffffffffffffffff"])).toEqual([
        { state: "waiting" },
        { state: "absent" },
      ]);
      await expect(queue.add([{ ...job, key: "1", name: "x".repeat(5000) }])).rejects.toThrow(
        /^the queue entry of x+\S+: expected at most 4096 bytes, got 50\d\d$/,
      );
      expect(await workHere(queue).ended).toBe(
        '"/nowhere": expected the folder of the sweep 00000000, found no sweep.json in it. Is the folder shared with ' +
          "this machine, and at this path? --folder says where it is here",
      );
      expect(await queue.states(job.sweep, [job.key])).toEqual([{ state: "waiting" }]);
      const sweep = await toySweep({ cells: ["without data"] });
      await submitSweep({ ...sweep, queue });
      expect(await queue.remove(job.sweep, [job.key])).toEqual([job.key]);
      // A machine that cannot compute a cell leaves it to others.
      expect(await workHere(queue).ended).toBe("without data/seed1: the toy has no data here");
      expect((await sweepStatus({ ...sweep, queue }))[0]!.state).toBe("waiting");
      expect((await cancelSweep({ ...sweep, queue })).removed).toBe(1);
      expect(await queue.states(job.sweep, [job.key])).toEqual([{ state: "absent" }]);
    });
  });
}
