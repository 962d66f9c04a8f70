import { createReadStream, existsSync } from "node:fs";
import { access, constants } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import sirv from "sirv";
import type { ExplorerView } from "../experiments/explorer-views.js";
import { StriateError, check } from "../util/errors.js";
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
 * @param model path of a network that is served beside the page, under {@link networkAddress}
 * @throws StriateError if the folder has no page, if onnxruntime-web is not installed, or if the port cannot be used
 */
export async function serveSite(site: string, port: number, model?: string): Promise<SiteServer> {
  if (!existsSync(join(site, "index.html"))) {
    throw new StriateError(
      `the explorer: expected its page in ${site}, found none; in a clone of Striate, npm run explorer builds it`,
    );
  }
  const pages = sirv(site);
  const shared = { wasm: sirv(join(peerFolder("onnxruntime-web"), "dist")), safetensors: sirv(PRETRAINED) };
  const server = createServer((request, response) => {
    const missing = () => void response.writeHead(404).end("not found");
    if (model !== undefined && request.url === networkAddress(model)) {
      sendNetwork(model, request, response);
      return;
    }
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

/** The path under which the page finds a network. */
const networkAddress = (model: string): string => `/network/${encodeURIComponent(basename(model))}`;

/** Sends the network, only to pages of this machine: the name in the request tells them from those that a foreign name led here. */
function sendNetwork(model: string, request: IncomingMessage, response: ServerResponse): void {
  if (!/^(?:127\.0\.0\.1|localhost)(?::\d+)?$/.test(request.headers.host ?? "")) {
    response.writeHead(403).end("not from this machine");
    return;
  }
  const file = createReadStream(model);
  file.on("error", () => {
    if (!response.headersSent) response.writeHead(404);
    response.end();
  });
  file.once("open", () => {
    response.writeHead(200, { "content-type": "application/octet-stream", "cache-control": "no-store" });
    file.pipe(response);
  });
}

export interface ExploreOptions {
  readonly port: number;
  /** Path of an .onnx file, which the view of Predify opens. Default: none. */
  readonly model?: string;
  /** The view whose address is printed. Default: the first. */
  readonly view?: ExplorerView;
}

/**
 * Serves the explorer until Ctrl-C.
 *
 * @throws StriateError as {@link serveSite} does, and for a network that is no readable .onnx file, or another view than Predify's
 */
export async function explore({ port, view, model }: ExploreOptions, streams: Streams): Promise<void> {
  if (model !== undefined) await checkNetwork(model, view);
  const server = await serveSite(SITE, port, model);
  const query = new URLSearchParams({
    ...(view !== undefined && { view }),
    ...(model !== undefined && { view: "predify", network: basename(model) }),
  }).toString();
  const address = query === "" ? server.url : `${server.url}?${query}`;
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

async function checkNetwork(model: string, view: ExplorerView | undefined): Promise<void> {
  check(model.endsWith(".onnx"), () => `the network: expected a name that ends in .onnx, got "${model}"`);
  check(
    view === undefined || view === "predify",
    () => `--view: only the view predify opens a network, got ${view!}`,
  );
  await access(model, constants.R_OK).catch((error: unknown) => {
    throw new StriateError(
      `"${model}": expected a file that can be read, got ${errorCode(error) ?? "an error"}`,
      {
        cause: error,
      },
    );
  });
}
