export const VIEWS = ["komplexnet", "akorn", "sudoku", "predify", "v1"] as const;
/** A view of the page. The part of the address after "?" names it. */
export type View = (typeof VIEWS)[number];

export type Language = "en" | "zh";

/** The fields that the state of every view has. */
export interface ViewState {
  readonly language: Language;
}

/** How the state of a view is written in the address. */
export interface AddressFormat<State extends ViewState> {
  /** The state of an empty address. */
  readonly start: State;
  /** Reads each value from its text; undefined if the text is not a valid value. */
  readonly readers: { readonly [K in keyof State]: (text: string) => State[K] | undefined };
  readonly textOf: (state: State, key: keyof State) => string;
}

/** Accepts numbers within a range, whole ones only if `whole` is true. */
export const within =
  ([low, high]: readonly [low: number, high: number], whole = false) =>
  (text: string): number | undefined => {
    const value = Number(text);
    return text !== "" && value >= low && value <= high && (!whole || Number.isInteger(value))
      ? value
      : undefined;
  };

/** Accepts only these words. */
export const oneOf =
  <Word extends string>(words: readonly Word[]) =>
  (text: string): Word | undefined =>
    words.find((word) => word === text);

export const readLanguage = oneOf<Language>(["en", "zh"]);

/** The view that the part of an address after "?" names, or the first view if it names none. */
export function readView(search: string): { readonly view: View; readonly ignored: readonly string[] } {
  const text = new URLSearchParams(search).get("view");
  const view = text === null ? undefined : oneOf(VIEWS)(text);
  return { view: view ?? VIEWS[0], ignored: text === null || view !== undefined ? [] : ["view"] };
}

/** The address of a view with its initial settings, relative to the page. */
export const viewAddress = (view: View, language: Language): string =>
  `?view=${view}${language === "en" ? "" : `#language=${language}`}`;

/** Reads the part of an address after "#". Unknown keys and values out of range are ignored, and returned in a list. */
export function readAddress<State extends ViewState>(
  hash: string,
  { start, readers }: AddressFormat<State>,
): { readonly state: State; readonly ignored: readonly string[] } {
  const ignored: string[] = [];
  const given: Record<string, unknown> = {};
  for (const [key, text] of new URLSearchParams(hash.replace(/^#/, ""))) {
    const value = Object.hasOwn(readers, key) ? readers[key as keyof State](text) : undefined;
    if (value === undefined) ignored.push(key);
    else given[key] = value;
  }
  return { state: { ...start, ...given }, ignored };
}

/** Writes the part of an address after "#": all values that differ from the initial ones. */
export function writeAddress<State extends ViewState>(
  state: State,
  { start, textOf }: AddressFormat<State>,
): string {
  const parts = (Object.keys(start) as (keyof State & string)[]).flatMap((key) => {
    const text = textOf(state, key);
    return text === textOf(start, key) ? [] : [`${key}=${text}`];
  });
  return parts.join("&");
}

/** A number with one decimal at most. */
export const short = (value: number): string => String(Math.round(value * 10) / 10);
