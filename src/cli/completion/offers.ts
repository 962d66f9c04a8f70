/** What a shell offers for one word of the command line. */
export type Offer = { readonly words: readonly string[] } | "file" | "folder" | "nothing";

/** An option as completion scripts need it. */
export interface CompletedOption {
  readonly flag: string;
  readonly help: string;
  /** Suggestions for the value; undefined for an option without a value. */
  readonly value?: Offer;
}

/** A command as completion scripts need it; `words` are the words that call it, such as ["predify", "init"]. */
export interface CompletedCommand {
  readonly words: readonly string[];
  readonly summary: string;
  readonly argument: Offer;
  readonly options: readonly CompletedOption[];
}
