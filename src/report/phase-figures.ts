import { check } from "../util/errors.js";
import { entry, hex, UNIFORM_CYCLE } from "./colour.js";
import type { CyclicMap, Rgb } from "./colour.js";
import { maximumAmplitude } from "./phase-map.js";
import type { PhasePlane } from "./phase-map.js";
import { FONT, OBJECT_COLOURS } from "./theme.js";

function fixed(value: number): string {
  return String(Number(value.toFixed(2)));
}

/** Angle anticlockwise from the right, as in mathematics; SVG's y axis points down. */
function at(centre: number, radius: number, angle: number): string {
  return `${fixed(centre + radius * Math.cos(angle))} ${fixed(centre - radius * Math.sin(angle))}`;
}

/** Options of {@link colourWheel}. */
export interface ColourWheelOptions {
  /** Default {@link UNIFORM_CYCLE}. */
  readonly map?: CyclicMap;
  /** Unique on the page (a gradient is named after it); default `wheel-` and the map's id. */
  readonly id?: string;
}

/**
 * Legend of a phase picture as SVG: angle = phase with labels at 0, π/2, ±π and -π/2; from the rim inwards, the
 * colours fade as amplitude falls from its maximum to zero.
 */
export function colourWheel(options: ColourWheelOptions = {}): string {
  const { map = UNIFORM_CYCLE } = options;
  const { id = `wheel-${map.id}` } = options;
  const [size, centre, radius, wedges] = [132, 66, 45, 96];
  const slices = Array.from({ length: wedges }, (_, i) => {
    const from = -Math.PI + (2 * Math.PI * i) / wedges;
    // Slight overlap hides the seams that antialiasing leaves between neighbours.
    const to = from + (2 * Math.PI * 1.25) / wedges;
    const colour = hex(entry(map.table, Math.floor(((i + 0.5) * 256) / wedges)));
    const arc = `A${radius} ${radius} 0 0 0 ${at(centre, radius, to)}`;
    return `<path fill="${colour}" d="M${centre} ${centre}L${at(centre, radius, from)}${arc}Z"/>`;
  });
  const labels = (
    [
      ["0", centre + radius + 5, centre + 4, "start"],
      ["π/2", centre, centre - radius - 6, "middle"],
      ["±π", centre - radius - 4, centre + 4, "end"],
      ["−π/2", centre, centre + radius + 15, "middle"],
    ] as const
  ).map(
    ([text, x, y, anchor]) =>
      `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="currentColor" font-size="12">${text}</text>`,
  );
  const silent = hex(map.silent);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" role="img" font-family="${attribute(FONT)}"`,
    ` aria-label="Colour wheel: hue shows phase from −π over 0 to π, opacity from centre to rim shows amplitude">`,
    `<defs><radialGradient id="${id}"><stop offset="0" stop-color="${silent}"/>`,
    `<stop offset="1" stop-color="${silent}" stop-opacity="0"/></radialGradient></defs>`,
    ...slices,
    `<circle cx="${centre}" cy="${centre}" r="${radius + 0.5}" fill="url(#${id})"/>`,
    ...labels,
    "</svg>",
  ].join("");
}

function attribute(text: string): string {
  return text.replace(/"/g, "'");
}

/** Options of {@link polarScatter}. */
export interface PolarScatterOptions {
  /** Object of each pixel: 0 background, 1..n objects, n + 1 shared by several. Default: all one group. */
  readonly objects?: ArrayLike<number>;
  /** Number of objects n; needed with `objects`. */
  readonly objectCount?: number;
  /** Amplitude at the rim; default the plane's maximum. */
  readonly maximum?: number;
  /** Spoken description. */
  readonly label?: string;
}

/** Amplitude (as a part of the maximum) below which a unit is not drawn. */
export const SCATTER_THRESHOLD = 0.05;

/** Half the width of a polar scatter plot's box, and the radius of its rim. */
export const SCATTER_CENTRE = 60;
export const SCATTER_RADIUS = 52;

/**
 * Every active pixel as a dot: angle = phase, radius = amplitude / maximum, coloured by object. Drawn for a dark
 * ground. Each object's dots are one path of class `object-k`, so that a script can move them.
 */
export function polarScatter(plane: PhasePlane, options: PolarScatterOptions = {}): string {
  const { objects, objectCount = 0, maximum = maximumAmplitude(plane) } = options;
  const pixels = plane.phase.length;
  check(
    !objects || objects.length === pixels,
    () => `polar scatter objects: expected ${pixels} values, got ${objects?.length ?? 0}`,
  );
  const groups = Array.from({ length: objectCount + 2 }, () => "");
  for (let p = 0; p < pixels; p++) {
    const radius = plane.amplitude[p]! / maximum;
    if (radius < SCATTER_THRESHOLD) continue;
    const object = objects?.[p] ?? 0;
    check(
      object < groups.length,
      () => `polar scatter object: expected 0..${objectCount + 1}, got ${object}`,
    );
    groups[object] = `${groups[object]!}M${at(SCATTER_CENTRE, radius * SCATTER_RADIUS, plane.phase[p]!)}h0`;
  }
  const rings = [1, 0.5].map(
    (part) =>
      `<circle cx="${SCATTER_CENTRE}" cy="${SCATTER_CENTRE}" r="${part * SCATTER_RADIUS}" fill="none" stroke="#fff" stroke-opacity=".22"/>`,
  );
  const cross = `<path d="M8 60H112M60 8V112" stroke="#fff" stroke-opacity=".14"/>`;
  const paths = groups.map((d, object) => {
    const colour = object === 0 ? "#9aa0aa" : hex(scatterColour(object, objectCount));
    return `<path class="object-${object}" d="${d || "M0 0"}" fill="none" stroke="${colour}" stroke-width="2.6" stroke-linecap="round" stroke-opacity=".8"/>`;
  });
  const label = options.label ?? "Polar plot of phases (angle) and amplitudes (radius)";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120" role="img" aria-label="${attribute(label)}">${rings.join("")}${cross}${paths.join("")}</svg>`;
}

/** Colour of object 1..n, or of shared pixels (n + 1). */
export function scatterColour(object: number, objectCount: number): Rgb {
  const shared = OBJECT_COLOURS.length - 1;
  return object > objectCount ? OBJECT_COLOURS[shared]! : OBJECT_COLOURS[(object - 1) % shared]!;
}
