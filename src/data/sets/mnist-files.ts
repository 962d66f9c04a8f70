/** Part of MNIST: the 60,000 training images or the 10,000 test images. */
export type MnistPart = "train" | "test";

/** One of MNIST's four files. */
export interface MnistFile {
  readonly stem: string;
  readonly ending: string;
  /** Size and SHA-256 of the published file after decompression. */
  readonly bytes: number;
  readonly sha256: string;
}

/** The files of MNIST (LeCun, Cortes, Burges). */
export const MNIST_FILES: Readonly<
  Record<MnistPart, { readonly images: MnistFile; readonly labels: MnistFile }>
> = {
  train: {
    images: {
      stem: "train-images",
      ending: "idx3-ubyte",
      bytes: 47_040_016,
      sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    labels: {
      stem: "train-labels",
      ending: "idx1-ubyte",
      bytes: 60_008,
      sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
  },
  test: {
    images: {
      stem: "t10k-images",
      ending: "idx3-ubyte",
      bytes: 7_840_016,
      sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    labels: {
      stem: "t10k-labels",
      ending: "idx1-ubyte",
      bytes: 10_008,
      sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
  },
};

/** The possible names of a file: some distributions have a dot before the ending, and some are compressed. */
export function mnistNames(
  { stem, ending }: MnistFile,
  compressions: readonly string[] = ["", ".gz"],
): string[] {
  return ["-", "."].flatMap((separator) => compressions.map((gz) => `${stem}${separator}${ending}${gz}`));
}
