import { useId, useRef } from "preact/hooks";

export interface FileFieldProps {
  readonly label: string;
  readonly help?: string | undefined;
  /** Text of the button. */
  readonly button: string;
  readonly accept: string;
  /** What was chosen, also by dropping or pasting, of which the browser's own field would know nothing. */
  readonly chosen: string | undefined;
  readonly onFiles: (files: readonly File[]) => void;
}

/** A field to choose files, which says what was chosen last. */
export function FileField({ label, help, button, accept, chosen, onFiles }: FileFieldProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  return (
    <div class="file">
      <span id={id}>{label}</span>
      <div>
        <button type="button" aria-describedby={id} onClick={() => input.current?.click()}>
          {button}
        </button>{" "}
        <output>{chosen}</output>
      </div>
      <input
        ref={input}
        hidden
        multiple
        type="file"
        aria-label={label}
        accept={accept}
        onChange={(event) => {
          onFiles([...(event.currentTarget.files ?? [])]);
          // The same file can be chosen again.
          event.currentTarget.value = "";
        }}
      />
      {help !== undefined && <small>{help}</small>}
    </div>
  );
}
