// npm run docs: builds the site of the documentation in docs-site/.vitepress/dist. It fails on broken links, exports
// without a doc comment, snippets that do not compile, and any warning of the tools, and names each of them.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { bootstrap, fail, root } from "../bootstrap.mjs";
import { writeReference } from "./reference.js";
import { SITE, stagePages } from "./site.js";
import { compileErrors } from "./snippets.js";

/** A warning of VitePress or Vite, but not the word "warning" in the name of a page. */
const WARNING = /\bwarn(ing)?\b|\(!\)|is not loaded, falling back/i;

bootstrap();
const wrong = compileErrors();
if (wrong.length > 0) fail(`Snippets do not compile:\n${wrong.join("\n")}`);

rmSync(SITE, { recursive: true, force: true });
stagePages();
await writeReference(join(SITE, "reference"));

const vitepress = join(root, "node_modules", "vitepress", "bin", "vitepress.js");
const build = spawnSync(process.execPath, [vitepress, "build", SITE], { encoding: "utf8" });
process.stdout.write(build.stdout);
process.stderr.write(build.stderr);
if (build.status !== 0) fail("VitePress failed: see the errors above.");
const warning = `${build.stdout}\n${build.stderr}`.split("\n").find((line) => WARNING.test(line));
if (warning !== undefined) fail(`VitePress warned: ${warning}`);
