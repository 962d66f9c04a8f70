import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";

/** Side of a picture of the user in pixels, after its centre is cut out; networks get it smaller still. */
const OWN_SIDE = 256;

export interface OwnPicture {
  /** The square centre of the last picture; undefined before there is one. */
  readonly bitmap: Signal<ImageBitmap | undefined>;
  /** Name of the file that could not be read as a picture, until one can. */
  readonly refused: Signal<string | undefined>;
  readonly take: (file: File) => Promise<void>;
}

/**
 * The picture that a user chose, dropped on the page or pasted. It stays in the memory of this tab. A file that is no
 * picture changes nothing but `refused`.
 */
export function useOwnPicture(onTaken: () => void): OwnPicture {
  const bitmap = useSignal<ImageBitmap | undefined>(undefined);
  const refused = useSignal<string | undefined>(undefined);
  // Pictures are decoded at different speeds; only the latest counts.
  const latest = useSignal<File | undefined>(undefined);
  const take = async (file: File): Promise<void> => {
    latest.value = file;
    const square = await squareOf(file).catch(() => undefined);
    if (latest.peek() !== file) return;
    refused.value = square === undefined ? file.name : undefined;
    if (square === undefined) return;
    bitmap.value = square;
    onTaken();
  };
  useEffect(() => {
    const over = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes("Files") === true) event.preventDefault();
    };
    const offer = (event: Event, files: FileList | undefined): void => {
      const file = files?.[0];
      if (file === undefined) return;
      event.preventDefault();
      void take(file);
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
  return { bitmap, refused, take };
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

/** The field to choose a picture of one's own. */
export function OwnPictureField(props: {
  readonly own: OwnPicture;
  readonly texts: Readonly<Record<"ownPicture" | "ownPrivate", string>>;
}) {
  const { own, texts } = props;
  const id = useId();
  return (
    <div class="file">
      <label for={id}>{texts.ownPicture}</label>
      <input
        id={id}
        type="file"
        accept="image/*"
        aria-describedby={`${id}-private`}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file !== undefined) void own.take(file);
          // The same file can be chosen again.
          event.currentTarget.value = "";
        }}
      />
      <small id={`${id}-private`}>{texts.ownPrivate}</small>
    </div>
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
