import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { stalePeers } from "../../scripts/docs/peer-versions.js";
import { pages, readPage } from "../../scripts/docs/snippets.js";

const root = new URL("../../", import.meta.url);

/** Links of a page to files of the repository and to headings. */
function linksOf(text: string): { readonly path: string; readonly heading: string | undefined }[] {
  const links = text.matchAll(/\[[^\]]*\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g);
  return Array.from(links, ([, path = "", heading]) => ({ path, heading }));
}

/** The names that headings of a page have in links, as forges and the site make them. */
function headingsOf(text: string): string[] {
  const headings = text.replaceAll(/^```[^]*?^```/gm, "").matchAll(/^#+ (.*)$/gm);
  return Array.from(headings, ([, words]) =>
    words!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(/\s/g, "-"),
  );
}

describe("documentation", () => {
  it.each([...pages(), "CHANGELOG.md", "findings/README.md"])(
    "%s links to files and headings that exist",
    (page) => {
      const broken = linksOf(readPage(page)).filter(({ path, heading }) => {
        const target = new URL(path === "" ? page : new URL(path, new URL(page, root)).href, root);
        if (!existsSync(target)) return true;
        if (heading === undefined || !target.pathname.endsWith(".md")) return heading !== undefined;
        return !headingsOf(readPage(target.pathname.slice(root.pathname.length))).includes(heading);
      });
      expect(broken).toEqual([]);
    },
  );

  it("tells a peer that has a newer version than the README's table", () => {
    const readme = readPage("README.md");
    const stated = (name: string) =>
      ({ "@tensorflow/tfjs": "4.22.0", "@jax-js/jax": "0.1.25", "@jax-js/onnx": "0.1.2" })[name]!;
    expect(stalePeers(readme, stated)).toEqual([]);
    const newer = (name: string) => (name === "@jax-js/jax" ? "0.2.0" : stated(name));
    expect(stalePeers(readme, newer)).toEqual(["jax-js: the README names @jax-js/jax 0.1.25, npm has 0.2.0"]);
    expect(() => stalePeers("no table", stated)).toThrow('expected a version after "TensorFlow.js"');
  });
});
