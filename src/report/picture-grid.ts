import type { Html } from "./html.js";
import { markup } from "./html.js";

/** An image on the page with its caption. */
export interface ReportPicture {
  /** The image as a `data:` address. */
  readonly uri: string;
  readonly title: string;
  /** The text for readers who do not see the image. Default: the title. */
  readonly alt?: string;
  /** What networks predict for the image. */
  readonly answers?: readonly { readonly text: string; readonly wrong: boolean }[];
}

/** Pictures with captions in as many columns of at least `width` pixels as there is room for. */
export function pictureGrid(pictures: readonly ReportPicture[], width: number): Html {
  return markup`<div class="channels" style="max-width:none;grid-template-columns:repeat(auto-fill,minmax(${width}px,1fr))">
    ${pictures.map(
      ({ uri, title, alt = title, answers = [] }) =>
        markup`<figure>
          <span><img src="${uri}" alt="${alt}" title="${alt}" loading="lazy"></span>
          <figcaption>
            ${title}${answers.map(
              ({ text, wrong }) =>
                markup`<br><span class="${wrong ? "wrong" : "right"}" style="display:inline;background:none">${text}</span>`,
            )}
          </figcaption>
        </figure>`,
    )}
  </div>`;
}
