import { readdir } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { namedImages } from "../../data/sets/named-images-node.js";
import type { ImageSource } from "../../data/images/image-source.js";
import { check } from "../../util/errors.js";
import { fileError } from "../../util/files-node.js";
import type { JsonObject } from "../../util/json.js";
import type { CardOptions } from "../commands/card.js";

/** The context that the specification prescribes (Croissant 1.0, appendix 1). */
const CONTEXT = {
  "@language": "en",
  "@vocab": "https://schema.org/",
  citeAs: "cr:citeAs",
  column: "cr:column",
  conformsTo: "dct:conformsTo",
  cr: "http://mlcommons.org/croissant/",
  data: { "@id": "cr:data", "@type": "@json" },
  dataType: { "@id": "cr:dataType", "@type": "@vocab" },
  dct: "http://purl.org/dc/terms/",
  examples: { "@id": "cr:examples", "@type": "@json" },
  extract: "cr:extract",
  field: "cr:field",
  fileProperty: "cr:fileProperty",
  fileObject: "cr:fileObject",
  fileSet: "cr:fileSet",
  format: "cr:format",
  includes: "cr:includes",
  isLiveDataset: "cr:isLiveDataset",
  jsonPath: "cr:jsonPath",
  key: "cr:key",
  md5: "cr:md5",
  parentField: "cr:parentField",
  path: "cr:path",
  rai: "http://mlcommons.org/croissant/RAI/",
  recordSet: "cr:recordSet",
  references: "cr:references",
  regex: "cr:regex",
  repeated: "cr:repeated",
  replace: "cr:replace",
  sc: "https://schema.org/",
  separator: "cr:separator",
  source: "cr:source",
  subField: "cr:subField",
  transform: "cr:transform",
} satisfies JsonObject;

/** Names of folders that are parts, and what they are in Croissant. */
const PARTS: readonly (readonly [pattern: RegExp, type: string])[] = [
  [/^train(ing)?$/i, "cr:TrainingSplit"],
  [/^val(id|idation)?$/i, "cr:ValidationSplit"],
  [/^test(ing)?$/i, "cr:TestSplit"],
];

const TYPES: Readonly<Record<string, string>> = {
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".png": "image/png",
  ".webp": "image/webp",
  ".gif": "image/gif",
  ".tif": "image/tiff",
  ".tiff": "image/tiff",
  ".avif": "image/avif",
  ".bmp": "image/bmp",
};

interface Part {
  /** Name of the folder; "" if there are no parts. */
  readonly name: string;
  readonly type: string;
  readonly source: ImageSource;
}

/**
 * The metadata of a folder of images in the Croissant format, version 1.0 (MLCommons,
 * https://docs.mlcommons.org/croissant/docs/croissant-spec.html): its files, classes and parts, and a record for each image.
 *
 * @throws StriateError for data that are not a folder with one subfolder for each class
 */
export async function croissantOf(
  root: string,
  { name = basename(resolve(root)), license, link, authors, description }: CardOptions,
): Promise<{ readonly metadata: JsonObject; readonly cautions: readonly string[] }> {
  const parts = await partsOf(root);
  const classes = parts[0]!.source.classes;
  for (const { source } of parts)
    check(
      JSON.stringify(source.classes) === JSON.stringify(classes),
      () => `"${root}": expected the same classes in every part, got others in ${source.name}`,
    );
  const count = parts.reduce((sum, { source }) => sum + source.count, 0);
  const hasParts = parts[0]!.name !== "";
  const endings = endingsOf(parts);
  const types = [...new Set(endings.map((ending) => TYPES[ending.toLowerCase()]!))].sort();
  const fileSets = types.map((type) => {
    const own = endings.filter((ending) => TYPES[ending.toLowerCase()] === type);
    const folders = hasParts ? parts.map((part) => `${part.name}/`) : [""];
    return {
      "@type": "cr:FileSet",
      "@id": fileSetId(type),
      name: fileSetId(type),
      description: `Images of the type ${type}, in one folder for each class.`,
      encodingFormat: type,
      includes: folders.flatMap((folder) => own.map((ending) => `${folder}*/*${ending}`)),
    };
  });
  const metadata: JsonObject = {
    "@context": CONTEXT,
    "@type": "sc:Dataset",
    conformsTo: "http://mlcommons.org/croissant/1.0",
    name,
    description:
      description ?? `${count} images of ${classes.length} classes: ${classes.slice(0, 20).join(", ")}.`,
    ...(license !== undefined && { license: licenseAddress(license) }),
    ...(link !== undefined && { url: link }),
    ...(authors !== undefined && {
      creator: authors.split(",").map((one) => ({ "@type": "sc:Person", name: one.trim() })),
    }),
    datePublished: new Date().toISOString().slice(0, 10),
    version: "1.0.0",
    distribution: fileSets,
    recordSet: [
      {
        "@type": "cr:RecordSet",
        "@id": "classes",
        name: "classes",
        description: "The classes, in the order of the labels.",
        dataType: "sc:Enumeration",
        key: { "@id": "classes/name" },
        field: [field("classes/name", "Name of the class and its folder.", "sc:Text")],
        data: classes.map((one) => ({ "classes/name": one })),
      },
      ...(hasParts
        ? [
            {
              "@type": "cr:RecordSet",
              "@id": "splits",
              name: "splits",
              description: "The parts of the data set.",
              dataType: "cr:Split",
              key: { "@id": "splits/name" },
              field: [
                field("splits/name", "Name of the part and its folder.", "sc:Text"),
                field("splits/url", "What the part is for.", "cr:Split"),
              ],
              data: parts.map((part) => ({ "splits/name": part.name, "splits/url": part.type })),
            },
          ]
        : []),
      ...types.map((type) =>
        recordSet(type, types.length === 1 ? "images" : `images-${type.slice(6)}`, parts),
      ),
    ],
  };
  const missing = [
    ...(license === undefined ? ["--license"] : []),
    ...(link === undefined ? ["--link"] : []),
    ...(authors === undefined ? ["--authors"] : []),
  ];
  return {
    metadata,
    cautions: [
      ...parts.flatMap(({ source }) => source.labelling?.cautions ?? []),
      ...(missing.length > 0
        ? [`Croissant demands a license, an address and authors: give ${missing.join(", ")}`]
        : []),
    ],
  };
}

