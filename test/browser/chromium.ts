import { createReadStream, existsSync } from "node:fs";
import type { RequestListener } from "node:http";
import { extname, join, normalize } from "node:path";
import type { Browser, Page } from "playwright-core";
import { chromium } from "playwright-core";
import type { TestContext } from "vitest";
import { afterAll, onTestFinished } from "vitest";
import { listen, serve } from "../support/server.js";

const executablePath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  (path) => path !== undefined && existsSync(path),
);

/** Skips a test where there is no Chromium, and says so. */
export function needsChromium(context: TestContext): void {
  if (executablePath !== undefined) return;
  console.log("skipped: no Chromium found (set CHROMIUM_PATH)");
  context.skip();
}

/** Milliseconds that a test waits for a page before it fails, a little less than the time limit of a test. */
export const LIMIT = 500_000;

/** Flags that give an adapter, and pictures of a WebGPU canvas, on a machine without a graphics card. */
const SWIFTSHADER = [
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--enable-unsafe-webgpu",
  "--ignore-gpu-blocklist",
  "--enable-gpu",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
];

export interface OpenPage {
  readonly page: Page;
  /** Errors of scripts, and requests that failed or were answered by an error. */
  readonly problems: string[];
  /** The value of a property of the page's window, once it is there. */
  readonly result: <T>(name: string) => Promise<T>;
}

export interface OpenOptions {
  /** Whether WebGPU runs, in software. */
  readonly webgpu?: boolean;
  /** Whether the page is asked to move as little as possible, which saves the processor's time. */
  readonly still?: boolean;
  /** Whether the page may have a service worker; the one of the explorer fetches the whole site for later. */
  readonly serviceWorker?: boolean;
}

const browsers = new Map<boolean, Promise<Browser>>();
afterAll(() => Promise.all(Array.from(browsers.values(), async (browser) => (await browser).close())));

/** The Chromium of this test file, with WebGPU or without: its start takes almost a second of the processor. */
async function browserOf(webgpu: boolean): Promise<Browser> {
  const running = await browsers.get(webgpu);
  if (running?.isConnected() === true) return running;
  const browser = chromium.launch({
    executablePath: executablePath!,
    args: ["--no-sandbox", "--disable-background-networking", ...(webgpu ? SWIFTSHADER : ["--disable-gpu"])],
  });
  browsers.set(webgpu, browser);
  return browser;
}

/** Opens an address in a page that shares no storage and no cache with others, and is closed with the test. */
export async function openPage(url: string, options: OpenOptions = {}): Promise<OpenPage> {
  const opened = await openLastingPage(url, options);
  onTestFinished(() => opened.page.context().close());
  return opened;
}

/** A page like that of {@link openPage}, which stays until the end of the test file or until its context is closed. */
export async function openLastingPage(url: string, options: OpenOptions = {}): Promise<OpenPage> {
  const browser = await browserOf(options.webgpu === true);
  const context = await browser.newContext({
    reducedMotion: options.still === true ? "reduce" : null,
    serviceWorkers: options.serviceWorker === true ? "allow" : "block",
  });
  context.setDefaultTimeout(LIMIT);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("requestfailed", (request) => problems.push(`${request.url()} failed`));
  page.on("response", (response) => {
    if (response.status() >= 400 && !response.url().endsWith("favicon.ico"))
      problems.push(`${response.url()}: ${response.status()}`);
  });
  await page.goto(url);
  return {
    page,
    problems,
    result: async <T>(name: string) => {
      // A script that failed never gives a result.
      await page.waitForFunction(`window.${name} !== undefined || window.failed !== undefined`);
      const failed = await page.evaluate<string | undefined>("window.failed");
      if (failed !== undefined) throw new Error(`the page failed: ${failed}`);
      return page.evaluate<T>(`window.${name}`);
    },
  };
}

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".png": "image/png",
  ".wasm": "application/wasm",
};

/** Serves a folder to this machine alone, until the test ends; `pages` are served besides, by their paths. */
export async function serveFolder(
  folder: string,
  pages: Readonly<Record<string, string>> = {},
): Promise<string> {
  return serve(filesOf(folder, pages), "");
}

/** Serves a folder like {@link serveFolder}, until `close`. */
export const serveLasting = (folder: string): ReturnType<typeof listen> => listen(filesOf(folder, {}));

const filesOf =
  (folder: string, pages: Readonly<Record<string, string>>): RequestListener =>
  (request, response) => {
    const path = normalize(decodeURIComponent((request.url ?? "/").split("?")[0]!));
    const page = pages[path];
    const file = join(folder, path === "/" ? "index.html" : path);
    if (page !== undefined) response.writeHead(200, { "content-type": "text/html" }).end(page);
    else if (existsSync(file)) {
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
      createReadStream(file).pipe(response);
    } else response.writeHead(404).end();
  };
