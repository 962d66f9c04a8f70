import type { RgbaImage } from "../../draw/index.js";
import { fromRgb, labelMap, matchLabels } from "../../draw/index.js";
import type { Content, Html, Section } from "../../report/html.js";
import { details, figure, markup, percent } from "../../report/html.js";
import { pngDataUri } from "../../report/png.js";
import type { DiscoveryScene, DiscoverySet, ObjectDiscoveryReport, ReportModel } from "./results.js";
import { rowLabel } from "./results.js";

function tile(image: RgbaImage, alt: string, below: Content = null): Html {
  return markup`<td><span><img src="${pngDataUri(image)}" alt="${alt}"></span>${below}</td>`;
}

/** An empty line that keeps images without a score level with the others. */
const NO_SCORE = markup`<small>\u00a0</small>`;

/** A table of images that scrolls sideways on narrow screens. */
function strip(label: string, head: readonly Content[], rows: readonly (readonly Html[])[]): Html {
  return markup`<div class="strip" role="region" aria-label="${label}" tabindex="0">
    <table style="table-layout:fixed;width:max(100%,${64 * head.length}px)">
      <thead>
        <tr>${head.map((cell) => markup`<th scope="col">${cell}</th>`)}</tr>
      </thead>
      <tbody>
        ${rows.map((cells) => markup`<tr>${cells}</tr>`)}
      </tbody>
    </table>
  </div>`;
}

function shownModels(report: ObjectDiscoveryReport, scenes: readonly DiscoveryScene[]): ReportModel[] {
  const ids = new Set(scenes.flatMap(({ models }) => models.map(({ model }) => model)));
  return report.models.filter(({ id }) => ids.has(id));
}

/**
 * Section with scenes, true masks and the segments that every network found, or `undefined` if there are no
 * scenes.
 */
export function segmentSection(report: ObjectDiscoveryReport, set: DiscoverySet): Section | undefined {
  const { scenes } = set;
  if (scenes.length === 0) return undefined;
  const models = shownModels(report, scenes);
  const factors = scenes[0]!.models[0]!.segments.map(({ upTiling }) => upTiling);
  const columns = models.flatMap(({ id, label }) => factors.map((upTiling) => ({ id, label, upTiling })));
  const head = [
    "Scene",
    "Truth",
    ...columns.map(({ label, upTiling }) => (upTiling === 1 ? label : markup`${label}<br>× ${upTiling}`)),
  ];
  const rows = scenes.map((scene, n) => {
    const { image, truth } = scene;
    const size = { height: image.height, width: image.width };
    const found = columns.map(({ id, label, upTiling }) => {
      const own = scene.models
        .find(({ model }) => model === id)!
        .segments.find((segments) => segments.upTiling === upTiling)!;
      const partners = matchLabels(truth, own.labels);
      const labels = Array.from(own.labels, (label) => partners.get(label)!);
      const picture = labelMap({ ...size, labels });
      const alt = `Scene ${n + 1}, segments of ${rowLabel(label, upTiling)}`;
      return tile(picture, alt, markup`<small>${percent(own.foregroundAri)}</small>`);
    });
    return [
      tile(fromRgb(image), `Scene ${n + 1}`, NO_SCORE),
      tile(labelMap({ ...size, labels: truth }), `Scene ${n + 1}, true masks`, NO_SCORE),
      ...found,
    ];
  });
  return {
    id: `${set.id}-segments`,
    title: `${set.title}: found segments`,
    lead: "The scenes are the first ones of the test set, and the networks those of the first seed. A segment that a network found has the colour of the true segment that it overlaps most; segments without such a partner have colours that do not appear in the true masks.",
    body: figure(
      strip(`Segments, ${set.title}`, head, rows),
      markup`The number below each image is its FG-ARI in %. Pixels of the background do not count in it, so a network may divide the background in any way. Every patch of the image gets one label; up-tiling (the factor in the heading) makes the patches smaller.`,
    ),
  };
}

/** Section with the oscillators of every network after every timestep, in the colours of their principal components. */
export function fieldSection(report: ObjectDiscoveryReport, set: DiscoverySet): Section | undefined {
  const models = shownModels(report, set.scenes).filter(({ id }) =>
    set.scenes.some(({ models: all }) => all.some(({ model, fields }) => model === id && fields.length > 0)),
  );
  const features = featureFigure(report, set);
  if (models.length === 0) return undefined;
  return {
    id: `${set.id}-fields`,
    title: `${set.title}: oscillators over time`,
    lead: "The state of the last layer after each timestep. Red, green and blue are the three directions along which the oscillators of this scene differ most, the same for all timesteps: oscillators of one colour point the same way. They start from random noise.",
    body: [
      ...models.map(({ id, label }) => {
        const own = set.scenes.map((scene) => scene.models.find(({ model }) => model === id)!);
        const steps = own[0]!.fields.length;
        const head = ["Scene", ...Array.from({ length: steps }, (_, t) => `step ${t + 1}`)];
        const rows = set.scenes.map(({ image }, n) => [
          tile(fromRgb(image), `Scene ${n + 1}`),
          ...own[n]!.fields.map((field, t) =>
            tile(fromRgb(field), `Scene ${n + 1}, oscillators of ${label} after step ${t + 1}`),
          ),
        ]);
        return figure(
          strip(`Oscillators of ${label} over time, ${set.title}`, head, rows),
          markup`<b>${label}.</b> The maps are made with up-tiling: the network runs on shifted copies of the image, all from the same random noise, and the copies are interleaved.`,
        );
      }),
      features,
    ],
  };
}

/** The features that are clustered, in a folded part of the page. */
function featureFigure(report: ObjectDiscoveryReport, set: DiscoverySet): Html | null {
  const models = shownModels(report, set.scenes);
  const rows = set.scenes.map(({ image, models: all }, n) => [
    tile(fromRgb(image), `Scene ${n + 1}`),
    ...models.map(({ id, label }) =>
      tile(fromRgb(all.find(({ model }) => model === id)!.features), `Scene ${n + 1}, features of ${label}`),
    ),
  ]);
  return details(
    "The features of all networks, which are clustered",
    figure(
      strip(`Features, ${set.title}`, ["Scene", ...models.map(({ label }) => label)], rows),
      "The last feature map of each network, in the colours of its first three principal components in the scene.",
    ),
  );
}
