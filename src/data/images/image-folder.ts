import { StriateError, check } from "../../util/errors.js";
import type { ClassName, ClassOrder } from "./class-names.js";
import { imageNetOrder, placesOf } from "./class-names.js";
import { IMAGE_ENDINGS, isImage } from "./decode/image-formats.js";
import type { ImageSource, Labelling } from "./image-source.js";
import type { RgbImage } from "./rgb-image.js";

/** Folders and the files in them: of a disk, or of a page's visitor. */
export interface FolderTree {
  join(...parts: string[]): string;
  /** Folders and files in a folder in alphabetical order, hidden and foreign ones left out. Throws {@link StriateError}. */
  list(path: string): Promise<{ readonly folders: readonly string[]; readonly files: readonly string[] }>;
  exists(path: string): boolean;
  /** One name for a folder, whatever links lead to it. Throws {@link StriateError} if it cannot be read. */
  place(path: string): Promise<string>;
  /** The bytes of an image's file. Throws {@link StriateError}. */
  bytes(path: string): Promise<Uint8Array>;
  /** The bytes of a list of labels. Throws {@link StriateError}. */
  listBytes(path: string): Promise<Uint8Array>;
  /** Throws {@link StriateError}. */
  image(path: string): Promise<RgbImage>;
}

/** What the labels of a folder of images refer to. */
export interface ClassOptions {
  /**
   * Names of the network's classes in the order of its outputs; the data set's classes must be among them. Without it,
   * labels count the data set's own classes.
   */
  readonly classes?: readonly string[] | ClassOrder;
  /** Number of the network's outputs, if known: tells whether WordNet ids mean ImageNet's 1000 (or 1001) classes. */
  readonly outputs?: number;
}

/** How a folder of images is read. */
export interface ImageFolderOptions extends ClassOptions {
  /** Which of the folders train, val, test ... of a data set's root to read. Default: val, or else test. */
  readonly split?: string;
}

/** Names of the parts of a data set, the usual ones for measuring first. */
const SPLITS = ["val", "valid", "validation", "test", "testing", "eval", "dev", "train", "training"];

/**
 * Images in one folder for each class: `ROOT/CLASS/*.jpg`, also deeper down. Classes are in alphabetical order, or in the
 * order of numbers if all are numbers. Links are followed. The root of a data set (`ROOT/train/CLASS`, `ROOT/val/CLASS`) and
 * a published validation set of Tiny ImageNet (`images/` beside `val_annotations.txt`) are recognised.
 *
 * @throws StriateError when there is no such folder or no image, for a folder that holds no image or is no known class,
 * for links that lead in a circle, and for layouts whose labels cannot be told.
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
      `"${root}": expected one folder of images for each class, found no folder in it` +
      (files.some(isImage) ? ": images without a folder or a list (files.json) have no labels" : ""),
  );
  const [only] = folders;
  if (folders.length === 1) {
    const list = await listBeside(tree, root, only!, files);
    if (list !== undefined) return annotatedImages(tree, root, list, options);
  }
  if (options.classes === undefined) await checkNotParts(tree, root, folders);
  return classFolders(tree, root, folders, options);
}

/**
 * Refuses folders that hold no image themselves but folders of the same names, or one that is called like a part of a data
 * set beside others: parts would count as classes.
 */
async function checkNotParts(tree: FolderTree, root: string, folders: readonly string[]): Promise<void> {
  const inside = await Promise.all(
    folders.map(async (name) => ({ name, ...(await tree.list(tree.join(root, name))) })),
  );
  const nested = inside.filter(({ folders: own, files }) => own.length > 0 && !files.some(isImage));
  const advice = (name: string) =>
    `parts of a data set would count as classes; give one of them ("${tree.join(root, name)}"), or name the classes in the ` +
    `order of the network's outputs (--classes)`;
  for (const [i, a] of nested.entries()) {
    const b = nested.slice(i + 1).find((other) => haveSameFolders(a.folders, other.folders));
    if (b === undefined) continue;
    throw new StriateError(
      `"${root}": its folders "${a.name}" and "${b.name}" hold folders of the same names (${some(a.folders)}): ${advice(a.name)}`,
    );
  }
  const part = nested.find(({ name, folders: own }) => own.length > 1 && SPLITS.includes(name.toLowerCase()));
  if (part === undefined || folders.length === 1) return;
  throw new StriateError(
    `"${root}": "${part.name}" holds no images but folders (${some(part.folders)}), beside ` +
      `${some(folders.filter((name) => name !== part.name))}: ${advice(part.name)}`,
  );
}

/** Whether all names of the shorter list are in the other. A single one is no sign: each class may have a folder "images". */
function haveSameFolders(a: readonly string[], b: readonly string[]): boolean {
  const [few, many] = a.length <= b.length ? [a, b] : [b, a];
  return few.length > 1 && few.every((name) => many.includes(name));
}

