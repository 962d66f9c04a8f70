import {
  channelPhases,
  dotColour,
  drawPhaseWheel,
  drawPolarPlot,
  GREY,
  hex,
  featureMaps,
  labelColour,
  labelMap,
  labelsOfMasks,
  maximumAmplitude,
  ORDER_RING,
  phaseIndex,
  phaseMap,
  POLAR_RADIUS,
  POLAR_THRESHOLD,
  SHARED,
  svg,
  TWO_HUE_CYCLE,
  UNIFORM_CYCLE,
} from "../draw/index.js";
import type { CyclicMap, PhaseField, PhasePlane, Rgb } from "../draw/index.js";
import { check } from "../util/errors.js";
import type { Content, Html } from "./html.js";
import { embeddedJson, markup, raw } from "./html.js";
import { base64, pngDataUri } from "./png.js";

/** The phases of one network in a player, one plane per timestep. */
export interface PlayerPanel {
  readonly name: string;
  /** Text under the name, such as the predicted labels. */
  readonly remark?: Content;
  readonly planes: readonly PhasePlane[];
}

export interface PhasePlayerOptions {
  readonly title: string;
  readonly remark?: Content;
  readonly height: number;
  readonly width: number;
  /** Input image `[height, width]`. */
  readonly image: ArrayLike<number>;
  /** One mask `[height, width]` per object. */
  readonly masks: readonly ArrayLike<number>[];
  /** Name of each object, in the order of the masks. */
  readonly objectNames: readonly string[];
  readonly panels: readonly PlayerPanel[];
}

/** The colour tables, which every page with players must contain once, before {@link PLAYER_SCRIPT}. */
export function phaseTables(): Html {
  const tables = Object.fromEntries([UNIFORM_CYCLE, TWO_HUE_CYCLE].map((map) => [map.id, base64(map.table)]));
  return markup`<script type="application/json" id="phase-tables">
    ${embeddedJson(tables)}
  </script>`;
}

function wheel(map: CyclicMap): string {
  const label =
    "Colour wheel: hue shows phase, from −π through 0 to π; opacity shows amplitude, which increases from the centre to the rim";
  return svg({ width: 132, height: 132, label, id: `wheel-${map.id}` }, (context) => {
    drawPhaseWheel(context, { map });
  });
}

/** Side of a polar plot in SVG units. */
const POLAR = 120;

function objectColour(object: number, objectCount: number): Rgb {
  return object > objectCount ? SHARED : labelColour(object);
}

/**
 * A polar plot of phases and amplitudes on a dark background, coloured by object: 0 none, 1..n objects, n + 1 shared by
 * several objects.
 *
 * @param maximum amplitude at the rim; default: the largest amplitude
 */
export function polarPlot(
  plane: Pick<PhasePlane, "phase" | "amplitude">,
  objects: ArrayLike<number>,
  objectCount: number,
  label: string,
  maximum = maximumAmplitude(plane),
): Html {
  const plot = svg({ width: POLAR, height: POLAR, label }, (context) => {
    drawPolarPlot(context, plane, {
      size: POLAR,
      labels: objects,
      labelCount: objectCount + 2,
      colourOf: (object) => (object === 0 ? dotColour(0) : hex(objectColour(object, objectCount))),
      maximum,
      ink: "#fff",
    });
  });
  return raw(plot);
}

/** The colour wheel with an explanation and the choice of palette. */
export function phaseLegend(words: Content): Html {
  return markup`<div class="legend">
    <div class="wheel">
      ${[UNIFORM_CYCLE, TWO_HUE_CYCLE].map(
        (map) => markup`<div class="wheel-${map.id}">${raw(wheel(map))}</div>`,
      )}
    </div>
    <div class="words">
      ${words}
      <fieldset class="palettes" hidden>
        <legend>Palette</legend>
        ${[UNIFORM_CYCLE, TWO_HUE_CYCLE].map(
          (map, i) =>
            markup`<label><input type="radio" name="palette" value="${map.id}"${i === 0 ? raw(" checked") : null}>${map.label}</label>`,
        )}
      </fieldset>
    </div>
  </div>`;
}

function picture(uri: string, alt: string): Html {
  return markup`<img src="${uri}" alt="${alt}" width="32" height="32">`;
}

/**
 * A player that shows the input, the objects and the phase maps side by side and plays through the timesteps. The film
 * strip of all timesteps below it also works without scripts.
 */
