import { checkWhole } from "../../util/check.js";
import { check } from "../../util/errors.js";
import type { ImageSource } from "../images/image-source.js";

/** Classes of CIFAR-10 (Krizhevsky 2009) in the order of their labels. */
export const CIFAR10_CLASSES = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
] as const;

const SIDE = 32;
const PLANE = SIDE * SIDE;
/** Size of a record in bytes: a label and three planes. */
export const CIFAR10_RECORD = 1 + 3 * PLANE;

/**
 * Parses files of CIFAR-10's binary version. Each record is one label byte and the image's 3072 bytes: the
 * red, the green and the blue plane. `name` names the files in errors. Throws `StriateError` for files that
 * do not consist of whole records, and for labels that are not a class.
 */
export function cifar10Images(files: readonly Uint8Array[], name: string): ImageSource {
  for (const [i, bytes] of files.entries()) {
    check(
      bytes.length > 0 && bytes.length % CIFAR10_RECORD === 0,
      () =>
        `${name}: expected records of ${CIFAR10_RECORD} bytes, file ${i} has ${bytes.length} bytes: is it the binary version?`,
    );
  }
  const starts = files.flatMap((bytes) =>
    Array.from({ length: bytes.length / CIFAR10_RECORD }, (_, row) => ({ bytes, at: row * CIFAR10_RECORD })),
  );
  const labels = Int32Array.from(starts, ({ bytes, at }, i) => {
    const label = bytes[at]!;
    checkWhole(`${name}: image ${i}: label`, label, { from: 0, to: CIFAR10_CLASSES.length - 1 });
    return label;
  });
  return {
    name,
    count: starts.length,
    classes: CIFAR10_CLASSES,
    labels,
    nameOf: (index) => `image ${index}`,
    read: (index) => {
      const { bytes, at } = starts[index]!;
      const data = new Uint8Array(3 * PLANE);
      for (let i = 0; i < PLANE; i++)
        for (let c = 0; c < 3; c++) data[3 * i + c] = bytes[at + 1 + c * PLANE + i]!;
      return Promise.resolve({ width: SIDE, height: SIDE, data });
    },
  };
}
