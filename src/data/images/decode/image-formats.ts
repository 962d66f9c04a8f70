/** Larger files and images are refused: they are damaged or hostile. */
export const LARGEST_FILE = 2 ** 28;
export const LARGEST_PIXELS = 2 ** 27;

/** Endings of the files that a folder of images is searched for. */
export const IMAGE_ENDINGS = [
  ".jpeg",
  ".jpg",
  ".png",
  ".webp",
  ".gif",
  ".tif",
  ".tiff",
  ".bmp",
  ".avif",
] as const;

/** Folders that operating systems and file servers leave behind. */
const FOREIGN = new Set(["__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"]);

/** Whether a file or folder is hidden, or not the user's own. */
export function isForeign(name: string): boolean {
  return name.startsWith(".") || FOREIGN.has(name);
}

/** Whether a file is taken for an image, by its name. */
export function isImage(name: string): boolean {
  const ending = /\.[^.]*$/.exec(name)?.[0] ?? "";
  return !name.startsWith(".") && (IMAGE_ENDINGS as readonly string[]).includes(ending.toLowerCase());
}
