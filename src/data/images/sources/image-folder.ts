import { StriateError, check, counted } from "../../../util/errors.js";
import type { ClassName, ClassOrder } from "../class-names.js";
import { imageNetOrder, placesOf } from "../class-names.js";
import { IMAGE_ENDINGS, isImage } from "../decode/image-formats.js";
import type { ImageSource, Labelling } from "../image-source.js";
import type { RgbImage } from "../rgb-image.js";

/** A tree of folders and files, either on a disk or chosen by the visitor of a page. */
export interface FolderTree {
  join(...parts: string[]): string;
  /**
   * Lists the folders and files in a folder, in alphabetical order, without hidden and system files. Throws
   * {@link StriateError}.
   */
  list(path: string): Promise<{ readonly folders: readonly string[]; readonly files: readonly string[] }>;
  exists(path: string): boolean;
  /**
   * A unique name for a folder. All links that lead to the folder have the same name. Throws
   * {@link StriateError} if the folder cannot be read.
   */
  place(path: string): Promise<string>;
  /** The bytes of an image file. Throws {@link StriateError}. */
  bytes(path: string): Promise<Uint8Array>;
  /** The bytes of a file that lists labels. Throws {@link StriateError}. */
  listBytes(path: string): Promise<Uint8Array>;
  /** Decodes an image file. Throws {@link StriateError}. */
  image(path: string): Promise<RgbImage>;
}

/** Options that say which classes the labels of a folder of images refer to. */
export interface ClassOptions {
  /**
   * Names of the network's classes in the order of its outputs. They must include the data set's classes.
   * Without this option, labels are indices of the data set's own classes.
   */
  readonly classes?: readonly string[] | ClassOrder;
  /**
   * Number of the network's outputs, if known. If it is 1000 or 1001, WordNet ids are taken to be ImageNet's
   * classes.
   */
  readonly outputs?: number;
}

/** Options for reading a folder of images. */
export interface ImageFolderOptions extends ClassOptions {
  /** Part of the data set to read: train, val, test ... Default: val, or test if there is no val. */
  readonly split?: string;
}

/** Names of the parts of a data set, in order of preference for evaluation. */
const SPLITS = ["val", "valid", "validation", "test", "testing", "eval", "dev", "train", "training"];

/**
 * Reads images from one folder per class: from `ROOT/CLASS/*.jpg`, and from subfolders of `ROOT/CLASS`.
 * Classes are in alphabetical order, or in numerical order if all names are numbers. Links are followed. The
 * function also accepts the root folder of a data set (`ROOT/train/CLASS`, `ROOT/val/CLASS`) and the
 * published validation set of Tiny ImageNet (`images/` next to `val_annotations.txt`).
 *
 * @throws StriateError if the folder does not exist or has no image, if a class folder has no image or its
 * name is not one of the given classes, for links that form a cycle, and for layouts whose labels are
 * unclear.
 */
export async function imagesOfTree(
  tree: FolderTree,
  root: string,
  options: ImageFolderOptions = {},
): Promise<ImageSource> {
  const { folders, files } = await tree.list(root);
  const splits = splitsAmong(folders);
  if (options.split !== undefined || splits !== undefined) {
    return splitOf(tree, root, splits ?? [], folders, options);
  }
  check(
    folders.length > 0,
    () =>
      `"${root}": expected one folder of images for each class, found no folder` +
      (files.some(isImage) ? ": images need a folder or a list (files.json) that gives their labels" : ""),
  );
  const [only] = folders;
  if (folders.length === 1) {
    const list = await listBeside(tree, root, only!, files);
    if (list !== undefined) return annotatedImages(tree, root, list, options);
  }
  if (options.classes === undefined) await checkNotParts(tree, root, folders);
  const source = await classFolders(tree, root, folders, options);
  const loose = files.filter(isImage).length;
  if (loose === 0) return source;
  const { text, cautions, complete } = source.labelling!;
  const caution = `"${root}": left out, because outside the class folders: ${counted(loose, "image")}`;
  return { ...source, labelling: { text, cautions: [caution, ...cautions], complete } };
}

/**
 * Throws {@link StriateError} if folders look like the parts of a data set, which would be taken for classes.
 * This is so if two folders have no images but subfolders of the same names, or if a folder without images
 * has the name of a part, such as "train", and other folders are next to it.
 */
