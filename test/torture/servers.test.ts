import { createHash } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";
import type { RequestListener, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { download } from "../../src/data/sets/download-node.js";
import { StriateError } from "../../src/util/errors.js";
import { Random } from "../../src/util/random.js";
import { temporaryFolder } from "../support/folders.js";
import { ranged, serve } from "../support/server.js";
import { report } from "./settings.js";

const random = new Random(1);
const FILE = Buffer.from(Array.from({ length: 5000 }, () => random.integer(0, 256)));
const CHECKSUM = { algorithm: "md5", digest: createHash("md5").update(FILE).digest("hex") } as const;
const HALF = FILE.length / 2;
const PAGE = Buffer.from("<!DOCTYPE html><html><body>Sign in to the network</body></html>");

const answer =
  (status: number, headers: Record<string, string | number>, body?: Uint8Array): RequestListener =>
  (_, response) => {
    response.writeHead(status, headers).end(body);
  };

/** Sends pieces with pauses between them. */
async function drip(
  response: ServerResponse,
  pieces: readonly Uint8Array[],
  milliseconds: number,
): Promise<void> {
  for (const piece of pieces) {
    response.write(piece);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
  response.end();
}

const piecesOf = (bytes: Buffer, count: number): Buffer[] =>
  Array.from({ length: count }, (_, i) =>
    bytes.subarray((i * bytes.length) / count, ((i + 1) * bytes.length) / count),
  );

interface Case {
  readonly server: RequestListener | ((socket: Socket) => void);
  /** Whether the server speaks no HTTP, or its own. */
  readonly raw?: true;
  /** What an earlier attempt left. */
  readonly part?: Uint8Array;
  /** The error; without one, the file must arrive. */
  readonly says?: RegExp;
}

const raw =
  (text: string, body: Uint8Array = new Uint8Array(0)) =>
  (socket: Socket) => {
    socket.once("data", () => {
      socket.end(Buffer.concat([Buffer.from(text.replaceAll("\n", "\r\n")), body]));
    });
  };

const CASES: Readonly<Record<string, Case>> = {
  "that states too long a length": {
    raw: true,
    server: raw(`HTTP/1.1 200 OK\nContent-Length: ${FILE.length + 9}\n\n`, FILE),
    says: /interrupted after \d+ bytes .*call again to continue/,
  },
  "that states too short a length": {
    raw: true,
    server: raw(`HTTP/1.1 200 OK\nConnection: close\nContent-Length: ${HALF}\n\n`, FILE),
    says: /checksum|interrupted/,
  },
  "that states a length that is no number": {
    raw: true,
    server: raw("HTTP/1.1 200 OK\nContent-Length: many\n\n", FILE),
    says: /cannot reach the server/,
  },
  "that states no length and closes early": {
    raw: true,
    server: raw("HTTP/1.1 200 OK\nConnection: close\n\n", FILE.subarray(0, HALF)),
    says: /expected the md5 checksum/,
  },
  "that breaks off a chunk": {
    raw: true,
    server: raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n1388\n", FILE.subarray(0, HALF)),
    says: /interrupted after .* bytes/,
  },
  "that closes without a word": {
    raw: true,
    server: (socket: Socket) => {
      socket.destroy();
    },
    says: /cannot reach the server/,
  },
  "that speaks no HTTP": { raw: true, server: raw("220 ready\n"), says: /cannot reach the server/ },
  "whose header never ends": {
    raw: true,
    server: (socket: Socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      const timer = setInterval(() => socket.write("X-More: more\r\n"), 50);
      socket.on("close", () => {
        clearInterval(timer);
      });
      socket.on("error", () => undefined);
    },
    says: /has sent nothing for/,
  },
  "that redirects in a circle": {
    server: (request, response) => {
      response.writeHead(302, { location: request.url ?? "/" }).end();
    },
    says: /cannot reach the server \(redirect count exceeded\)/,
  },
  "that redirects to nowhere": {
    server: answer(302, { location: "http://127.0.0.1:1/x" }),
    says: /cannot reach the server/,
  },
  "that sends a web page": {
    server: answer(200, { "content-type": "text/html" }, PAGE),
    says: /got a web page/,
  },
  "that answers 404 with a page": { server: answer(404, {}, PAGE), says: /the server answers 404/ },
  "that answers 416 to a whole request": { server: answer(416, {}), says: /the server answers 416/ },
  "that answers 204": { server: answer(204, {}), says: /expected the md5 checksum/ },
  "that sends more and more": {
    server: (_, response) => {
      response.writeHead(200);
      const more = () => {
        while (response.write(Buffer.alloc(65_536)));
      };
      response.on("drain", more);
      more();
    },
    says: /expected at most 100000 bytes, got more/,
  },
  "that says nothing": { server: () => undefined, says: /has sent nothing for/ },
  "that falls silent": {
    server: (_, response) => {
      response.writeHead(200, { "content-length": FILE.length }).write(FILE.subarray(0, HALF));
    },
    says: /has sent nothing for .* call again to continue/,
  },
  "that drips": {
    server: (_, response) => void drip(response, piecesOf(FILE, 10), 40),
  },
  "that compresses": {
    server: answer(200, { "content-encoding": "gzip" }, gzipSync(FILE)),
  },
  "that says it compresses and does not": {
    server: answer(200, { "content-encoding": "gzip" }, FILE),
    says: /interrupted after 0 bytes/,
  },
  "that continues": { part: FILE.subarray(0, HALF), server: ranged(FILE).listener },
  "that continues a compressed file": {
    part: FILE.subarray(0, HALF),
    server: (request, response) => {
      const packed = gzipSync(FILE);
      const isPart = request.headers.range !== undefined;
      response.writeHead(isPart ? 206 : 200, { "content-encoding": "gzip" });
      response.end(isPart ? packed.subarray(HALF) : packed);
    },
  },
  "that ignores where to continue": { part: FILE.subarray(0, HALF), server: answer(200, {}, FILE) },
  "that continues too early, and says so": {
    part: FILE.subarray(0, HALF),
    server: answer(206, { "content-range": `bytes 1000-4999/5000` }, FILE.subarray(1000)),
  },
  "that continues too late": {
    part: FILE.subarray(0, HALF),
    server: answer(206, { "content-range": `bytes 3000-4999/5000` }, FILE.subarray(3000)),
    says: /expected the bytes from 2500 on, got those from 3000 on/,
  },
  "whose file has changed": { part: Buffer.alloc(HALF, 7), server: ranged(FILE).listener },
  "whose file is shorter than what is there": {
    part: Buffer.concat([FILE, FILE]),
    server: (request, response) => {
      if (request.headers.range !== undefined) response.writeHead(416).end();
      else response.end(FILE);
    },
  },
  "that answers 416 because all is there": { part: FILE, server: answer(416, {}) },
};

async function address({ server, raw: isRaw }: Case): Promise<string> {
  if (isRaw !== true) return serve(server as RequestListener, "file");
  const sockets = new Set<Socket>();
  const opened = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    (server as (socket: Socket) => void)(socket);
  });
  await new Promise<void>((resolve) => opened.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    opened.close();
  });
  return `http://127.0.0.1:${(opened.address() as AddressInfo).port}/file`;
}

