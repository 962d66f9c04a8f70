import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { IMAGENET_CLASSES, parseClassNames, placesOf } from "../../../src/data/images/class-names.js";
import { readClassOrder } from "../../../src/data/sets/named-images-node.js";
import { temporaryFolder } from "../../support/folders.js";

const tench = { name: "tench, Tinca tinca", synset: "n01440764" };
const goldfish = { name: "goldfish", synset: "n01443537" };

describe("names of classes", () => {
  it.each([
    ["cat\ndog\n", [{ name: "cat" }, { name: "dog" }]],
    ["\ufeffcat\r\ndog", [{ name: "cat" }, { name: "dog" }]],
    ["n01440764 tench, Tinca tinca\nn01443537 goldfish", [tench, goldfish]],
    ["n01440764\nn01443537", ["n01440764", "n01443537"].map((id) => ({ name: id, synset: id }))],
    ["0: cat\n1: dog", [{ name: "cat" }, { name: "dog" }]],
    ["1\tcat\n2\tdog", [{ name: "cat" }, { name: "dog" }]],
    ["0\n1\n2", [{ name: "0" }, { name: "1" }, { name: "2" }]],
    ["3 cats\n4 dogs", [{ name: "3 cats" }, { name: "4 dogs" }]],
    ["1,dog\n0,cat\n", [{ name: "cat" }, { name: "dog" }]],
    ["dog,2\ncat,1\n", [{ name: "cat" }, { name: "dog" }]],
    ['[{"id": 1, "name": "dog"}, {"id": 0, "name": "cat"}]', [{ name: "cat" }, { name: "dog" }]],
    ['[[1, "dog"], ["0", "cat"]]', [{ name: "cat" }, { name: "dog" }]],
    ['["cat", "dog"]', [{ name: "cat" }, { name: "dog" }]],
    ['{"1": ["n01443537", "goldfish"], "0": ["n01440764", "tench, Tinca tinca"]}', [tench, goldfish]],
    ['{"dog": 1, "cat": 0}', [{ name: "cat" }, { name: "dog" }]],
    ['{"0": {"name": "goldfish", "wnid": "n01443537"}}', [goldfish]],
  ])("are read from %j", (text, expected) => {
    expect(parseClassNames(text, "list")).toEqual(expected);
  });

  it.each([
    ["", /list: expected names of classes, found none/],
    ["cat\n\ndog", /got an empty line 2/],
    ['{"0": "cat", "2": "dog"}', /expected the numbers 0 to 1, but no class has the number 1/],
    ['{"cat": "first"}', /"cat": expected the number of its output, got "first"/],
    ["[1, 2]", /entry 0: expected a name/],
    ["0,cat\n2,dog", /list: expected consecutive numbers from 0 or 1, each once, got 0, 2/],
    ["cat,1\ndog,1", /each once, got 1, 1/],
    [
      '[{"id": 1, "name": "dog"}, {"name": "cat"}]',
      /entry 1: expected a number, as in other entries, got none/,
    ],
    ["{", /list is not valid JSON/],
  ])("are refused in %j", (text, message) => {
    expect(() => parseClassNames(text, "list")).toThrow(message);
  });

  it("are found by id or name, and never guessed", () => {
    const order = { from: "list.txt", classes: [tench, goldfish, { name: "crane" }, { name: "crane" }] };
    expect(placesOf([goldfish, { name: "Tinca_tinca" }], order, "data")).toEqual([1, 0]);
    expect(() => placesOf([{ name: "goldfisch" }], order, "data")).toThrow(
      /data: "goldfisch" is none of the 4 classes .* of list.txt \(did you mean goldfish\?\)/,
    );
    expect(() => placesOf([{ name: "crane" }], order, "data")).toThrow(
      "the name of both output 2 and output 3 of list.txt",
    );
  });

  it("of ImageNet come with Striate, other files are read", async () => {
    expect(IMAGENET_CLASSES).toHaveLength(1000);
    expect(new Set(IMAGENET_CLASSES.map(({ synset }) => synset)).size).toBe(1000);
    expect((await readClassOrder("imagenet")).classes[1]).toEqual(goldfish);
    expect((await readClassOrder("imagenet", 1001)).classes[2]).toEqual(goldfish);
    const picture = join(await temporaryFolder(), "names.png");
    await writeFile(picture, Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0xff, 0x00));
    await expect(readClassOrder(picture)).rejects.toThrow(
      "expected a list of classes as text (UTF-8) or JSON",
    );
    const path = join(await temporaryFolder(), "names.txt");
    await writeFile(path, "cat\ndog");
    expect(await readClassOrder(path)).toEqual({
      from: "names.txt",
      classes: [{ name: "cat" }, { name: "dog" }],
    });
    await expect(readClassOrder(`${path}x`)).rejects.toThrow("Could not read the list of classes");
  });
});