async function checkNotParts(tree: FolderTree, root: string, folders: readonly string[]): Promise<void> {
  const inside = await Promise.all(
    folders.map(async (name) => ({ name, ...(await tree.list(tree.join(root, name))) })),
  );
  const nested = inside.filter(({ folders: own, files }) => own.length > 0 && !files.some(isImage));
  const advice = (name: string) =>
    `the parts of a data set would be taken for classes; give one part ("${tree.join(root, name)}"), or name the classes in the ` +
    `order of the network's outputs (--classes)`;
  for (const [i, a] of nested.entries()) {
    const b = nested.slice(i + 1).find((other) => haveSameFolders(a.folders, other.folders));
    if (b === undefined) continue;
    throw new StriateError(
      `"${root}": its folders "${a.name}" and "${b.name}" have subfolders of the same names (${some(a.folders)}): ${advice(a.name)}`,
    );
  }
  const part = nested.find(({ name, folders: own }) => own.length > 1 && SPLITS.includes(name.toLowerCase()));
  if (part === undefined || folders.length === 1) return;
  throw new StriateError(
    `"${root}": "${part.name}" has subfolders (${some(part.folders)}) but no images, next to ` +
      `${some(folders.filter((name) => name !== part.name))}: ${advice(part.name)}`,
  );
}

/**
 * Whether the longer list has all names of the shorter one, which must have at least two: a single shared
 * name proves nothing, because each class may have a folder "images".
 */
function haveSameFolders(a: readonly string[], b: readonly string[]): boolean {
  const [shorter, longer] = a.length <= b.length ? [a, b] : [b, a];
  return shorter.length > 1 && shorter.every((name) => longer.includes(name));
}

/** The folders of a root that are parts of a data set; undefined if the folders are classes. */
function splitsAmong(folders: readonly string[]): readonly string[] | undefined {
  const splits = folders.filter((name) => SPLITS.includes(name.toLowerCase()));
  return splits.length >= 2 || (splits.length === 1 && folders.length === 1) ? splits : undefined;
}

async function splitOf(
  tree: FolderTree,
  root: string,
  splits: readonly string[],
  folders: readonly string[],
  { split: stated, ...options }: ImageFolderOptions,
): Promise<ImageSource> {
  const usual = SPLITS.map((name) => splits.find((folder) => folder.toLowerCase() === name));
  const chosen = stated ?? usual.find((name) => name !== undefined)!;
  check(
    folders.includes(chosen),
    () => `"${root}": expected a folder "${chosen}" for the split, got ${some(folders) || "no folder"}`,
  );
  // The chosen part may lack some of the classes on which the network was trained, but the training part has
  // them all.
  const training = splits.find((name) => name.toLowerCase().startsWith("train"));
  const fromTraining =
    options.classes === undefined && training !== undefined && training !== chosen
      ? await trainingClasses(tree, tree.join(root, training), options.outputs)
      : undefined;
  const source = await imagesOfTree(tree, tree.join(root, chosen), {
    ...options,
    ...(fromTraining && { classes: fromTraining.order }),
  });
  const { text, complete } = source.labelling!;
  const cautions = [...(fromTraining?.cautions ?? []), ...source.labelling!.cautions];
  if (stated !== undefined) return { ...source, labelling: { text, cautions, complete } };
  const caution = `"${root}" has the parts ${splits.join(" and ")}; ${chosen} is used (choose another with --split)`;
  return {
    ...source,
    labelling: {
      text: fromTraining ? `${text}, as in ${training!}` : text,
      cautions: [caution, ...cautions],
      complete,
    },
  };
}

/**
 * The classes of the training part of a data set. Undefined if it has fewer than two class folders, or if
 * they are ImageNet's, whose order is known.
 */
async function trainingClasses(
  tree: FolderTree,
  root: string,
  outputs: number | undefined,
): Promise<{ readonly order: ClassOrder; readonly cautions: readonly string[] } | undefined> {
  const { folders } = await tree.list(root);
  const { names, order } = inOrder(folders);
  const classes = names.map(classOf);
  if (classes.length < 2 || imageNetOrder(classes, outputs) !== undefined) return undefined;
  await checkNotParts(tree, root, folders);
  for (const name of names)
    check(await holdsImage(tree, tree.join(root, name)), () => emptyFolder(tree.join(root, name)));
  return { order: { from: `the folders of "${root}"`, classes }, cautions: order.cautions };
}

function emptyFolder(path: string): string {
  return (
    `"${path}" has no image. Is it a class? Every folder counts as a class: remove it, or name the classes ` +
    `in the order of the network's outputs (--classes)`
  );
}

/** Whether a folder or any subfolder has an image. */
async function holdsImage(tree: FolderTree, path: string): Promise<boolean> {
  const { folders, files } = await tree.list(path);
  if (files.some(isImage)) return true;
  for (const name of folders) if (await holdsImage(tree, tree.join(path, name))) return true;
  return false;
}

