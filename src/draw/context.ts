/** Default font family of drawn texts. */
export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';

/**
 * The surface on which line drawings are made: the part of a browser's `CanvasRenderingContext2D` that they
 * use. A canvas context can be used directly; `svg` makes a context that writes SVG text. A drawing fills a
 * rectangle whose upper left corner is (0, 0); to put it elsewhere, translate the canvas context first.
 * Drawing functions restore the styles that they change, and they do not clear the canvas.
 */
export interface DrawingContext {
  /**
   * A CSS colour or a gradient. `currentColor` is the text colour of the canvas element, or of the page around the SVG.
   */
  fillStyle: string | object;
  strokeStyle: string | object;
  lineWidth: number;
  lineCap: "butt" | "round" | "square";
  globalAlpha: number;
  /** Weight (optional), size in px and family, such as `700 21px sans-serif`. */
  font: string;
  textAlign: "left" | "center" | "right" | "start" | "end";
  save(): void;
  restore(): void;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  /** Draws an arc. Angles are in radians, clockwise from the right, because y points down. */
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
  /**
   * Gives the next shape a name, which becomes its class in SVG, so that scripts and style sheets can find
   * the shape. A canvas context does not have this method.
   */
  mark?(name: string): void;
}

/** Saves the styles, draws, and restores the styles. */
export function withStyles(context: DrawingContext, draw: () => void): void {
  context.save();
  try {
    draw();
  } finally {
    context.restore();
  }
}
