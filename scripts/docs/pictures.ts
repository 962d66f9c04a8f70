// npm run docs:pictures EXPERIMENT=FOLDER...: takes the pictures of the README and the docs from the reports of finished
// runs. Each FOLDER is one that `striate run EXPERIMENT` wrote; explorer=explorer-site photographs the built explorer.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { serveSite } from "../../src/cli/explore.js";
import { fail, root } from "../bootstrap.mjs";

/** What is photographed on a report, and the file in docs/images/. */
const PICTURES: Readonly<Record<string, { readonly file: string; readonly selector: string }>> = {
  "overlapping-digits": { file: "komplexnet.png", selector: ".player" },
  "object-discovery": { file: "akorn.png", selector: "#tetrominoes-fields figure" },
  "v1-sampling": { file: "vonenet.png", selector: "#filters figure:nth-of-type(3)" },
  "predictive-coding": { file: "predify.png", selector: "#reconstructions figure:nth-of-type(2)" },
};

/** Views of the explorer, the files of their pictures, and the pixels that are kept. */
const VIEWS = [
  { address: "", file: "explorer-komplexnet.png", height: 1100 },
  { address: "?view=akorn#timesteps=14&scramble=7&speed=10", file: "explorer-akorn.png", height: 1090 },
  { address: "?view=sudoku#speed=30&cell=66", file: "explorer-sudoku.png", height: 1150 },
  { address: "?view=predify#speed=10", file: "explorer-predify.png", height: 1170 },
  { address: "?view=v1", file: "explorer-v1.png", height: 1340 },
] as const;

/** Milliseconds after which each view has played what it computed. */
const SETTLED = 10_000;

const WIDTH = 960;

async function save(shot: Uint8Array, file: string): Promise<void> {
  const path = join(root, "docs", "images", file);
  await sharp(shot).png({ palette: true, quality: 90, effort: 10 }).toFile(path);
  console.log(path);
}

async function photographExplorer(browser: Browser, site: string): Promise<void> {
  const server = await serveSite(site, 0);
  for (const { address, file, height } of VIEWS) {
    const page = await browser.newPage({ viewport: { width: 1200, height } });
    await page.goto(server.url + address);
    await page.waitForFunction(() => document.querySelector(".facts")?.textContent.includes(" ms "));
    await page.waitForTimeout(SETTLED);
    await save(await page.screenshot(), file);
    await page.close();
  }
  await server.close();
}

const runs = process.argv.slice(2);
if (runs.length === 0) fail("Which runs? npm run docs:pictures EXPERIMENT=FOLDER...");
const executablePath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium"].find(
  (path) => path && existsSync(path),
);
const browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ["--no-sandbox"] });
try {
  for (const run of runs) {
    const [experiment = "", folder = ""] = run.split("=");
    if (experiment === "explorer") {
      await photographExplorer(browser, resolve(folder));
      continue;
    }
    const picture = PICTURES[experiment];
    const report = join(resolve(folder), "report.html");
    if (picture === undefined)
      fail(`Expected ${[...Object.keys(PICTURES), "explorer"].join(", ")}, got ${experiment}`);
    if (!existsSync(report)) fail(`There is no ${report}`);
    const page = await browser.newPage({ viewport: { width: WIDTH, height: 900 }, reducedMotion: "reduce" });
    await page.goto(pathToFileURL(report).href);
    const element = page.locator(picture.selector).first();
    await element.scrollIntoViewIfNeeded();
    await page.waitForFunction(() => Array.from(document.images, ({ complete }) => complete));
    await save(await element.screenshot(), picture.file);
    await page.close();
  }
} finally {
  await browser.close();
}
