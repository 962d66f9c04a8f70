import type { DrawingContext } from "striate/draw";

export interface ChartLine {
  /** What the line shows, for the table of its values. Default: the title of the figure. */
  readonly name?: string;
  readonly values: readonly number[];
  readonly colour: string;
}

export interface ChartOptions {
  readonly width: number;
  readonly height: number;
  readonly lines: readonly ChartLine[];
  readonly range: readonly [low: number, high: number];
  /** Position of the clock, counted in values. */
  readonly time: number;
  /** Positions at which something happened. */
  readonly marks?: readonly number[];
  readonly format: (value: number) => string;
}

/** The chart that each canvas shows, which can be saved as SVG and as a table. */
const charts = new WeakMap<Element, ChartOptions>();

export const chartOf = (canvas: Element): ChartOptions | undefined => charts.get(canvas);

/** Draws a chart and remembers it; `data-chart` marks the canvas for code that does not know charts. */
export function drawChart(context: CanvasRenderingContext2D, options: ChartOptions): void {
  charts.set(context.canvas, options);
  context.canvas.dataset.chart = "";
  paintChart(context, options, getComputedStyle(context.canvas).color);
}

/** Lines of values over the frames with the ends of their range, and a line at the current time. */
export function paintChart(context: DrawingContext, options: ChartOptions, ink: string): void {
  const { width, height, lines, range, time, marks = [], format } = options;
  const [low, high] = range;
  const count = Math.max(0, ...lines.map(({ values }) => values.length));
  if (count === 0) return;
  const [left, right, top, bottom] = [44, width - 8, 10, height - 12];
  const x = (i: number): number => left + (i / Math.max(1, count - 1)) * (right - left);
  const y = (value: number): number => bottom - ((value - low) / (high - low || 1)) * (bottom - top);
  const upright = (at: number): void => {
    context.beginPath();
    context.moveTo(x(at), top);
    context.lineTo(x(at), bottom);
    context.stroke();
  };
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = ink;
  context.textAlign = "right";
  context.fillText(format(high), left - 6, top + 8);
  context.fillText(format(low), left - 6, bottom);
  context.strokeStyle = "#888";
  context.lineWidth = 1;
  context.globalAlpha = 0.53;
  context.beginPath();
  context.moveTo(left, top);
  context.lineTo(right, top);
  context.lineTo(right, bottom);
  context.lineTo(left, bottom);
  context.closePath();
  context.stroke();
  context.setLineDash([4, 3]);
  marks.forEach(upright);
  context.setLineDash([]);
  context.globalAlpha = 1;
  context.strokeStyle = ink;
  upright(time);
  context.lineWidth = 2;
  for (const { values, colour } of lines) {
    context.strokeStyle = colour;
    context.beginPath();
    values.forEach((value, i) => {
      if (i === 0) context.moveTo(x(i), y(value));
      else context.lineTo(x(i), y(value));
    });
    context.stroke();
  }
}
