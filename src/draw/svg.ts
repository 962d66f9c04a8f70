import { checkSizes } from "../util/check.js";
import { check } from "../util/errors.js";
import { escape } from "../util/escape.js";
import { FONT } from "./context.js";
import type { DrawingContext } from "./context.js";

/** Size and name of an SVG drawing. */
export interface SvgOptions {
  /**
   * Width of the drawing, in the units of its coordinates. On a page, the drawing is scaled to the available
   * width.
   */
  readonly width: number;
  readonly height: number;
  /** Description for screen readers. */
  readonly label: string;
  /**
   * Prefix for the ids of the drawing's colour gradients. It must be unique on the page if the drawing has
   * gradients. Default `drawing`.
   */
  readonly id?: string;
  /** Margin around the drawing, for example to leave room for half the width of an outer line. Default 0. */
  readonly margin?: number;
}

/**
 * Makes an SVG element from the line drawing that `draw` makes on its context.
 *
 * @throws StriateError if the size is not above 0; errors of `draw` are passed on
 * @example
 * ```ts
 * import { svg } from "striate/draw";
 *
 * const square = svg({ width: 10, height: 10, label: "A square" }, (context) => {
 *   context.fillRect(2, 2, 6, 6);
 * });
 * console.log(square.includes("A square")); // true
 * ```
 */
export function svg(options: SvgOptions, draw: (context: DrawingContext) => void): string {
  const { width, height, label, id = "drawing", margin = 0 } = options;
  checkSizes("SVG drawing", { width, height });
  const context = new SvgContext(id);
  draw(context);
  const box = [-margin, -margin, width + 2 * margin, height + 2 * margin].map(fixed).join(" ");
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box}" role="img" aria-label="${escape(label)}"` +
    ` style="display:block" font-family="${escape(FONT)}">${context.elements.join("")}</svg>`
  );
}

/** Formats a number with at most two decimals. */
function fixed(value: number): string {
  const text = value.toFixed(2).replace(/\.?0+$/, "");
  return text === "-0" ? "0" : text;
}

interface Gradient {
  readonly id: string;
  readonly start: string;
  readonly stops: string[];
  defined: boolean;
}

const INITIAL = {
  fillStyle: "#000" as string | object,
  strokeStyle: "#000" as string | object,
  lineWidth: 1,
  lineCap: "butt" as DrawingContext["lineCap"],
  globalAlpha: 1,
  font: `10px ${FONT}`,
  textAlign: "start" as DrawingContext["textAlign"],
  dash: [] as readonly number[],
};

const ANCHORS = { left: "start", start: "start", center: "middle", right: "end", end: "end" } as const;
const TURN = 2 * Math.PI;

class SvgContext implements DrawingContext {
  readonly elements: string[] = [];
  readonly #id: string;
  readonly #saved: (typeof INITIAL)[] = [];
  readonly #gradients = new Map<object, Gradient>();
  #style = { ...INITIAL };
  #path: string[] = [];
  #x = 0;
  #y = 0;
  #mark: string | undefined;

  constructor(id: string) {
    this.#id = id;
  }

  get fillStyle(): string | object {
    return this.#style.fillStyle;
  }
  set fillStyle(style: string | object) {
    this.#style.fillStyle = style;
  }
  get strokeStyle(): string | object {
    return this.#style.strokeStyle;
  }
  set strokeStyle(style: string | object) {
    this.#style.strokeStyle = style;
  }
  get lineWidth(): number {
    return this.#style.lineWidth;
  }
  set lineWidth(width: number) {
    this.#style.lineWidth = width;
  }
  get lineCap(): DrawingContext["lineCap"] {
    return this.#style.lineCap;
  }
  set lineCap(cap: DrawingContext["lineCap"]) {
    this.#style.lineCap = cap;
  }
  get globalAlpha(): number {
    return this.#style.globalAlpha;
  }
  set globalAlpha(alpha: number) {
    this.#style.globalAlpha = alpha;
  }
  get font(): string {
    return this.#style.font;
  }
  set font(font: string) {
    this.#style.font = font;
  }
  get textAlign(): DrawingContext["textAlign"] {
    return this.#style.textAlign;
  }
  set textAlign(align: DrawingContext["textAlign"]) {
    this.#style.textAlign = align;
  }

  save(): void {
    this.#saved.push({ ...this.#style });
  }
  restore(): void {
    this.#style = this.#saved.pop() ?? this.#style;
  }
  mark(name: string): void {
    this.#mark = name;
  }
  setLineDash(lengths: number[]): void {
    this.#style.dash = lengths;
  }