let [cases, faults, seconds] = [0, 0, 0];

test.each(Object.entries(CASES))("a download from a server %s", async (_name, one) => {
  const started = performance.now();
  cases += 1;
  faults += 1;
  const folder = await temporaryFolder();
  const path = join(folder, "file");
  if (one.part) await writeFile(`${path}.part`, one.part);
  const options = { checksum: CHECKSUM, patience: 0.5, maxBytes: 100_000, onWarning: () => undefined };
  const error: unknown = await download(await address(one), path, options).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (one.says === undefined) {
    expect(error).toBeUndefined();
    expect(await readFile(path)).toEqual(FILE);
    expect(await readdir(folder)).toEqual(["file"]);
  } else {
    expect(error).toBeInstanceOf(StriateError);
    expect((error as Error).message).toMatch(one.says);
    expect((await readdir(folder)).filter((name) => name !== "file.part")).toEqual([]);
    // Whatever has been left: a server that behaves gives the file.
    await download(await serve(ranged(FILE).listener, "file"), path, options);
    expect(await readFile(path)).toEqual(FILE);
  }
  faults -= 1;
  seconds += (performance.now() - started) / 1000;
});

test("every server was tried", () => {
  report({
    kind: "servers that misbehave",
    cases,
    faults,
    seconds,
    note: "the right file or one error, then the right file from another server",
  });
  expect({ cases, faults }).toEqual({ cases: Object.keys(CASES).length, faults: 0 });
});
