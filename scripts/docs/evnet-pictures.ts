// npm run docs:evnet: measures P and M cells of EVNet's retina at the centre of gratings and spots, and draws
// docs/images/evnet.png.
import { join } from "node:path";
import sharp from "sharp";
import { input, lower, writeOnnx } from "../../src/graph/index.js";
import type { ChartBuilder, LineSeries } from "../../src/report/charts.js";
import { lineChart, renderSvg } from "../../src/report/charts.js";
import { nodeRuntime } from "../../src/runtime/node.js";
import type { RetinaStimulus } from "../../src/systems/vonenet/index.js";
import { SubcorticalBlock, retinaStimulus } from "../../src/systems/vonenet/index.js";
import { root } from "../bootstrap.mjs";

const SIZE = 128;
const geometry = { imageSize: SIZE, visualDegrees: 4 };
const retina = new SubcorticalBlock(geometry);
const unadapted = new SubcorticalBlock({ ...geometry, lightAdaptation: "none" });

async function open(block: SubcorticalBlock) {
  const images = input("images", ["batch", 3, SIZE, SIZE]);
  const { bytes } = writeOnnx(lower({ y: block.forward(images) }, "cpu"));
  return nodeRuntime.createSession(bytes, { threads: 2 });
}
const sessions = new Map([
  [retina, await open(retina)],
  [unadapted, await open(unadapted)],
]);

/** Responses of a red/green P cell and an M cell at the centre of the image. */
async function centre(stimulus: RetinaStimulus, block = retina): Promise<readonly [number, number]> {
  const shown = retinaStimulus(retina, stimulus);
  const data = block === retina ? shown : shown.map((value) => 2 * value - 1);
  const { y } = await sessions.get(block)!.run({
    images: { dtype: "float32", shape: [1, 3, SIZE, SIZE], data },
  });
  const at = (channel: number) => Number(y!.data[(channel * SIZE + SIZE / 2) * SIZE + SIZE / 2]);
  return [at(0), at(3)];
}

/** The amplitude of the first harmonic over 8 phases of a drifting grating. */
async function harmonic(stimulus: RetinaStimulus, block = retina): Promise<readonly [number, number]> {
  const turns = Array.from({ length: 8 }, (_, i) => i / 8);
  const responses: (readonly [number, number])[] = [];
  for (const turn of turns) responses.push(await centre({ ...stimulus, phase: 360 * turn }, block));
  const of = (cell: 0 | 1) => {
    const part = (f: (angle: number) => number) =>
      responses.reduce((total, response, i) => total + response[cell] * f(2 * Math.PI * turns[i]!), 0) / 4;
    return Math.hypot(part(Math.cos), part(Math.sin));
  };
  return [of(0), of(1)];
}

type Measure = (x: number) => Promise<readonly [number, number]>;

async function curves(
  xs: readonly number[],
  measure: Measure,
  suffix = "",
  style = 0,
): Promise<LineSeries[]> {
  const found: (readonly [number, number])[] = [];
  for (const x of xs) found.push(await measure(x));
  return (["P", "M"] as const).map((name, cell) => ({
    name: name + suffix,
    style: style + cell,
    points: xs.map((x, i) => ({ x, y: found[i]![cell as 0 | 1] })),
  }));
}

const steps = (from: number, to: number, count: number) =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

const charts: readonly ChartBuilder[] = [
  lineChart({
    x: { title: "phase of a drifting grating, degrees" },
    y: { title: "response" },
    series: await curves(steps(0, 360, 25), (phase) => centre({ spatialFrequency: 2, contrast: 0.8, phase })),
  }),
  lineChart({
    x: { title: "radius of a spot, degrees" },
    y: { title: "response" },
    series: await curves(steps(0.03125, 1, 32), (radius) => centre({ contrast: 0.8, radius })),
  }),
  lineChart({
    x: { title: "contrast of a grating" },
    y: { title: "first harmonic" },
    series: await curves(steps(0, 1, 21), (contrast) => harmonic({ spatialFrequency: 2, contrast })),
  }),
  lineChart({
    x: { title: "light of the background" },
    y: { title: "first harmonic" },
    series: [
      ...(await curves(steps(0.025, 0.5, 20), (luminance) =>
        harmonic({ spatialFrequency: 2, contrast: 0.8, luminance }),
      )),
      ...(await curves(
        steps(0.025, 0.5, 20),
        (luminance) => harmonic({ spatialFrequency: 2, contrast: 0.8, luminance }, unadapted),
        ", not adapted",
        2,
      )),
    ],
  }),
];
for (const session of sessions.values()) await session.close();

const [WIDTH, HEIGHT] = [480, 300];
const panels = await Promise.all(
  charts.map(async (chart, i) => {
    const svg = await renderSvg(
      chart({ width: WIDTH - 90, height: HEIGHT - 90, narrow: true }),
      "",
      `panel${i}`,
    );
    const input = await sharp(Buffer.from(svg))
      .resize(WIDTH, HEIGHT, { fit: "contain", background: "white" })
      .flatten({ background: "white" })
      .png()
      .toBuffer();
    return { input, left: (i % 2) * WIDTH, top: Math.floor(i / 2) * HEIGHT };
  }),
);
const path = join(root, "docs", "images", "evnet.png");
await sharp({ create: { width: 2 * WIDTH, height: 2 * HEIGHT, channels: 3, background: "white" } })
  .composite(panels)
  .png({ palette: true, quality: 90, effort: 10 })
  .toFile(path);
console.log(path);
