import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fail, root } from "../bootstrap.mjs";
import { entries } from "./reference.js";

/** The folder in which the site is assembled and built; git ignores it. */
export const SITE = join(root, "docs-site");

interface Group {
  readonly text: string;
  /** Pages of the repository, with the texts of their links. */
  readonly pages: readonly (readonly [file: string, text: string])[];
}

/** The groups of the sidebar with their pages. Every page of docs/ is in one of the groups. */
const NAVIGATION: readonly Group[] = [
  {
    text: "Start here",
    pages: [
      ["README.md", "What Striate is"],
      ["docs/start.md", "From a tensor to a KomplexNet"],
      ["docs/install.md", "Install"],
    ],
  },
  {
    text: "Tutorials",
    pages: [
      ["docs/komplexnet.md", "KomplexNet"],
      ["docs/akorn.md", "AKOrN"],
      ["docs/vonenet.md", "VOneNet"],
      ["docs/evnet.md", "EVNet"],
      ["docs/predify.md", "Predify"],
    ],
  },
  {
    text: "How to",
    pages: [
      ["docs/models.md", "Use your own network"],
      ["docs/own-images.md", "Use your own images"],
      ["docs/robustness.md", "Measure robustness"],
      ["docs/corruptions.md", "Corrupt images"],
      ["docs/browser.md", "Train in a page"],
      ["docs/page-data.md", "Load data in a page"],
      ["docs/steppers.md", "Run a system step by step"],
      ["docs/quantisation.md", "Quantise a network"],
      ["docs/explorer.md", "The explorer"],
      ["docs/drawing.md", "Draw phases, masks, boards"],
      ["docs/devices.md", "Choose a device"],
      ["docs/reliability.md", "Kills, full disks, damaged files"],
      ["docs/sweeps.md", "Many machines"],
    ],
  },
  {
    text: "Reference",
    pages: [
      ["docs/operators.md", "Operators of ONNX"],
      ["docs/cli.md", "Commands"],
      ["docs/experiments.md", "Experiments and figures"],
      ["docs/claims.md", "The papers’ claims"],
    ],
  },
  {
    text: "Inside",
    pages: [
      ["docs/architecture.md", "Architecture"],
      ["docs/engine.md", "Engine"],
      ["CONTRIBUTING.md", "Taking part"],
      ["CHANGELOG.md", "Changes"],
    ],
  },
];

const addressOf = (file: string): string => `/${file === "README.md" ? "" : file.replace(/\.md$/, "")}`;

/** Copies the pages in the navigation and the files to which they link, and writes the settings of VitePress. */
export function stagePages(): void {
  const files = NAVIGATION.flatMap(({ pages }) => pages.map(([file]) => file));
  const lost = readdirSync(join(root, "docs")).filter(
    (name) => name.endsWith(".md") && !files.includes(`docs/${name}`),
  );
  if (lost.length > 0)
    fail(`The site's navigation (scripts/docs/site.ts) leaves out docs/${lost.join(", docs/")}.`);
  mkdirSync(SITE, { recursive: true });
  for (const file of files) {
    if (!existsSync(join(root, file))) fail(`The site's navigation names ${file}, which does not exist.`);
    const target = join(SITE, file === "README.md" ? "index.md" : file);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, linksOfSite(file, readFileSync(join(root, file), "utf8"), files));
  }
  cpSync(join(root, "docs", "images"), join(SITE, "docs", "images"), { recursive: true });
  const settings = join(SITE, ".vitepress");
  cpSync(join(root, "scripts", "docs", "theme"), join(settings, "theme"), { recursive: true });
  writeFileSync(join(settings, "config.mjs"), `export default ${JSON.stringify(config(), undefined, 2)};\n`);
}

/**
 * Rewrites the links of a page for the site: the README is the start page, and a linked file of the repository that is
 * not a page is copied as text. A link to a file that does not exist ends the process.
 */
function linksOfSite(file: string, text: string, pages: readonly string[]): string {
  return text.replaceAll(
    /(\[[^\]]*\]\()([^)\s]+)(\))/g,
    (all, before: string, link: string, after: string) => {
      if (/^(https?:|#|mailto:)/.test(link)) return all;
      const [path = "", anchor] = link.split("#");
      const target = posix.normalize(posix.join(posix.dirname(file), path));
      if (!existsSync(join(root, target))) return fail(`${file} links to ${link}, which does not exist.`);
      if (target.startsWith("docs/images/")) return all;
      const hash = anchor === undefined ? "" : `#${anchor}`;
      if (pages.includes(target)) return `${before}${addressOf(target)}${hash}${after}`;
      const copy = `repository/${target}.txt`;
      mkdirSync(dirname(join(SITE, "public", copy)), { recursive: true });
      cpSync(join(root, target), join(SITE, "public", copy));
      return `${before}/${copy}${after}`;
    },
  );
}

function config(): object {
  const reference = entries().map(({ name }) => ({ text: name, link: `/reference/${name}/` }));
  return {
    title: "Striate",
    description: "Brain-inspired vision networks from TypeScript, as ONNX graphs",
    lang: "en",
    cleanUrls: false,
    metaChunk: true,
    vite: { build: { chunkSizeWarningLimit: 100_000 } },
    markdown: { theme: { light: "github-light", dark: "github-dark" } },
    themeConfig: {
      search: { provider: "local" },
      outline: { level: [2, 3] },
      nav: [
        { text: "Start", link: "/docs/start" },
        { text: "Operators", link: "/docs/operators" },
        { text: "Commands", link: "/docs/cli" },
        { text: "Reference", link: "/reference/" },
      ],
      sidebar: [
        ...NAVIGATION.map(({ text, pages }) => ({
          text,
          collapsed: false,
          items: pages.map(([file, words]) => ({ text: words, link: addressOf(file) })),
        })),
        { text: "Every export", collapsed: false, items: reference },
      ],
    },
  };
}