export function phasePlayer(options: PhasePlayerOptions): Html {
  const { height, width, panels, masks } = options;
  const timesteps = Math.max(0, ...panels.map((panel) => panel.planes.length));
  check(timesteps > 0, () => `phase player "${options.title}": expected at least one timestep, got none`);
  for (const { name, planes } of panels) {
    check(planes.length > 0, () => `phase player panel "${name}": expected at least one timestep, got none`);
    for (const plane of planes) {
      check(
        plane.height === height && plane.width === width,
        () => `phase player panel "${name}": expected ${height}x${width}, got ${plane.height}x${plane.width}`,
      );
    }
  }
  const objects = labelsOfMasks(masks, height * width);
  const shared = objects.includes(masks.length + 1);
  const names = [...options.objectNames.slice(0, masks.length), ...(shared ? ["both"] : [])];
  const truth = labelMap(
    { height, width, labels: objects },
    { colourOf: (object) => (object === 0 ? null : objectColour(object, masks.length)) },
  );
  const input = featureMaps({ channels: 1, height, width, values: options.image }, { map: GREY, low: 0 });
  const truthKey = names.map(
    (name, i) =>
      markup`<span class="key"><i style="background:${hex(objectColour(i + 1, masks.length))}"></i>${name}</span>`,
  );
  const maxima = panels.map((panel) => Math.max(...panel.planes.map(maximumAmplitude)));
  return markup`<article class="player" data-player>
    <header>
      <h3>${options.title}</h3>
      ${options.remark ? markup`<p>${options.remark}</p>` : null}
    </header>
    <div class="panels">
      <figure class="panel">
        <figcaption><b>Input, objects</b>${truthKey}</figcaption>
        <span class="tile">${picture(pngDataUri(input), "Input image")}</span><span class="tile">${picture(pngDataUri(truth), `Object masks: ${names.join(", ")}`)}</span>
      </figure>
      ${panels.map((panel, i) => {
        const last = panel.planes.at(-1)!;
        return markup`<figure class="panel" data-panel>
          <figcaption><b>${panel.name}</b>${panel.remark}</figcaption>
          <span class="tile phase">${picture(
            pngDataUri(phaseMap(last, { maximum: maxima[i]! })),
            `Phase map of ${panel.name}`,
          )}</span><span class="polar">${polarPlot(
            last,
            objects,
            masks.length,
            `Polar plot of ${panel.name}: the angle is the phase, the radius the amplitude`,
            maxima[i],
          )}</span>
        </figure>`;
      })}
    </div>
    <div class="controls" hidden>
      <button type="button">Play</button>
      <input type="range" min="1" max="${timesteps}" value="${timesteps}" step="1" aria-label="Timestep">
      <output aria-live="off">timestep ${timesteps} of ${timesteps}</output>
    </div>
    <p class="readout" hidden>Point at a phase map to read its values.</p>
    ${filmStrip(options.title, panels, maxima, timesteps)}
    <script type="application/json">
      ${embeddedJson(playerData(options, objects, maxima, timesteps))}
    </script>
  </article>`;
}

function filmStrip(
  title: string,
  panels: readonly PlayerPanel[],
  maxima: readonly number[],
  timesteps: number,
): Html {
  const steps = Array.from({ length: timesteps }, (_, t) => t);
  return markup`<div class="strip" role="region" tabindex="0" aria-label="All timesteps, ${title}">
    <table>
      <thead>
        <tr>
          <td></td>
          ${steps.map((t) => markup`<th scope="col">${t + 1}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${panels.map((panel, row) => {
          const uris = panel.planes.map((plane) => pngDataUri(phaseMap(plane, { maximum: maxima[row]! })));
          const cells = steps.map(
            (t) =>
              markup`<td data-row="${row}" data-t="${t}">
                <span>${picture(uris[Math.min(t, uris.length - 1)]!, `${panel.name}, timestep ${t + 1}`)}</span>
              </td>`,
          );
          return markup`<tr>
            <th scope="row">${panel.name}</th>
            ${cells}
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

function playerData(
  options: PhasePlayerOptions,
  objects: Int32Array,
  maxima: readonly number[],
  timesteps: number,
): object {
  return {
    width: options.width,
    height: options.height,
    timesteps,
    groups: options.masks.length + 2,
    objects: base64(Uint8Array.from(objects)),
    rim: {
      centre: POLAR / 2,
      radius: POLAR * POLAR_RADIUS,
      threshold: POLAR_THRESHOLD,
      ring: POLAR * ORDER_RING,
    },
    panels: options.panels.map(({ name, planes }, i) => {
      const amplitude = planes.map((plane) =>
        base64(Uint8Array.from(plane.amplitude, (a) => Math.round((255 * a) / maxima[i]!))),
      );
      return {
        name,
        maximum: maxima[i]!,
        steps: planes.map((plane) => base64(Uint8Array.from(plane.phase, phaseIndex))),
        // Amplitudes do not change over time in the feed-forward network: store them once.
        amplitude: new Set(amplitude).size === 1 ? amplitude.slice(0, 1) : amplitude,
      };
    }),
  };
}

/**
 * Phase maps of every channel at one timestep, each scaled to its own maximum. Callers fold long galleries.
 */
export function channelGallery(field: PhaseField, name: string): Html {
  return markup`<div class="channels">
    ${Array.from({ length: field.channels }, (_, c) => {
      const plane = channelPhases(field, c);
      const [uniform, twoHue] = [UNIFORM_CYCLE, TWO_HUE_CYCLE].map((map) =>
        pngDataUri(phaseMap(plane, { map })),
      );
      return markup`<figure>
        <span><img src="${uniform}" data-two-hue="${twoHue}" alt="${name}, channel ${c + 1}" width="32" height="32"></span>
        <figcaption>channel ${c + 1}</figcaption>
      </figure>`;
    })}
  </div>`;
}
