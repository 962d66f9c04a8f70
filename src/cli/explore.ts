import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sirv from "sirv";
import type { ExplorerView } from "../experiments/explorer-views.js";
import { StriateError } from "../util/errors.js";
import { errorCode } from "../util/files-node.js";
import { peerFolder } from "../util/peers-node.js";
import { SITE } from "./explorer-site.js";
import { listenForInterrupt } from "./terminal/interrupt.js";
import type { Streams } from "./terminal/streams.js";

/** Only programs on this machine can connect. */
const HOST = "127.0.0.1";

/** The weights of the trained networks of this package. */
const PRETRAINED = fileURLToPath(new URL("../../pretrained/", import.meta.url));

/**
 * The name of a file of ONNX Runtime, or of the weights of a network, in the built explorer, where Vite adds a hash to
 * the end of the name. The package does not contain these files a second time: they are served from onnxruntime-web and
 * from `pretrained/`.
 */
const SHARED_FILE = /^\/assets\/(?<name>[\w.-]+?)-[\w-]{8}\.(?<ending>wasm|safetensors)$/;

export interface SiteServer {
  /** The address to open, such as "http://127.0.0.1:4173/". */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves a built explorer to this machine alone.
 *
 * @param port port to listen on; 0 stands for any free port
 * @throws StriateError if the folder has no page, if onnxruntime-web is not installed, or if the port cannot be used
 */
export async function serveSite(site: string, port: number): Promise<SiteServer> {
  if (!existsSync(join(site, "index.html"))) {
    throw new StriateError(
      `the explorer: expected its page in ${site}, found none; in a clone of Striate, npm run explorer builds it`,
    );
  }
  const pages = sirv(site);
  const shared = { wasm: sirv(join(peerFolder("onnxruntime-web"), "dist")), safetensors: sirv(PRETRAINED) };
  const server = createServer((request, response) => {
    const missing = () => void response.writeHead(404).end("not found");
    pages(request, response, () => {
      const { name, ending } = SHARED_FILE.exec(request.url ?? "")?.groups ?? {};
      if (name === undefined) {
        missing();
        return;
      }
      request.url = `/${name}.${ending!}`;
      shared[ending as keyof typeof shared](request, response, missing);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const taken = errorCode(error) === "EADDRINUSE";
      const why = taken ? "another program uses it; choose another port with --port" : error.message;
      reject(new StriateError(`port ${port}: ${why}`, { cause: error }));
    });
    server.listen(port, HOST, resolve);
  });
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

export interface ExploreOptions {
  readonly port: number;
  /** The view whose address is printed. Default: the first. */
  readonly view?: ExplorerView;
}

/** Serves the explorer until Ctrl-C. */
export async function explore({ port, view }: ExploreOptions, streams: Streams): Promise<void> {
  const server = await serveSite(SITE, port);
  const address = view === undefined ? server.url : `${server.url}?view=${view}`;
  streams.out.write(`The explorer is at ${address} (Ctrl-C ends it).\n`);
  await new Promise<void>((resolve) => {
    const interrupt = listenForInterrupt({
      onStop: () => {
        interrupt.dispose();
        resolve();
      },
      onQuit: resolve,
    });
  });
  await server.close();
}
