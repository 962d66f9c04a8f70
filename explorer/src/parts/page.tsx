import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { View, ViewState } from "../address.js";
import { VIEWS, viewAddress } from "../address.js";
import { TEXTS } from "../texts/texts.js";

export interface PageProps<State extends ViewState> {
  readonly view: View;
  readonly state: Signal<State>;
  readonly ignored: readonly string[];
  readonly problem: string | undefined;
  readonly tagline: string;
  readonly caption: string;
  readonly source: string;
  readonly children: ComponentChildren;
}

/** What surrounds every view: title, links to the views, problems, and the source. */
export function PageFrame<State extends ViewState>(props: PageProps<State>) {
  const { view, state, ignored, problem, tagline, caption, source, children } = props;
  const copied = useSignal(false);
  const { language } = state.value;
  const texts = TEXTS[language];
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
