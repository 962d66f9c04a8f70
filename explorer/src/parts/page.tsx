import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { View, ViewState } from "../address.js";
import { VIEWS, viewAddress } from "../address.js";
import type { Texts } from "../texts/en.js";
import { textsOf } from "../texts/texts.js";
import type { Table } from "./save.js";

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

/** A list of what can be saved: each figure as PNG, charts also as SVG and their values as CSV, and the numbers of the run as CSV. */
function Save({ view, table, texts }: SaveProps) {
  const titles = useSignal<readonly { readonly title: string; readonly isChart: boolean }[]>([]);
  const figures = (): Element[] =>
    [...document.querySelectorAll("figure")].filter((figure) => figure.querySelector("canvas") !== null);
  const look = (): void => {
    titles.value = figures().map((figure) => ({
      title: figure.querySelector("h2")?.textContent ?? "",
      isChart: figure.querySelector("canvas[data-chart]") !== null,
    }));
  };
  /** @param what the numbers of the run ("csv"), or the kind and the index of a figure ("svg 3") */
  const save = async (what: string): Promise<void> => {
    // Only those who save something load what writes it.
    const { csvOf, download, pngOf, seriesOf, svgOf } = await import("./save.js");
    const [kind, at] = what.split(" ");
    const name = `striate-${view}${at === undefined ? "" : `-${Number(at) + 1}`}`;
    const figure = figures()[Number(at)];
    const numbers = at === undefined ? table() : kind === "csv" ? figure && seriesOf(figure) : undefined;
    const drawing = kind === "svg" ? figure && svgOf(figure) : undefined;
    if (numbers !== undefined) download(`${name}.csv`, new Blob([csvOf(numbers)], { type: "text/csv" }));
    if (drawing !== undefined) download(`${name}.svg`, new Blob([drawing], { type: "image/svg+xml" }));
    if (kind === "png" && figure !== undefined) download(`${name}.png`, await pngOf(figure));
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
      {titles.value.flatMap(({ title, isChart }, i) =>
        (isChart ? ["png", "svg", "csv"] : ["png"]).map((kind) => (
          <option key={`${kind} ${i}`} value={`${kind} ${i}`}>
            {`${title} (${kind.toUpperCase()})`}
          </option>
        )),
      )}
    </select>
  );
}
