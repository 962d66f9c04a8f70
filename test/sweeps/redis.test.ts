import { describe, expect, it, onTestFinished } from "vitest";
import { queueAddress } from "../../src/sweeps/queue/address.js";
import { openBullQueue } from "../../src/sweeps/queue/bullmq.js";
import { softwareOf } from "../../src/sweeps/software.js";
import { submitSweep, sweepStatus } from "../../src/sweeps/sweep.js";
import type { Service } from "./services.js";
import { hasService, startRedis } from "./services.js";
import { startWorker, toySweep, until, workHere } from "./toy-sweep.js";

async function redis(...settings: string[]): Promise<Service> {
  const service = await startRedis(...settings);
  onTestFinished(() => service.stop());
  return service;
}

const open = (url: string, software = softwareOf()) => openBullQueue(queueAddress(url), software);

describe.skipIf(!hasService("redis"))("Redis", () => {
  it("that forgets the queue loses no result: submitting again rebuilds the queue", async () => {
    const service = await redis();
    const queue = await open(service.url);
    expect(queue.warnings).toEqual([
      expect.stringMatching(/has no append-only file: if Redis is killed, it forgets the queue/),
    ]);
    const sweep = await toySweep({ cells: ["a", "b", "c", "d"], steps: 3, milliseconds: 300 });
    await submitSweep({ ...sweep, queue });
    const worker = workHere(queue, { untilEmpty: false });
    await until(async () => (await sweep.lines("step c")).length >= 1);
    await service.kill();
    await service.restart();
    // The cell that was being computed goes on and is published, although the queue does not know it any more.
    await until(async () => (await sweep.store.finished()).size >= 3);
    worker.stop();
    expect(await worker.ended).toBeUndefined();
    expect((await sweepStatus({ ...sweep, queue })).filter(({ state }) => state === "absent")).toHaveLength(
      1,
    );
    expect(await submitSweep({ ...sweep, queue })).toMatchObject({ added: ["d/seed1"], finished: 3 });
    await workHere(queue).ended;
    expect((await sweep.lines("start")).map((line) => line.split(" ")[1])).toEqual(["a", "b", "c", "d"]);
    await queue.close();
  });

  it("that is away keeps no worker from ending", async () => {
    const service = await redis();
    const queue = await open(service.url);
    const sweep = await toySweep({ steps: 100, milliseconds: 100 });
    await submitSweep({ ...sweep, queue });
    const worker = await startWorker(service.url);
    await until(async () => (await sweep.lines("step")).length >= 1);
    await service.kill();
    const began = Date.now();
    process.kill(worker.pid, "SIGTERM");
    expect((await worker.ended()).status).toBe(0);
    expect(Date.now() - began).toBeLessThan(30_000);
    expect(await sweep.lines("stop")).toHaveLength(1);
    await queue.close();
  });

  it("with an append-only file keeps the queue", async () => {
    const service = await redis("--appendonly", "yes", "--appendfsync", "always");
    const queue = await open(service.url);
    expect(queue.warnings).toEqual([]);
    const sweep = await toySweep({ cells: ["a", "b"] });
    await submitSweep({ ...sweep, queue });
    await service.kill();
    await service.restart();
    expect((await sweepStatus({ ...sweep, queue })).map(({ state }) => state)).toEqual([
      "waiting",
      "waiting",
    ]);
    await queue.close();
  });

  it("that may evict cells is refused, and so is a replica", async () => {
    const evicting = await redis("--maxmemory-policy", "allkeys-lru");
    await expect(open(evicting.url)).rejects.toThrow(
      `the queue ${evicting.url}: expected the setting maxmemory-policy noeviction, got allkeys-lru`,
    );
    const replica = await redis("--replicaof", "127.0.0.1", String(evicting.port));
    await expect(open(replica.url)).rejects.toThrow("expected a Redis that can be written, got a replica");
  });

  it("that does not answer, or wants another password, is one error without the password", async () => {
    const service = await redis("--requirepass", "secret");
    const address = service.url.replace("redis://", "redis://:wrong@");
    const told = await open(address).catch((error: unknown) => (error as Error).message);
    expect(told).toMatch(
      /^the queue redis:\/\/:\*\*\*@127\.0\.0\.1:\d+: expected Redis to answer; .*WRONGPASS/,
    );
    expect(told).not.toContain("wrong@");
    await expect(open(service.url)).rejects.toThrow(/expected Redis to answer; .*NOAUTH/);
    const queue = await open(service.url.replace("redis://", "redis://:secret@"));
    expect(queue.shown).not.toContain("secret");
    await queue.close();
    await expect(open("redis://127.0.0.1:1")).rejects.toThrow(
      /^the queue redis:\/\/127\.0\.0\.1:1: expected Redis to answer; .*ECONNREFUSED/,
    );
  });

  it("whose memory is full says so", async () => {
    const service = await redis();
    const queue = await open(service.url);
    const { Redis } = await import("ioredis");
    const client = new Redis(service.url);
    await client.config("SET", "maxmemory", "1");
    const sweep = await toySweep();
    await expect(submitSweep({ ...sweep, queue })).rejects.toThrow(
      `the queue ${service.url}: the memory of Redis is full; free some, or raise maxmemory`,
    );
    client.disconnect();
    await queue.close();
  });

  it("shows a worker the cells of its own software only; it says what else waits", async () => {
    const service = await redis();
    const other = { ...softwareOf(), striate: "9.9.9" };
    const queues = [await open(service.url, other), await open(service.url)] as const;
    const sweep = await toySweep();
    await submitSweep({ ...sweep, queue: queues[0] });
    const worker = workHere(queues[1], { untilEmpty: false });
    await until(() => worker.lines.length > 0);
    worker.stop();
    await worker.ended;
    expect(worker.lines[0]).toMatch(
      /^The queue also has 1 cell of other software, .* is striate 9\.9\.9 .*; this is striate 0\.1\.0/,
    );
    expect(await sweep.lines()).toEqual([]);
    for (const queue of queues) await queue.close();
  });
});
