/** Default font family of drawn texts. */
export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';

/**
 * What line drawings draw on: the part of a browser's `CanvasRenderingContext2D` that they use. A canvas context fits as it
 * is; `svg` makes one whose drawing becomes SVG text. Drawings fill the square or rectangle from (0, 0) on: to put one
 * elsewhere, translate the canvas context before. They leave its styles as they were, and do not clear it.
 */
export interface DrawingContext {
  /** A CSS colour or a gradient; `currentColor` is the text colour of the canvas element or of the page around the SVG. */
  fillStyle: string | object;
  strokeStyle: string | object;
  lineWidth: number;
  lineCap: "butt" | "round" | "square";
  globalAlpha: number;
  /** Weight (may be left out), size in px and family: `700 21px sans-serif`. */
  font: string;
  textAlign: "left" | "center" | "right" | "start" | "end";
  save(): void;
  restore(): void;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  /** Angles in radians, clockwise from the right, as y points down. */
  arc(x: number, y: number, radius: number, start: number, end: number, anticlockwise?: boolean): void;
  closePath(): void;
  fill(): void;
  stroke(): void;
  fillRect(x: number, y: number, width: number, height: number): void;
  fillText(text: string, x: number, y: number): void;
  setLineDash(lengths: number[]): void;
  createRadialGradient(
    x0: number,
    y0: number,
    r0: number,
    x1: number,
    y1: number,
    r1: number,
  ): { addColorStop(offset: number, colour: string): void };
  /** Names the next shape (its class in SVG), so that scripts and style sheets find it. A canvas has no names. */
  mark?(name: string): void;
}

/** Draws between saving and restoring the styles. */
export function withStyles(context: DrawingContext, draw: () => void): void {
  context.save();
  try {
    draw();
  } finally {
    context.restore();
  }
}