const WORDNET_ID = /^n\d{8}$/;

function classOf(name: string): ClassName {
  return WORDNET_ID.test(name) ? { name, synset: name } : { name };
}

// ---- one folder for each class -------------------------------------------------------------------------------------------

async function classFolders(
  tree: FolderTree,
  root: string,
  folders: readonly string[],
  options: ClassOptions,
): Promise<ImageSource> {
  const { names, order } = inOrder(folders);
  const found = await Promise.all(names.map((name) => imagesBelow(tree, root, name)));
  const total = found.reduce((sum, images) => sum + images.length, 0);
  check(
    total > 0,
    () => `"${root}": expected images (${IMAGE_ENDINGS.join(", ")}), found none in ${folders.length} folders`,
  );
  const empty = names.filter((_, i) => found[i]!.length === 0);
  check(empty.length === 0 || options.classes !== undefined, () => emptyFolder(tree.join(root, empty[0]!)));
  await checkDistinct(tree, root, names);
  const held = names.filter((_, i) => found[i]!.length > 0);
  const { classes, places, labelling } = labelsFor(held.map(classOf), options, `"${root}"`, {
    own: `one class for each folder, ${order.text}`,
    cautions: order.cautions,
  });
  const images = found.filter((files) => files.length > 0);
  return {
    ...filesSource(
      tree,
      root,
      images.flat(),
      images.flatMap((files, i) => files.map(() => places[i]!)),
      classes,
    ),
    labelling,
  };
}

/**
 * Throws {@link StriateError} if links make two class folders the same, because each of their images would
 * belong to two classes.
 */
async function checkDistinct(tree: FolderTree, root: string, names: readonly string[]): Promise<void> {
  const places = new Map<string, string>();
  for (const name of names) {
    const place = await tree.place(tree.join(root, name));
    const other = places.get(place);
    check(
      other === undefined,
      () => `"${root}": links make "${other!}" and "${name}" the same folder ("${place}")`,
    );
    places.set(place, name);
  }
}

/**
 * Sorts the class folders in the order of their labels. Also returns a description of that order, and
 * cautions about it.
 */
function inOrder(folders: readonly string[]): {
  readonly names: readonly string[];
  readonly order: { readonly text: string; readonly cautions: readonly string[] };
} {
  if (!folders.every((name) => /^\d+$/.test(name)))
    return { names: folders, order: { text: "in alphabetical order", cautions: [] } };
  const names = [...folders].sort((a, b) => Number(a) - Number(b));
  const text = "in the order of their numbers";
  if (names.every((name, i) => name === folders[i])) return { names, order: { text, cautions: [] } };
  const caution =
    `the folders have numbers as names and are sorted numerically (${some(names)}); torchvision sorts them as text ` +
    `(${some(folders)}): for a network trained with torchvision's order, give the order of its outputs (--classes)`;
  return { names, order: { text, cautions: [caution] } };
}

interface Labels {
  readonly classes: readonly string[];
  /** For each of the data set's own classes, its label. */
  readonly places: readonly number[];
  readonly labelling: Labelling;
}

/**
 * Finds the labels of a data set's own classes: their positions in the network's class order or, if no such
 * order is known, their positions in `own`.
 */
export function labelsFor(
  own: readonly ClassName[],
  { classes, outputs }: ClassOptions,
  what: string,
  meaning: { readonly own: string; readonly cautions?: readonly string[] },
): Labels {
  const stated =
    classes === undefined || "from" in classes
      ? classes
      : { from: "the stated list", classes: classes.map(classOf) };
  const order = stated ?? imageNetOrder(own, outputs);
  if (order === undefined) {
    return {
      classes: own.map(({ name }) => name),
      places: own.map((_, i) => i),
      labelling: { text: meaning.own, cautions: meaning.cautions ?? [], complete: true },
    };
  }
  const places = placesOf(own, order, what);
  const shared = places.findIndex((place, i) => places.indexOf(place) !== i);
  check(
    shared < 0,
    () =>
      `${what}: "${own[shared]!.name}" and "${own[places.indexOf(places[shared]!)]!.name}" are the same class of ${order.from}`,
  );
  return {
    classes: order.classes.map(({ name }) => name),
    places,
    labelling: {
      text: `${own.length} of the ${order.classes.length} classes of ${order.from}, matched by name`,
      cautions: [],
      complete: true,
    },
  };
}

// ---- images beside a list --------------------------------------------------------------------------------------------------

const ANNOTATIONS = "val_annotations.txt";

