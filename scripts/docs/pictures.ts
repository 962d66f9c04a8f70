// npm run docs:pictures EXPERIMENT=FOLDER...: takes the pictures of the README and the docs from the reports of finished
// runs. Each FOLDER is one that `striate run EXPERIMENT` wrote.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { fail, root } from "../bootstrap.mjs";

/** What is photographed on a report, and the file in docs/images/. */
const PICTURES: Readonly<Record<string, { readonly file: string; readonly selector: string }>> = {
  "overlapping-digits": { file: "komplexnet.png", selector: ".player" },
  "object-discovery": { file: "akorn.png", selector: "#tetrominoes-fields figure" },
  "v1-sampling": { file: "vonenet.png", selector: "#filters figure:nth-of-type(3)" },
  "predictive-coding": { file: "predify.png", selector: "#reconstructions figure:nth-of-type(2)" },
};

const WIDTH = 960;

const runs = process.argv.slice(2);
if (runs.length === 0) fail("Which runs? npm run docs:pictures EXPERIMENT=FOLDER...");
const executablePath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium"].find(
  (path) => path && existsSync(path),
);
const browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ["--no-sandbox"] });
try {
  for (const run of runs) {
    const [experiment = "", folder = ""] = run.split("=");
    const picture = PICTURES[experiment];
    const report = join(resolve(folder), "report.html");
    if (picture === undefined)
      fail(`Expected a run of ${Object.keys(PICTURES).join(", ")}, got ${experiment}`);
    if (!existsSync(report)) fail(`There is no ${report}`);
    const page = await browser.newPage({ viewport: { width: WIDTH, height: 900 }, reducedMotion: "reduce" });
    await page.goto(pathToFileURL(report).href);
    const element = page.locator(picture.selector).first();
    await element.scrollIntoViewIfNeeded();
    await page.waitForFunction(() => Array.from(document.images, ({ complete }) => complete));
    const shot = await element.screenshot();
    const file = join(root, "docs", "images", picture.file);
    await sharp(shot).png({ palette: true, quality: 90, effort: 10 }).toFile(file);
    console.log(`${experiment}: ${file}`);
    await page.close();
  }
} finally {
  await browser.close();
}
