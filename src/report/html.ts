import { escape } from "../util/escape.js";
import { STYLES } from "./styles.js";

/** Markup that is safe to insert unescaped. Only {@link markup} and {@link raw} make it. */
export class Html {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text;
  }
}

/**
 * The content of a template: text is escaped, markup is not, lists are joined; null, undefined and false give nothing.
 */
export type Content = Html | string | number | false | null | undefined | readonly Content[];

/** Makes markup of trusted text (written by this library), without escaping. */
export function raw(text: string): Html {
  return new Html(text);
}

/** The template tag for markup: it escapes interpolated text, but not interpolated markup. */
export function markup(strings: TemplateStringsArray, ...contents: readonly Content[]): Html {
  let text = strings[0]!;
  contents.forEach((content, i) => {
    text += render(content) + strings[i + 1]!;
  });
  return new Html(text);
}

function render(content: Content): string {
  if (content === null || content === undefined || content === false) return "";
  if (content instanceof Html) return content.text;
  if (typeof content === "string") return escape(content);
  if (typeof content === "number") return Number.isFinite(content) ? String(content) : "–";
  return content.map(render).join("");
}

/** JSON for a `<script type="application/json">` element, escaped so that it cannot end the element. */
export function embeddedJson(value: unknown): Html {
  return raw(JSON.stringify(value).replace(/</g, "\\u003c").replace(/>/g, "\\u003e"));
}

/** A part of the page, listed in the table of contents. */
export interface Section {
  readonly id: string;
  readonly title: string;
  /** One or two sentences under the heading. */
  readonly lead?: Content;
  readonly body: Content;
}

export interface PageOptions {
  readonly title: string;
  readonly subtitle?: Content;
  /** Short facts under the title. */
  readonly facts?: readonly string[];
  readonly sections: readonly Section[];
  /** How the numbers were measured, as names and values. */
  readonly provenance?: readonly (readonly [name: string, value: Content])[];
  /** CSS background of the strip at the top. */
  readonly ribbon?: string;
  /** Inline scripts at the end of the page. */
  readonly scripts?: readonly string[];
  /** Data for the scripts, inserted before them. */
  readonly data?: Content;
}

/** Writes a complete, self-contained HTML file. Its security policy forbids all network requests. */
export function page(options: PageOptions): string {
  const { sections, provenance = [], scripts = [] } = options;
  const listed =
    provenance.length > 0 ? [...sections, { id: "provenance", title: "How this was measured" }] : sections;
  const document = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
       >
        <title>${options.title}</title>
        <style>
          ${raw(STYLES)}
        </style>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header class="masthead">
          <div class="ribbon" style="background:${options.ribbon ?? "currentColor"}"></div>
          <div class="column">
            <h1>${options.title}</h1>
            ${options.subtitle ? markup`<p class="subtitle">${options.subtitle}</p>` : null}
            ${
              options.facts?.length
                ? markup`<ul class="facts">
                    ${options.facts.map((fact) => markup`<li>${fact}</li>`)}
                  </ul>`
                : null
            }
            <nav aria-label="Contents">
              <ul>
                ${listed.map(({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>`)}
              </ul>
            </nav>
          </div>
        </header>
        <main id="content" class="column">
          ${sections.map(
            ({ id, title, lead, body }) =>
              markup`<section id="${id}" aria-labelledby="${id}-title">
                <h2 id="${id}-title">${title}</h2>
                ${lead ? markup`<p class="lead">${lead}</p>` : null} ${body}
              </section> `,
          )}${provenance.length > 0 ? provenanceSection(provenance) : null}
        </main>
        ${options.data}
        ${scripts.map((script) => markup`<script>${raw(script.replace(/<\/(script)/gi, "<\\/$1"))}</script>`)}
      </body>
    </html> `;
  return document.text;
}

function provenanceSection(entries: readonly (readonly [string, Content])[]): Html {
  return markup`<section id="provenance" aria-labelledby="provenance-title">
    <h2 id="provenance-title">How this was measured</h2>
    <dl class="provenance">
      ${entries.map(
        ([name, value]) =>
          markup`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}

export interface TableOptions {
  readonly caption?: Content;
  /** Column heads; the first one is above the row names. */
  readonly head: readonly Content[];
  readonly rows: readonly { readonly name: Content; readonly cells: readonly Content[] }[];
  /**
   * Columns of published numbers, which look different. They are counted from 0, without the column of row
   * names.
   */
  readonly foreign?: readonly number[];
  /** The name of the table for screen readers. */
  readonly label: string;
}

/** A table in a box that scrolls sideways on narrow screens. The keyboard can scroll it, too. */
export function table(options: TableOptions): Html {
  const foreign = (column: number): Html | null =>
    options.foreign?.includes(column) ? raw(' class="foreign"') : null;
  return markup`<div class="scroll" role="region" aria-label="${options.label}" tabindex="0">
    <table>
      ${options.caption ? markup`<caption><span>${options.caption}</span></caption>` : null}
      <thead>
        <tr>
          ${options.head.map((cell, i) => markup`<th scope="col"${foreign(i - 1)}>${cell}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${options.rows.map(
          ({ name, cells }) =>
            markup`<tr>
              <th scope="row">${name}</th>
              ${cells.map((cell, i) => markup`<td${foreign(i)}>${cell}</td>`)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A figure; the caption says what to look for. */
export function figure(body: Content, caption: Content, extra: Content = null): Html {
  return markup`<figure class="figure">
    ${body}
    <figcaption>${caption}</figcaption>
    ${extra}
  </figure>`;
}

/** One number of a summary. */
export interface Card {
  /** CSS colour of the mark. */
  readonly colour: string;
  readonly name: string;
  readonly value: string;
  /** The unit, in small letters after the value. Default " %". */
  readonly unit?: Content;
  readonly aside: Content;
}

/** The main numbers of a page as cards. */
export function cards(list: readonly Card[]): Html {
  return markup`<ul class="cards">
    ${list.map(
      ({ colour, name, value, unit = " %", aside }) =>
        markup`<li class="card" style="--mark:${colour}">
          <span class="name">${name}</span><span class="big">${value}<small>${unit}</small></span>
          <span class="aside">${aside}</span>
        </li>`,
    )}
  </ul>`;
}

/** A boxed remark. A label names its `kind`, so that readers do not depend on colour. */
export function note(kind: "note" | "caution", body: Content): Html {
  return markup`<aside class="note ${kind}">
    <strong>${kind === "note" ? "Note" : "Caution"}.</strong> ${body}
  </aside>`;
}

/** A part of the page that is folded until the reader opens it. */
export function details(summary: Content, body: Content): Html {
  return markup`<details class="more">
    <summary>${summary}</summary>
    ${body}
  </details>`;
}

/** Formats a fraction as a percentage with one decimal, without the sign: `69.7`. */
export function percent(value: number): string {
  return Number.isFinite(value) ? (100 * value).toFixed(1) : "–";
}

/** Formats a number with up to `digits` significant digits: `0.0123`, `1.2e-7`, `76,800`. */
export function number(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3) return value.toExponential(digits - 2);
  return value.toLocaleString("en-GB", {
    maximumSignificantDigits: Math.max(digits, Math.ceil(Math.log10(size))),
  });
}

/** Formats a duration: `1 h 02 min`, `9 min 41 s`, `38 s`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (hours > 0) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  return minutes > 0 ? `${minutes} min ${String(rest).padStart(2, "0")} s` : `${rest} s`;
}