/** The folders of a root that are parts of a data set; undefined if it holds classes. */
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
    () => `"${root}": there is no split "${chosen}", only ${some(folders) || "no folder at all"}`,
  );
  // A part may lack classes that the network was trained on: the training part knows them all.
  const training = splits.find((name) => name.toLowerCase().startsWith("train"));
  const own =
    options.classes === undefined && training !== undefined && training !== chosen
      ? await trainingClasses(tree, tree.join(root, training), options.outputs)
      : undefined;
  const source = await imagesOfTree(tree, tree.join(root, chosen), {
    ...options,
    ...(own && { classes: own.order }),
  });
  const { text, complete } = source.labelling!;
  const cautions = [...(own?.cautions ?? []), ...source.labelling!.cautions];
  if (stated !== undefined) return { ...source, labelling: { text, cautions, complete } };
  const caution = `"${root}" holds ${splits.join(" and ")}: ${chosen} is read (--split names another)`;
  return {
    ...source,
    labelling: {
      text: own ? `${text}, as in ${training!}` : text,
      cautions: [caution, ...cautions],
      complete,
    },
  };
}

/** The classes of a training part; undefined if it holds none, or ImageNet's, whose order is known. */
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
    `"${path}" holds no image: is it a class? Labels count folders, so remove it, or name the classes ` +
    `in the order of the network's outputs (--classes)`
  );
}

/** Whether there is an image in a folder or below it. */
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
    () => `"${root}": no image in its ${folders.length} folders (${IMAGE_ENDINGS.join(", ")})`,
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

/** Throws {@link StriateError} for two folders that are one by a link: its images would count for two classes. */
async function checkDistinct(tree: FolderTree, root: string, names: readonly string[]): Promise<void> {
  const places = new Map<string, string>();
  for (const name of names) {
    const place = await tree.place(tree.join(root, name));
    const other = places.get(place);
    check(
      other === undefined,
      () => `"${root}": "${other!}" and "${name}" are one folder by a link ("${place}")`,
    );
    places.set(place, name);
  }
}

/** Folders in the order of their labels, and what there is to say about it. */
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
    `the folders are numbers and sorted as such (${some(names)}); torchvision sorts them as text ` +
    `(${some(folders)}): for a network that was trained that way, state the order of its outputs (--classes)`;
  return { names, order: { text, cautions: [caution] } };
}

interface Labels {
  readonly classes: readonly string[];
  /** Label of each of the data set's own classes. */
  readonly places: readonly number[];
  readonly labelling: Labelling;
}

/** Labels for a data set's own classes: their places in the network's order, or as they are counted. */
export function labelsFor(
  own: readonly ClassName[],
  { classes, outputs }: ClassOptions,
  what: string,
  said: { readonly own: string; readonly cautions?: readonly string[] },
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
      labelling: { text: said.own, cautions: said.cautions ?? [], complete: true },
    };
  }
  const places = placesOf(own, order, what);
  const shared = places.findIndex((place, i) => places.indexOf(place) !== i);
  check(
    shared < 0,
    () =>
      `${what}: "${own[shared]!.name}" and "${own[places.indexOf(places[shared]!)]!.name}" are one class of ${order.from}`,
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

/** The list beside a folder that holds images itself; undefined if the folder is a class. Throws for other lists. */
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
      `"${root}" holds one folder of images ("${folder}") beside "${list!}": is that a list of labels? Of lists, only ` +
      `files.json and Tiny ImageNet's ${ANNOTATIONS} are read; sort the images into one folder for each class`,
  );
  return undefined;
}

/** Tiny ImageNet's validation images: `images/` and a list of file, WordNet id and box, with tabs between. */
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
    check(place >= 0, () => `"${path}", line ${i + 1}: "${id}" is none of the ${ids.length} classes`);
    return places[place]!;
  });
  const files = rows.map(({ file }) => tree.join("images", file));
  return { ...filesSource(tree, root, files, labels, classes), labelling };
}

/** Rows of `val_annotations.txt`. Throws {@link StriateError} for a line that is no file, tab and id. */
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

/** Image files below a folder, with their labels. */
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

/** Every image below a folder, as paths from `root`, in alphabetical order. Throws {@link StriateError} for a circle. */
export async function imagesBelow(tree: FolderTree, root: string, folder = "."): Promise<string[]> {
  const found: string[] = [];
  const walk = async (at: string, above: readonly string[]): Promise<void> => {
    const real = await tree.place(tree.join(root, at));
    check(
      !above.includes(real),
      () =>
        `"${tree.join(root, at)}" is a link to "${real}", a folder that it lies in: images would repeat without end`,
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
