/** What a shell may offer at some place. */
export type Offer = { readonly words: readonly string[] } | "file" | "folder" | "nothing";

/** An option as a shell sees it. */
export interface CompletedOption {
  readonly flag: string;
  readonly help: string;
  /** Undefined for an option without a value. */
  readonly value?: Offer;
}

/** A command as a shell sees it; `words` are those that call it, such as ["predify", "init"]. */
export interface CompletedCommand {
  readonly words: readonly string[];
  readonly summary: string;
  readonly argument: Offer;
  readonly options: readonly CompletedOption[];
}
