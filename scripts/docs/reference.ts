import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DeclarationReflection, ProjectReflection } from "typedoc";
import { Application, LogLevel, OptionDefaults, ReflectionKind } from "typedoc";
import { fail, root } from "../bootstrap.mjs";

/** The documented entries of package.json's "exports". The script of a worker exports no names and is left out. */
export function entries(): { readonly name: string; readonly source: string }[] {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    exports: Record<string, string | { readonly default: string }>;
  };
  return Object.entries(exports).flatMap(([key, target]) => {
    if (typeof target === "string" || key === "./worker") return [];
    const source = join(root, target.default.replace("./dist/", "src/").replace(/\.js$/, ".ts"));
    if (!existsSync(source)) fail(`package.json exports ${key}, but ${source} does not exist.`);
    return [{ name: key.replace(/^\./, "striate"), source }];
  });
}

/** Exports of a module without a doc comment. An export that another entry already exports is documented there. */
function undocumented(module: DeclarationReflection): string[] {
  return (module.children ?? []).flatMap((child) => {
    const signatures = child.signatures ?? [];
    const type = child.type?.type === "reflection" ? (child.type.declaration.signatures ?? []) : [];
    const described =
      child.kind === ReflectionKind.Reference ||
      child.hasComment() ||
      [...signatures, ...type].some((signature) => signature.hasComment());
    const file = child.sources?.[0]?.fullFileName ?? module.name;
    return described
      ? []
      : [`${file.replace(`${root}/`, "")}: ${module.name} exports ${child.name} without a doc comment`];
  });
}

/** Converts the sources. Any warning, and any export without a doc comment, ends the process. */
export async function convertSources(): Promise<{ app: Application; project: ProjectReflection }> {
  const known = entries();
  const app = await Application.bootstrapWithPlugins({
    name: "Reference",
    entryPoints: known.map(({ source }) => source),
    tsconfig: join(root, "tsconfig.build.json"),
    plugin: ["typedoc-plugin-markdown"],
    logLevel: "Warn",
    treatWarningsAsErrors: true,
    readme: "none",
    disableGit: true,
    sourceLinkTemplate: "{path}",
    excludePrivate: true,
    excludeProtected: true,
    excludeInternal: true,
    excludeExternals: true,
    blockTags: [...OptionDefaults.blockTags, "@generated"],
    // Types that appear only inside exported types are explained there.
    validation: { notExported: false, notDocumented: false, invalidLink: true },
    ...({
      entryFileName: "index",
      hidePageHeader: true,
      useCodeBlocks: true,
      sanitizeComments: true,
      indexFormat: "table",
      parametersFormat: "table",
      interfacePropertiesFormat: "table",
      classPropertiesFormat: "table",
      typeAliasPropertiesFormat: "table",
      hidePageTitle: false,
      pageTitleTemplates: { index: "{projectName}", module: "{name}", member: "{name}" },
    } as Record<string, unknown>),
  });
  const project = await app.convert();
  if (project === undefined) return fail("typedoc could not read the sources: see the errors above.");
  const modules = (project.children ?? []).filter(({ kind }) => kind === ReflectionKind.Module);
  const names = modules.map(({ name }) => name);
  const unnamed = known.filter(({ name }) => !names.includes(name));
  if (unnamed.length > 0) fail(`No "@module" tag names ${unnamed.map(({ name }) => name).join(", ")}.`);
  app.validate(project);
  const missing = modules.flatMap(undocumented);
  if (missing.length > 0) fail(`${missing.length} exports have no doc comment:\n${missing.join("\n")}`);
  if (app.logger.hasErrors() || app.logger.warningCount > 0) fail("typedoc warned: see above.");
  return { app, project };
}

/** Writes the reference of all entries as Markdown. */
export async function writeReference(folder: string): Promise<void> {
  const { app, project } = await convertSources();
  app.logger.level = LogLevel.Warn;
  app.options.setValue("out", folder);
  await app.generateOutputs(project);
  // The site has no copy of the sources, so the place of a definition is named but not linked.
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".md")) continue;
    const text = readFileSync(join(folder, name), "utf8");
    writeFileSync(join(folder, name), text.replaceAll(/^(.*Defined in: )\[(.*?)\]\(.*?\)/gm, "$1`$2`"));
  }
}
