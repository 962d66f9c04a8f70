import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.js";
import { readImage, writePng } from "../../src/data/images/images-node.js";
import { resizeAndCrop } from "../../src/data/images/resize.js";
import { crop } from "../../src/data/images/rgb-image.js";
import { textSize } from "../../src/report/pixel-font.js";
import { CORRUPTIONS, corrupt } from "../../src/robustness/corruptions/index.js";
import { testPicture, constantPicture } from "../robustness/pictures.js";
import { temporaryFolder } from "../support/folders.js";
import { captured } from "./streams.js";

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const { streams, out, err } = captured();
  const status = await runCommandLine(["corrupt", ...args], streams);
  return { status, out: out(), err: err() };
}

async function pictureFile(): Promise<{ folder: string; file: string }> {
  const folder = await temporaryFolder();
  const file = join(folder, "bird.png");
  await writePng(file, testPicture(90, 70));
  return { folder, file };
}

describe("striate corrupt", () => {
  it("writes a contact sheet of all corruptions", async () => {
    const { folder, file } = await pictureFile();
    const out = join(folder, "sheet.png");
    const { status, out: text } = await run(file, "--all", "--size", "32", "--cell", "32", "--out", out);
    expect(status).toBe(0);
    expect(text).toContain(
      "19 corruptions, 95 images of 32 x 32, seed 0, not re-encoded, computed frost textures",
    );
    const sheet = await readImage(out);
    expect(sheet.height).toBeGreaterThan(CORRUPTIONS.length * 36);
    // The last cell of the last row is the corrupted image itself.
    const left = 12 + textSize("frost (procedural)", 2).width + 8;
    const last = crop(sheet, left + 5 * 36, sheet.height - 12 - 36, 32, 32);
    const original = resizeAndCrop(testPicture(90, 70), 32);
    expect(last).toEqual(corrupt(original, "saturate", 5));
  });

  it("writes chosen corruptions as files of their own", async () => {
    const { folder, file } = await pictureFile();
    const ice = join(folder, "ice");
    await mkdir(ice);
    await writePng(join(ice, "white.png"), constantPicture(300, [255, 255, 255]));
    await writeFile(join(ice, "readme.txt"), "not an image");
    const each = join(folder, "each");
    const common = ["--size", "64", "--seed", "5", "--reencode", "off", "--out", join(folder, "s.png")];
    const { status, out, err } = await run(
      file, "--corruptions", "frost,motion-blur", "--severities", "1,4-5", "--each", each, "--frost", ice, ...common,
    ); // prettier-ignore
    expect([status, err]).toEqual([0, ""]);
    expect(out).toContain("2 corruptions, 6 images of 64 x 64, seed 5, not re-encoded\n");
    expect((await readdir(each)).sort()).toEqual([
      "bird-frost-1.png", "bird-frost-4.png", "bird-frost-5.png",
      "bird-motion_blur-1.png", "bird-motion_blur-4.png", "bird-motion_blur-5.png",
    ]); // prettier-ignore
    const original = resizeAndCrop(testPicture(90, 70), 64);
    const expected = corrupt(original, "motion_blur", 4, { seed: 5, reencode: false });
    expect(await readImage(join(each, "bird-motion_blur-4.png"))).toEqual(expected);
  });

  it.each([
    [[], "expected either --all or --corruptions with names"],
    [["--all", "--corruptions", "fog"], "expected either --all or --corruptions with names"],
    [["--corruptions", "fogg"], 'Unknown corruption "fogg": expected one of'],
    [["--all", "--severities", "0-3"], "Expected severities from 1 to 5, such as 1-5 or 1,3."],
    [["--all", "--severities", "4-2"], "Expected severities from 1 to 5"],
    [["--all", "--size", "128"], 'Unknown size "128": expected one of 224, 64, 32'],
    [["--all", "--reencode", "120"], "Expected a JPEG quality from 1 to 100, or off."],
    [["--all", "--out", "sheet.jpg"], '--out: expected a name that ends in .png, got "sheet.jpg"'],
    [["--all", "--frost", "/no/such/folder"], "there is no such file or folder"],
  ])("refuses %j", async (args, message) => {
    const { file } = await pictureFile();
    const { status, err } = await run(file, ...args);
    expect(status).toBe(1);
    expect(err).toContain(message);
  });

  it("names an image that cannot be read", async () => {
    const { folder } = await pictureFile();
    expect((await run(join(folder, "none.jpg"), "--all")).err).toContain("none.jpg");
    await writeFile(join(folder, "text.jpg"), "no image");
    expect((await run(join(folder, "text.jpg"), "--all")).err).toContain("cannot be read as an image");
  });
});