  beginPath(): void {
    this.#path = [];
  }
  moveTo(x: number, y: number): void {
    this.#path.push(`M${fixed(x)} ${fixed(y)}`);
    this.#go(x, y);
  }
  lineTo(x: number, y: number): void {
    if (fixed(y) === fixed(this.#y)) this.#path.push(`h${fixed(x - this.#x)}`);
    else if (fixed(x) === fixed(this.#x)) this.#path.push(`v${fixed(y - this.#y)}`);
    else this.#path.push(`L${fixed(x)} ${fixed(y)}`);
    this.#go(x, y);
  }
  arc(x: number, y: number, radius: number, start: number, end: number, anticlockwise = false): void {
    const point = (angle: number): [number, number] => [
      x + radius * Math.cos(angle),
      y + radius * Math.sin(angle),
    ];
    const [firstX, firstY] = point(start);
    if (this.#path.length === 0) this.moveTo(firstX, firstY);
    else this.lineTo(firstX, firstY);
    let sweep = anticlockwise ? start - end : end - start;
    sweep = sweep >= TURN ? TURN : ((sweep % TURN) + TURN) % TURN;
    // SVG draws nothing for an arc that ends where it begins, so arcs are split into parts of at most half a turn.
    const parts = sweep > Math.PI ? 2 : 1;
    for (let part = 1; part <= parts; part++) {
      const [toX, toY] = point(start + ((anticlockwise ? -1 : 1) * sweep * part) / parts);
      const size = fixed(radius);
      this.#path.push(`A${size} ${size} 0 0 ${anticlockwise ? 0 : 1} ${fixed(toX)} ${fixed(toY)}`);
      this.#go(toX, toY);
    }
  }
  closePath(): void {
    this.#path.push("Z");
  }
  #go(x: number, y: number): void {
    this.#x = x;
    this.#y = y;
  }

  fill(): void {
    this.#add("path", `d="${this.#path.join("")}" fill="${this.#paint(this.fillStyle)}"`);
  }
  stroke(): void {
    this.#add("path", `d="${this.#path.join("")}" fill="none" ${this.#line()}`);
  }
  fillRect(x: number, y: number, width: number, height: number): void {
    const place = `x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width)}" height="${fixed(height)}"`;
    this.#add("rect", `${place} fill="${this.#paint(this.fillStyle)}"`);
  }
  fillText(text: string, x: number, y: number): void {
    const [, weight, size, family] = /^(?:(\w+) )?([\d.]+)px (.+)$/.exec(this.font) ?? [];
    check(
      size !== undefined && family !== undefined,
      () => `SVG drawing: expected a font like "700 12px sans-serif", got "${this.font}"`,
    );
    const font =
      `font-size="${size}"` +
      (weight === undefined ? "" : ` font-weight="${escape(weight)}"`) +
      (family === FONT ? "" : ` font-family="${escape(family)}"`);
    const place = `x="${fixed(x)}" y="${fixed(y)}" text-anchor="${ANCHORS[this.textAlign]}"`;
    this.#add("text", `${place} ${font} fill="${this.#paint(this.fillStyle)}"`, escape(text));
  }

  createRadialGradient(x0: number, y0: number, r0: number, x1: number, y1: number, r1: number) {
    const stops: string[] = [];
    const gradient = {
      addColorStop: (offset: number, colour: string) => {
        stops.push(`<stop offset="${fixed(offset)}" stop-color="${escape(colour)}"/>`);
      },
    };
    const start =
      `gradientUnits="userSpaceOnUse" fx="${fixed(x0)}" fy="${fixed(y0)}" fr="${fixed(r0)}"` +
      ` cx="${fixed(x1)}" cy="${fixed(y1)}" r="${fixed(r1)}"`;
    const id = this.#gradients.size === 0 ? this.#id : `${this.#id}-${this.#gradients.size + 1}`;
    this.#gradients.set(gradient, { id, start, stops, defined: false });
    return gradient;
  }

  #paint(style: string | object): string {
    if (typeof style === "string") return escape(style);
    const gradient = this.#gradients.get(style);
    check(gradient, () => "SVG drawing: expected a colour or a gradient made by its own context");
    const { id, start, stops } = gradient;
    if (!gradient.defined)
      this.elements.push(
        `<defs><radialGradient id="${escape(id)}" ${start}>${stops.join("")}</radialGradient></defs>`,
      );
    gradient.defined = true;
    return `url(#${escape(id)})`;
  }

  #line(): string {
    const { lineWidth, lineCap, dash } = this.#style;
    return (
      `stroke="${this.#paint(this.strokeStyle)}" stroke-width="${fixed(lineWidth)}"` +
      (lineCap === "butt" ? "" : ` stroke-linecap="${lineCap}"`) +
      (dash.length === 0 ? "" : ` stroke-dasharray="${dash.map(fixed).join(" ")}"`)
    );
  }

  #add(name: string, attributes: string, content?: string): void {
    const mark = this.#mark === undefined ? "" : ` class="${escape(this.#mark)}"`;
    const alpha = this.globalAlpha === 1 ? "" : ` opacity="${fixed(this.globalAlpha)}"`;
    this.#mark = undefined;
    this.elements.push(
      `<${name}${mark} ${attributes}${alpha}${content === undefined ? "/>" : `>${content}</${name}>`}`,
    );
  }
}
