/** Largest accepted file, in bytes. Larger files are taken to be damaged or malicious. */
export const LARGEST_FILE = 2 ** 28;
export const LARGEST_PIXELS = 2 ** 27;

/** File extensions of the images in a folder. */
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

/** Folders that operating systems and file servers create. */
const FOREIGN = new Set(["__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"]);

/** Whether a file or folder is hidden, or was created by the system and not by the user. */
export function isForeign(name: string): boolean {
  return name.startsWith(".") || FOREIGN.has(name);
}

/** Whether a file is an image, judged by its name. */
export function isImage(name: string): boolean {
  const ending = /\.[^.]*$/.exec(name)?.[0] ?? "";
  return !name.startsWith(".") && (IMAGE_ENDINGS as readonly string[]).includes(ending.toLowerCase());
}