/**
 * The name of the list of labels next to a folder of images; undefined if the folder is a class. Throws for
 * lists in other formats.
 */
async function listBeside(
  tree: FolderTree,
  root: string,
  folder: string,
  files: readonly string[],
): Promise<string | undefined> {
  const lists = files.filter((name) => /\.(txt|csv|tsv|json|xml|mat)$/i.test(name));
  if (lists.includes(ANNOTATIONS)) return ANNOTATIONS;
  const inside = await tree.list(tree.join(root, folder));
  const [list] = lists;
  check(
    list === undefined || !inside.files.some(isImage),
    () =>
      `"${root}" has one folder of images ("${folder}") next to "${list!}". Is that a list of labels? The only supported lists are ` +
      `files.json and Tiny ImageNet's ${ANNOTATIONS}; otherwise sort the images into one folder for each class`,
  );
  return undefined;
}

/**
 * Reads Tiny ImageNet's validation images: a folder `images/`, and a list whose lines have the file, its
 * WordNet id and a bounding box, separated by tabs.
 */
async function annotatedImages(
  tree: FolderTree,
  root: string,
  list: string,
  options: ClassOptions,
): Promise<ImageSource> {
  const path = tree.join(root, list);
  const rows = annotations(await tree.listBytes(path), path);
  const training = tree.join(root, "..", "train");
  const known = tree.exists(training) ? (await tree.list(training)).folders : [];
  const ids = known.length > 0 ? known : [...new Set(rows.map(({ id }) => id))].sort();
  const { classes, places, labelling } = labelsFor(ids.map(classOf), options, `"${root}"`, {
    own: `WordNet ids of ${list}, in alphabetical order${known.length > 0 ? ' of the folders in "train"' : ""}`,
  });
  const labels = rows.map(({ id }, i) => {
    const place = ids.indexOf(id);
    check(
      place >= 0,
      () => `"${path}", line ${i + 1}: expected one of the ${ids.length} classes, got "${id}"`,
    );
    return places[place]!;
  });
  const files = rows.map(({ file }) => tree.join("images", file));
  return { ...filesSource(tree, root, files, labels, classes), labelling };
}

/**
 * Reads the rows of `val_annotations.txt`. Throws {@link StriateError} for a line that does not start with a
 * file, a tab and an id.
 */
export function annotations(
  bytes: Uint8Array,
  path: string,
): { readonly file: string; readonly id: string }[] {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  const rows = lines.flatMap((line, i) => {
    if (line === "") return [];
    const [file = "", id = ""] = line.split("\t");
    check(
      file !== "" && id !== "" && !/[/\\]/.test(file),
      () => `"${path}", line ${i + 1}: expected a file, a tab and a class, got "${line.slice(0, 80)}"`,
    );
    return [{ file, id }];
  });
  check(rows.length > 0, () => `"${path}" is empty`);
  return rows;
}

// ---- files ---------------------------------------------------------------------------------------------------------------

/** Makes an image source of files below a folder and their labels. */
export function filesSource(
  tree: FolderTree,
  root: string,
  files: readonly string[],
  labels: readonly number[],
  classes: readonly string[],
): ImageSource {
  return {
    name: root,
    count: files.length,
    classes,
    labels: Int32Array.from(labels),
    nameOf: (index) => files[index]!,
    read: (index) => tree.image(tree.join(root, files[index]!)),
    bytes: (index) => tree.bytes(tree.join(root, files[index]!)),
  };
}

/**
 * Lists the paths, relative to `root`, of all images in a folder and its subfolders, in alphabetical order.
 * Throws {@link StriateError} for links that form a cycle.
 */
export async function imagesBelow(tree: FolderTree, root: string, folder = "."): Promise<string[]> {
  const found: string[] = [];
  const walk = async (at: string, above: readonly string[]): Promise<void> => {
    const real = await tree.place(tree.join(root, at));
    check(
      !above.includes(real),
      () =>
        `"${tree.join(root, at)}" is a link to "${real}", a folder that contains it, so images would repeat without end`,
    );
    const { folders, files } = await tree.list(tree.join(root, at));
    const inside = new Set(folders);
    for (const name of [...folders, ...files].sort(byName)) {
      const path = tree.join(at, name);
      if (inside.has(name)) await walk(path, [...above, real]);
      else if (isImage(name)) found.push(path);
    }
  };
  await walk(folder, folder === "." ? [] : [await tree.place(root)]);
  return found;
}

export const byName = (a: string, b: string): number => (a < b ? -1 : 1);

function some(names: readonly string[]): string {
  return names.length > 4 ? `${names.slice(0, 4).join(", ")}, ...` : names.join(", ");
}
