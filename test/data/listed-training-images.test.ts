import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { indexTar, readRange } from "../../src/data/formats/tar-index-node.js";
import { parseCsv } from "../../src/data/images/sources/csv-images-node.js";
import { writePng } from "../../src/data/images/images-node.js";
import { namedImages } from "../../src/data/sets/named-images-node.js";
import { trainingParts } from "../../src/data/sets/training-parts-node.js";
import { temporaryFolder } from "../support/folders.js";
import { tar } from "../support/tar.js";

const text = (value: string) => new TextEncoder().encode(value);

/** A PNG of one colour. */
async function png(path: string, red: number): Promise<Uint8Array> {
  await writePng(path, {
    width: 2,
    height: 2,
    data: Uint8Array.from({ length: 12 }, (_, i) => (i % 3 === 0 ? red : 0)),
  });
  return readFile(path);
}

describe("tar shards", () => {
  it("are one data set with parts, whose images are read where they lie", async () => {
    const root = await temporaryFolder();
    for (const i of [0, 1, 2, 3, 4, 5]) {
      await png(join(root, `${i}.png`), 10 * i);
      await writeFile(join(root, `${i}.cls`), String(i % 2));
    }
    const pack = (name: string, chosen: number[]) =>
      Promise.all(
        chosen
          .flatMap((i) => [`${i}.png`, `${i}.cls`])
          .map(async (file) => ({ name: file, bytes: await readFile(join(root, file)) })),
      ).then((entries) => writeFile(join(root, name), tar(entries)));
    await pack("train-0.tar", [0, 1]);
    await pack("train-1.tar", [2, 3]);
    await pack("val-0.tar", [4, 5]);
    await writeFile(join(root, "classes.txt"), "cat\ndog\n");
    const train = await namedImages(root, { split: "train" });
    expect([train.count, [...train.labels], train.classes]).toEqual([4, [0, 1, 0, 1], ["cat", "dog"]]);
    expect(train.nameOf(2)).toBe("train-1.tar/2.png");
    expect((await train.read(3)).data[0]).toBe(30);
    expect(await train.bytes!(3)).toEqual(Uint8Array.from(await readFile(join(root, "3.png"))));
    const parts = await trainingParts(root, { validation: 0.3 });
    expect([parts.test.count, parts.train.count + parts.validation.count]).toEqual([2, 4]);
    expect((await namedImages(root)).count).toBe(2);
  });

  it.each(["gnu", "pax", "ustar"])("of tar's format %s are read, with long names", async (format) => {
    const root = await temporaryFolder();
    const folder = format === "ustar" ? "short" : "a-very-long-name-of-a-folder-".repeat(5);
    await mkdir(join(root, folder), { recursive: true });
    await writeFile(join(root, folder, "text.txt"), "what it says");
    execFileSync("tar", [`--format=${format}`, "-cf", join(root, "x.tar"), "-C", root, folder]);
    const entries = await indexTar(join(root, "x.tar"));
    expect(entries.map(({ name }) => name)).toEqual([`${folder}/text.txt`]);
    expect(new TextDecoder().decode(await readRange(join(root, "x.tar"), entries[0]!))).toBe("what it says");
  });

  it("say what is wrong with them", async () => {
    const root = await temporaryFolder();
    const path = join(root, "train-0.tar");
    const image = { name: "0.png", bytes: await png(join(root, "0.png"), 1) };
    await writeFile(path, tar([image]));
    await expect(namedImages(root)).rejects.toThrow(/expected a label "0.cls" beside "0.png"/);
    await writeFile(path, tar([image, { name: "0.cls", bytes: text("cat") }]));
    await expect(namedImages(root)).rejects.toThrow(/"0.cls": expected the number of a class, got "cat"/);
    const whole = tar([image, { name: "0.cls", bytes: text("7") }]);
    await writeFile(path, whole.subarray(0, 600));
    await expect(namedImages(root)).rejects.toThrow(/is cut off/);
    await writeFile(
      path,
      Uint8Array.from(whole, (byte, i) => (i === 3 ? byte + 1 : byte)),
    );
    await expect(namedImages(root)).rejects.toThrow(/expected the header of a file at byte 0/);
    await writeFile(path, whole);
    await writeFile(join(root, "classes.txt"), "only one\n");
    await expect(namedImages(root)).rejects.toThrow(/names for the classes 0 to 7 of the shards, got 1/);
  });
});

describe("a list of images", () => {
  it("gives files, labels and parts", async () => {
    const root = await temporaryFolder();
    for (const i of [0, 1, 2, 3, 4]) await png(join(root, `${i}.png`), 10 * i);
    const list = join(root, "list.csv");
    await writeFile(
      list,
      'filename,label,split\r\n0.png,"dog, brown",train\r\n1.png,cat,train\n\n2.png,cat,test\n3.png,cat,train\n4.png,"dog, brown",train\n',
    );
    const train = await namedImages(list, { split: "train" });
    expect([train.count, train.classes, [...train.labels]]).toEqual([4, ["cat", "dog, brown"], [1, 0, 0, 1]]);
    expect((await train.read(3)).data[0]).toBe(40);
    const parts = await trainingParts(list, { validation: 0.3 });
    expect([parts.test.count, parts.train.count + parts.validation.count]).toEqual([1, 4]);
  });

  it("says what is wrong with it", async () => {
    const root = await temporaryFolder();
    const list = join(root, "list.csv");
    const fails = async (content: string, expected: RegExp) => {
      await writeFile(list, content);
      await expect(namedImages(list)).rejects.toThrow(expected);
    };
    await fails("a,b\n1,2\n", /expected a column file in its first line, got a, b/);
    await fails("file\n1.png\n", /expected a column label/);
    await fails("file,label\n1.png\n", /row 1: expected 2 columns, got 1/);
    await fails(
      "file,label\n../1.png,cat\n",
      /row 1: expected a file inside the folder of the list, got "..\/1.png"/,
    );
    await fails("file,label\n1.png,\n", /row 1: expected a label for "1.png", got none/);
    await fails("file,label\n", /expected rows, found none/);
    await fails('file,label\n"1.png,cat\n', /a quotation mark is not closed/);
  });

  it("is CSV with quotes, quotes in quotes, and line ends of any kind", () => {
    expect(parseCsv('\uFEFFa,b\r\n"x ""y"", z",\r"1\n2",3', "list")).toEqual([
      ["a", "b"],
      ['x "y", z', ""],
      ["1\n2", "3"],
    ]);
  });
});