function field(id: string, description: string, dataType: string | string[]): JsonObject {
  return { "@type": "cr:Field", "@id": id, name: id.split("/").at(-1)!, description, dataType };
}

/** A record for each image of a type: its pixels, its class and its part. */
function recordSet(type: string, id: string, parts: readonly Part[]): JsonObject {
  const hasParts = parts[0]!.name !== "";
  const source = (extract: JsonObject) => ({ fileSet: { "@id": fileSetId(type) }, ...extract });
  const names = parts.map(({ name }) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return {
    "@type": "cr:RecordSet",
    "@id": id,
    name: id,
    description: `One record for each image of the type ${type}.`,
    field: [
      {
        ...field(`${id}/image`, "The image.", "sc:ImageObject"),
        source: source({ extract: { fileProperty: "content" } }),
      },
      {
        ...field(`${id}/label`, "The class: the name of the image's folder.", ["sc:Text", "cr:Label"]),
        source: source({
          extract: { fileProperty: "fullpath" },
          transform: { regex: "([^/]+)/[^/]+$" },
        }),
        references: { field: { "@id": "classes/name" } },
      },
      ...(hasParts
        ? [
            {
              ...field(`${id}/split`, "The part: the folder above.", "sc:Text"),
              source: source({
                extract: { fileProperty: "fullpath" },
                transform: { regex: `(${names.join("|")})/[^/]+/[^/]+$` },
              }),
              references: { field: { "@id": "splits/name" } },
            },
          ]
        : []),
    ],
  };
}

function fileSetId(type: string): string {
  return `${type.slice("image/".length)}-files`;
}

async function partsOf(root: string): Promise<Part[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch((cause: unknown) => {
    throw fileError("read the folder", root, cause);
  });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const named = PARTS.flatMap(([pattern, type]) =>
    folders.filter((name) => pattern.test(name)).map((name) => ({ name, type })),
  );
  // A single folder with the name of a part, beside others, is a class.
  const hasParts = named.length > 1 || folders.length === 1;
  const parts =
    named.length === 0 || !hasParts
      ? [{ name: "", type: "", source: await namedImages(root) }]
      : await Promise.all(
          named.map(async (part) => ({ ...part, source: await namedImages(root, { split: part.name }) })),
        );
  for (const { source } of parts)
    for (let i = 0; i < source.count; i++)
      check(
        // The path below the part: one folder for the class, and a file in it.
        source.nameOf(i).split(/[/\\]/).length <= 3 &&
          TYPES[extname(source.nameOf(i)).toLowerCase()] !== undefined,
        () =>
          `"${root}": expected images in one subfolder for each class, got "${source.nameOf(i)}": only such folders can be described`,
      );
  return parts;
}

function endingsOf(parts: readonly Part[]): string[] {
  const found = new Set<string>();
  for (const { source } of parts) for (let i = 0; i < source.count; i++) found.add(extname(source.nameOf(i)));
  return [...found].sort();
}

/** The address of a license: SPDX has a page for each id. */
function licenseAddress(license: string): string {
  return license.includes("://") ? license : `https://spdx.org/licenses/${license}`;
}
