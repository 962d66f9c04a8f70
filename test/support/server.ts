import type { RequestListener, Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** Serves on this machine until the test ends; gives the address of a file there. */
export async function serve(listener: RequestListener, file: string): Promise<string> {
  const { url, close } = await listen(listener);
  onTestFinished(close);
  return `${url}${file}`;
}

/** Serves on this machine until `close`. */
export async function listen(listener: RequestListener): Promise<{ url: string; close: () => void }> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Serves bytes and understands ranges; breaks off after `cut` bytes of the first answer. */
export function ranged(
  bytes: Buffer,
  cut?: number,
): { listener: RequestListener; ranges: (string | undefined)[] } {
  const ranges: (string | undefined)[] = [];
  return {
    ranges,
    listener: (request, response) => {
      ranges.push(request.headers.range);
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      if (from >= bytes.length) {
        response.writeHead(416).end();
        return;
      }
      response.writeHead(from > 0 ? 206 : 200, { "content-length": bytes.length - from });
      if (cut === undefined || ranges.length > 1) response.end(bytes.subarray(from));
      else {
        // The client must have the first bytes before the connection breaks: a reset may drop what it has not read.
        response.write(bytes.subarray(0, cut));
        setTimeout(() => response.destroy(), 300);
      }
    },
  };
}
