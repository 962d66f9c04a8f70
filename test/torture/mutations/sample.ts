/** A small valid file that is damaged again and again, and the function of Striate that reads it. */
export interface Sample {
  readonly name: string;
  /** All files that the reader needs, by their paths in a folder. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** The path of the file that is damaged. */
  readonly damaged: string;
  /** Puts the damaged content into its container, whose checksums are right: the damage must reach the reader. */
  readonly wrap?: (content: Uint8Array) => Uint8Array;
  /** Reads the files. It must give a result or throw `StriateError`. */
  readonly read: (folder: string) => Promise<unknown>;
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Reads all images of a source, so that damage that shows itself late is found, too. */
export async function allImages(source: {
  readonly count: number;
  read(index: number): Promise<unknown>;
}): Promise<void> {
  for (let i = 0; i < source.count; i++) await source.read(i);
}
