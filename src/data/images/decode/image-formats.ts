import { StriateError } from "../../../util/errors.js";

/** Largest accepted file, in bytes. Larger files are taken to be damaged or malicious. */
export const LARGEST_FILE = 2 ** 28;
export const LARGEST_PIXELS = 2 ** 27;

/** The bytes with which files of each format begin; "." stands for any byte. */
const BEGINNINGS = [
  ["jpeg", "\xff\xd8\xff"],
  ["png", "\x89PNG\r\n\x1a\n"],
  ["webp", "RIFF....WEBP"],
  ["gif", "GIF87a"],
  ["gif", "GIF89a"],
  ["tiff", "II*\0"],
  ["tiff", "MM\0*"],
  ["tiff", "II+\0"],
  ["tiff", "MM\0+"],
  ["avif", "....ftypavif"],
  ["avif", "....ftypavis"],
  ["bmp", "BM"],
] as const;

type ImageFormat = (typeof BEGINNINGS)[number][0];

/**
 * The format of an image by its first bytes; its name says nothing. Decoders know more formats, some of which are
 * programs rather than pixels (SVG).
 *
 * @throws StriateError for all other bytes.
 */
export function imageFormat(bytes: Uint8Array, name: string): ImageFormat {
  const found = BEGINNINGS.find(([, begin]) =>
    Array.from(begin, (letter, i) => letter === "." || bytes[i] === letter.charCodeAt(0)).every(Boolean),
  );
  if (found) return found[0];
  const formats = [...new Set(BEGINNINGS.map(([format]) => format))].join(", ");
  const start = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  throw new StriateError(
    `"${name}" cannot be read as an image: expected the first bytes of ${formats}, got ${start === "" ? "none" : start}`,
  );
}

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
