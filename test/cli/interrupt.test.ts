import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { runTypescript } from "../support/child.js";

const script = new URL("./interrupt-child.ts", import.meta.url);

describe.skipIf(process.platform === "win32")("Ctrl-C", () => {
  it("stops cleanly at the first press, quits at the second", async () => {
    const child = runTypescript(script, []);
    expect(await child.nextLine()).toBe("ready");
    process.kill(child.pid, "SIGINT");
    expect(await child.nextLine()).toBe("stop");
    expect(await child.nextLine()).toBe("aborted");
    await wait(500);
    process.kill(child.pid, "SIGINT");
    expect(await child.nextLine()).toBe("quit");
    expect(await child.ended()).toMatchObject({ status: 130 });
  });

  it("takes a signal that arrives twice at once for one press", async () => {
    const child = runTypescript(script, []);
    await child.nextLine();
    process.kill(child.pid, "SIGINT");
    await wait(50);
    process.kill(child.pid, "SIGTERM");
    expect(await child.nextLine()).toBe("stop");
    expect(await child.nextLine()).toBe("aborted");
    await wait(500);
    process.kill(child.pid, "SIGTERM");
    expect(await child.nextLine()).toBe("quit");
    await child.ended();
  });

  it("counts presses that wait while the event loop is blocked", async () => {
    const child = runTypescript(script, ["blocked"]);
    expect(await child.nextLine()).toBe("ready");
    expect(await child.nextLine()).toBe("blocked");
    process.kill(child.pid, "SIGINT");
    await wait(50);
    process.kill(child.pid, "SIGINT");
    expect(await child.nextLine()).toBe("stop");
    expect(await child.nextLine()).toBe("aborted");
    expect(await child.nextLine()).toBe("quit");
    expect(await child.ended()).toMatchObject({ status: 130 });
  });

  it("says what happens, and at the second press ends the process by the signal", async () => {
    const child = runTypescript(script, ["work"]);
    expect(await child.nextLine()).toBe("ready");
    process.kill(child.pid, "SIGINT");
    expect(await child.nextLine()).toBe("Stopping after this batch. Press Ctrl-C again to quit at once.");
    expect(await child.nextLine()).toBe("aborted");
    await wait(500);
    process.kill(child.pid, "SIGINT");
    expect(await child.ended()).toMatchObject({ signal: "SIGINT" });
  });
});
