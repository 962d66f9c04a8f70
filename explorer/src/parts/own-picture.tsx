import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { FileField } from "./file-field.js";

/** Side of a picture of the user in pixels, after its centre is cut out; networks get it smaller still. */
const OWN_SIDE = 256;
/** Largest number of pictures that are kept: 50 MB. */
const MOST_PICTURES = 200;

export interface OwnPicture {
  /** The square centre of the last picture; undefined before there is one. */
  readonly bitmap: Signal<ImageBitmap | undefined>;
  /** All pictures so far, the last one included. */
  readonly all: Signal<readonly ImageBitmap[]>;
  /** Name of the file of the last picture. */
  readonly name: Signal<string | undefined>;
  /** Name of the file that could not be read as a picture, until one can. */
  readonly refused: Signal<string | undefined>;
  readonly take: (files: readonly File[]) => Promise<void>;
}

/**
 * The pictures that a user chose, dropped on the page or pasted. They stay in the memory of this tab. A file that is no
 * picture changes nothing but `refused`.
 *
 * @param claims takes a file that is meant for something else, and returns true
 */
export function useOwnPicture(
  onTaken: () => void,
  claims: (file: File) => boolean = () => false,
): OwnPicture {
  const bitmap = useSignal<ImageBitmap | undefined>(undefined);
  const all = useSignal<readonly ImageBitmap[]>([]);
  const name = useSignal<string | undefined>(undefined);
  const refused = useSignal<string | undefined>(undefined);
  // Pictures are decoded at different speeds; only the latest files count.
  const latest = useSignal<readonly File[]>([]);
  const take = async (given: readonly File[]): Promise<void> => {
    const files = given.filter((file) => !claims(file));
    if (files.length === 0) return;
    latest.value = files;
    const squares = await Promise.all(files.map((file) => squareOf(file).catch(() => undefined)));
    if (latest.peek() !== files) return;
    refused.value = files.find((_, i) => squares[i] === undefined)?.name;
    const last = squares.findLastIndex((square) => square !== undefined);
    if (last < 0) return;
    all.value = [...all.peek(), ...squares.filter((square) => square !== undefined)].slice(-MOST_PICTURES);
    bitmap.value = squares[last];
    name.value = files[last]!.name;
    onTaken();
  };
  // The listeners of the first rendering call what the latest one has.
  const taking = useRef(take);
  taking.current = take;
  useEffect(() => {
    const over = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes("Files") === true) event.preventDefault();
    };
    const offer = (event: Event, files: FileList | undefined): void => {
      if (files === undefined || files.length === 0) return;
      event.preventDefault();
      void taking.current([...files]);
    };
    const drop = (event: DragEvent): void => {
      offer(event, event.dataTransfer?.files);
    };
    const paste = (event: ClipboardEvent): void => {
      offer(event, event.clipboardData?.files);
    };
    addEventListener("dragover", over);
    addEventListener("drop", drop);
    addEventListener("paste", paste);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("drop", drop);
      removeEventListener("paste", paste);
    };
  }, []);
  return { bitmap, all, name, refused, take };
}

/** The square centre of a picture on white, since drawings with a transparent ground are made to be seen on white. */
async function squareOf(file: File): Promise<ImageBitmap> {
  const picture = await createImageBitmap(file);
  const side = Math.min(picture.width, picture.height);
  const canvas = new OffscreenCanvas(OWN_SIDE, OWN_SIDE);
  const context = canvas.getContext("2d")!;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, OWN_SIDE, OWN_SIDE);
  context.imageSmoothingQuality = "high";
  const [left, top] = [(picture.width - side) / 2, (picture.height - side) / 2];
  context.drawImage(picture, left, top, side, side, 0, 0, OWN_SIDE, OWN_SIDE);
  picture.close();
  return canvas.transferToImageBitmap();
}

/** The field to choose pictures of one's own. */
export function OwnPictureField(props: {
  readonly own: OwnPicture;
  readonly texts: Readonly<Record<"ownPicture" | "ownPrivate" | "chooseFile", string>>;
}) {
  const { own, texts } = props;
  return (
    <FileField
      label={texts.ownPicture}
      help={texts.ownPrivate}
      button={texts.chooseFile}
      accept="image/*"
      chosen={own.name.value}
      onFiles={(files) => {
        void own.take(files);
      }}
    />
  );
}

/** Says that a file was no picture, or that the picture of a link is not here. */
export function OwnPictureNotices(props: {
  readonly own: OwnPicture;
  readonly isWanted: boolean;
  readonly texts: Readonly<Record<"notPicture" | "ownMissing", string>>;
}) {
  const { own, isWanted, texts } = props;
  return (
    <>
      {own.refused.value !== undefined && (
        <p role="alert" class="notice">
          {own.refused.value}: {texts.notPicture}
        </p>
      )}
      {isWanted && own.bitmap.value === undefined && (
        <p role="status" class="notice">
          {texts.ownMissing}
        </p>
      )}
    </>
  );
}
