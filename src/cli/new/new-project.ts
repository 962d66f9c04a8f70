import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { shellWord } from "../../util/command-words.js";
import { check } from "../../util/errors.js";
import { ensureFolder, writeFileAtomic } from "../../util/files-node.js";
import { packageFacts } from "../../util/package-facts-node.js";
import { unknownName } from "../../util/suggest.js";
import type { Streams } from "../terminal/streams.js";
import type { TemplateName } from "./templates.js";
import { TEMPLATES } from "./templates.js";

const FOLDER = fileURLToPath(new URL("../../../templates/", import.meta.url));

/** The version of Striate in the package.json of a template. */
const PLACEHOLDER = '"striate": "latest"';

/** What to type after `npm install`, by template. */
const NEXT: Readonly<Record<TemplateName, readonly string[]>> = {
  page: ["npm start"],
  node: ["npm start"],
  images: ["npm run images", "npm start"],
  system: ["npm test", "npm start"],
};

/**
 * Writes the files of a template into a folder. The project gets the version of Striate that writes it.
 *
 * @throws StriateError for an unknown template, and for a folder that has files
 */
export async function newProject(template: string, out: string | undefined, streams: Streams): Promise<void> {
  const names = Object.keys(TEMPLATES);
  check(names.includes(template), () => unknownName("template", template, names));
  const folder = out ?? `striate-${template}`;
  const present = await readdir(folder).catch(() => []);
  check(
    present.length === 0,
    () =>
      `"${folder}": expected a new or an empty folder, got one with ${present[0]!}: choose another with --out`,
  );
  await ensureFolder(folder);
  const files = (await readdir(join(FOLDER, template))).sort();
  for (const file of files) {
    const text = await readFile(join(FOLDER, template, file), "utf8");
    const written =
      file === "package.json" ? text.replace(PLACEHOLDER, `"striate": "^${packageFacts().version}"`) : text;
    await writeFileAtomic(join(folder, file), written);
  }
  streams.err.write(`${folder}: ${files.join(", ")}\n\nNext:\n`);
  streams.out.write(
    [`cd ${shellWord(folder)}`, "npm install", ...NEXT[template as TemplateName]]
      .map((line) => `  ${line}\n`)
      .join(""),
  );
}
