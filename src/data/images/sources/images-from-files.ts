import { checkEveryWhole } from "../../../util/check.js";
import { StriateError, check } from "../../../util/errors.js";
import { decodeImageInPage } from "../decode/decode-image.js";
import type { FolderTree, ImageFolderOptions } from "./image-folder.js";
import { byName, filesSource, imagesOfTree } from "./image-folder.js";
import { IMAGE_ENDINGS, LARGEST_FILE, isForeign, isImage } from "../decode/image-formats.js";
import type { ImageSource, Labelling, SkippedImage } from "../image-source.js";
import type { PrepareOptions, PreparedImages } from "../prepared-images.js";
import { prepareImages } from "../prepared-images.js";

/** The parts of a browser's File that are used here. */
export interface PictureFile {
  readonly name: string;
  /**
   * The path below the folder that a visitor chose, starting with that folder; empty for files that were chosen one by
   * one.
   */
  readonly webkitRelativePath?: string;
  readonly size: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Options for turning a visitor's files into images of a network's size. */
export interface ImagesFromFilesOptions extends ImageFolderOptions, Omit<PrepareOptions, "skipped"> {
  /** Side of the network's square images in pixels, or their height and width. */
  readonly size: number | readonly [height: number, width: number];
  /** 3 for colour (the default) or 1 for grey. */
  readonly channels?: 1 | 3;
}

/** Images that a visitor of a page chose, resized to the network's size. */
export interface ImagesFromFiles extends PreparedImages {
  /** The meaning of the labels, with cautions. */
  readonly labelling: Labelling;
  /** Images that could not be read, with the reasons. `describeSkipped` describes them in one sentence. */
  readonly skipped: readonly SkippedImage[];
}

/**
 * Reads the images that a visitor chose into memory and brings them to the size that a network takes, by
 * antialiased bilinear resizing and a centre crop. For lossless files, the bytes are the same as those of
 * `prepareImages` in Node.
 *
 * ```ts
 * // <input type="file" webkitdirectory>
 * const images = await imagesFromFiles(input.files, { size: 32, onProgress: (done, count) => show(done, count) });
 * const data = imageData(images, { mean: [0.5], std: [0.5] });
 * ```
 *
 * @throws StriateError in the same cases as {@link imageFiles}, and also for an invalid size, if no image can
 * be read, and for more than 4 GB of images. If `signal` is aborted, throws its reason.
 */
export async function imagesFromFiles(
  files: ArrayLike<PictureFile>,
  options: ImagesFromFilesOptions,
): Promise<ImagesFromFiles> {
  const { size, channels = 3 } = options;
  const [height, width] = typeof size === "number" ? [size, size] : size;
  checkEveryWhole("imagesFromFiles: size", [height, width]);
  const source = await imageFiles(files, options);
  const skipped: SkippedImage[] = [];
  const images = await prepareImages(source, [channels, height, width], { ...options, skipped });
  return { ...images, labelling: source.labelling!, skipped };
}

/**
 * Makes an image source of the images that a visitor chose. The visitor may choose a folder, by
 * `<input type="file" webkitdirectory>`. Its subfolders are then the classes, as in Node's `imageFolder`, and
 * images directly in the chosen folder are left out with a caution. If there are no subfolders, or if the visitor chose
 * images one by one, all images have the label 0 of a single class "image". Files without an image's file
 * extension are left out; for a file that turns out not to be an image, `read` throws an error and
 * `readImages` reports it as skipped.
 *
 * @throws StriateError if there is no image among the files, if two have the same path, and for layouts whose labels
 * are unclear.
 */
export async function imageFiles(
  files: ArrayLike<PictureFile>,
  options: ImageFolderOptions = {},
): Promise<ImageSource> {
  const { tree, root, name } = treeOf(Array.from(files));
  const { folders, files: loose } = await tree.list(root);
  if (folders.length > 0) return { ...(await imagesOfTree(tree, root, options)), name };
  const pictures = loose.filter(isImage);
  check(
    pictures.length > 0,
    () => `${name}: expected images (${IMAGE_ENDINGS.join(", ")}), found none among ${files.length} files`,
  );
  return {
    ...filesSource(
      tree,
      root,
      pictures,
      pictures.map(() => 0),
      ["image"],
    ),
    name,
    labelling: { text: "no labels: the images are not in folders", cautions: [], complete: false },
  };
}

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly files: Map<string, PictureFile>;
}

/** Builds a tree of files from their paths. The root is the folder that contains all of them. */
function treeOf(files: readonly PictureFile[]): {
  readonly tree: FolderTree;
  readonly root: string;
  readonly name: string;
} {
  const top: Folder = { folders: new Map(), files: new Map() };
  for (const file of files) {
    const parts = partsOf(
      file.webkitRelativePath === "" ? file.name : (file.webkitRelativePath ?? file.name),
    );
    if (parts.some(isForeign)) continue;
    const name = parts.pop()!;
    let folder = top;
    for (const part of parts) {
      const inside = folder.folders.get(part) ?? { folders: new Map(), files: new Map() };
      folder.folders.set(part, inside);
      folder = inside;
    }
    check(
      !folder.files.has(name),
      () => `expected files with different paths, got "${[...parts, name].join("/")}" twice`,
    );
    folder.files.set(name, file);
  }
  const [only] = top.folders.keys();
  const root = only !== undefined && top.folders.size === 1 && top.files.size === 0 ? only : "";
  return { tree: fileTree(top), root, name: root === "" ? "chosen files" : root };
}

function fileTree(top: Folder): FolderTree {
  const folderAt = (path: string): Folder | undefined =>
    partsOf(path).reduce<Folder | undefined>((folder, part) => folder?.folders.get(part), top);
  const fileAt = (path: string): PictureFile => {
    const parts = partsOf(path);
    const name = parts.pop() ?? "";
    const file = folderAt(parts.join("/"))?.files.get(name);
    check(file, () => `"${path}" is not among the chosen files`);
    return file;
  };
  const bytes = async (path: string): Promise<Uint8Array<ArrayBuffer>> => readFile(fileAt(path), path);
  return {
    join: (...parts) => parts.flatMap(partsOf).join("/"),
    list: (path) => {
      const folder = folderAt(path);
      return folder === undefined
        ? Promise.reject(new StriateError(`"${path}" is not a folder among the chosen files`))
        : Promise.resolve({
            folders: [...folder.folders.keys()].sort(byName),
            files: [...folder.files.keys()].sort(byName),
          });
    },
    exists: (path) => folderAt(path) !== undefined,
    place: (path) => Promise.resolve(partsOf(path).join("/")),
    bytes,
    listBytes: bytes,
    image: async (path) => decodeImageInPage(await bytes(path), path),
  };
}

/** The names in a path; ".." removes the name before it. */
function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts;
}

async function readFile(file: PictureFile, path: string): Promise<Uint8Array<ArrayBuffer>> {
  check(file.size > 0, () => `The image "${path}" is empty (0 bytes).`);
  check(
    file.size <= LARGEST_FILE,
    () => `The image "${path}" is too large: expected at most ${LARGEST_FILE} bytes, got ${file.size}.`,
  );
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    throw new StriateError(
      `The image "${path}" cannot be read; it may have changed or moved since it was chosen. Choose it again`,
      { cause },
    );
  }
}
