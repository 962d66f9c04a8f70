import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { View, ViewState } from "../address.js";
import { VIEWS, viewAddress } from "../address.js";
import type { Texts } from "../texts/en.js";
import { textsOf } from "../texts/texts.js";
import type { Table } from "./save.js";
import { csvOf, download, pngOf } from "./save.js";

export interface PageProps<State extends ViewState> {
  readonly view: View;
  readonly state: Signal<State>;
  readonly ignored: readonly string[];
  readonly problem: string | undefined;
  readonly tagline: string;
  readonly caption: string;
  readonly source: string;
  /** The numbers that the view shows; undefined before there are any. */
  readonly table: () => Table | undefined;
  readonly children: ComponentChildren;
}

/** What surrounds every view: title, links to the views, problems, and the source. */
export function PageFrame<State extends ViewState>(props: PageProps<State>) {
  const { view, state, ignored, problem, tagline, caption, source, table, children } = props;
  const copied = useSignal(false);
  const { language } = state.value;
  const texts = textsOf(language);
  return (
    <main>
      <header>
        <h1>{texts.title}</h1>
        <p>{tagline}</p>
        <div class="tools">
          <button
            type="button"
            onClick={() => {
              void navigator.clipboard.writeText(location.href).then(() => {
                copied.value = true;
              });
            }}
          >
            {copied.value ? texts.copied : texts.copyLink}
          </button>
          <Save view={view} table={table} texts={texts} />
          <button
            type="button"
            onClick={() => {
              state.value = { ...state.value, language: language === "en" ? "zh" : "en" };
            }}
          >
            {texts.language}
          </button>
        </div>
      </header>
      <nav aria-label={texts.views}>
        {VIEWS.map((one) => (
          <a key={one} href={viewAddress(one, language)} {...(one === view && { "aria-current": "page" })}>
            {texts[`view-${one}`]}
          </a>
        ))}
      </nav>
      {ignored.length > 0 && (
        <p role="status" class="notice">
          {texts.ignored}
          {ignored.join(", ")}
        </p>
      )}
      {problem !== undefined && (
        <p role="alert" class="notice">
          {problem}
        </p>
      )}
      <p class="caption">{caption}</p>
      {children}
      <footer>{source}</footer>
    </main>
  );
}

interface SaveProps {
  readonly view: View;
  readonly table: () => Table | undefined;
  readonly texts: Texts;
}

/** A list of what can be saved: each figure as PNG, and the numbers of the run as CSV. */
function Save({ view, table, texts }: SaveProps) {
  const titles = useSignal<readonly string[]>([]);
  const figures = (): Element[] =>
    [...document.querySelectorAll("figure")].filter((figure) => figure.querySelector("canvas") !== null);
  const look = (): void => {
    titles.value = figures().map((figure) => figure.querySelector("h2")?.textContent ?? "");
  };
  const save = async (what: string): Promise<void> => {
    const numbers = what === "csv" ? table() : undefined;
    if (numbers !== undefined)
      download(`striate-${view}.csv`, new Blob([csvOf(numbers)], { type: "text/csv" }));
    const figure = figures()[Number(what)];
    if (figure !== undefined) download(`striate-${view}-${Number(what) + 1}.png`, await pngOf(figure));
  };
  return (
    <select
      aria-label={texts.save}
      value=""
      onFocus={look}
      onPointerDown={look}
      onChange={(event) => {
        const what = event.currentTarget.value;
        event.currentTarget.value = "";
        void save(what);
      }}
    >
      <option value="">{texts.save}</option>
      <option value="csv">{texts.saveNumbers}</option>
      {titles.value.map((title, i) => (
        <option key={i} value={i}>
          {`${title} (PNG)`}
        </option>
      ))}
    </select>
  );
}
