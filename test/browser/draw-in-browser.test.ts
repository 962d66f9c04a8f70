import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import * as draw from "../../src/draw/index.js";
import { needsChromium, openPage, serveFolder } from "./chromium.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const PAGE = `<!doctype html><title>Drawing</title><canvas></canvas>
<script type="module">
import * as draw from "/dist/draw/index.js";
window.shown = (${drawOnCanvas.toString()})(draw, ${twoFrames.toString()});
</script>`;

type Draw = typeof draw;

/** A phase map of the second of two frames, drawn into the picture of the first. Sent to the page as text. */
function twoFrames(library: Draw): draw.RgbaImage {
  const [channels, side] = [3, 12];
  const fieldAt = (time: number) => ({
    channels,
    height: side,
    width: side,
    phases: Float32Array.from({ length: channels * side * side }, (_, i) => 0.37 * i + time),
    amplitudes: Float32Array.from({ length: channels * side * side }, (_, i) => (i * 7) % 5),
  });
  const looks = { scale: 3, background: [13, 15, 19] } as const;
  const means = library.meanPhases(fieldAt(0));
  const image = library.phaseMap(means, looks);
  library.meanPhases(fieldAt(1), means);
  return library.phaseMap(means, { ...looks, into: image });
}

/** Pixels of that phase map as the canvas gives them back, then some of a wheel and a polar plot. */
function drawOnCanvas(library: Draw, frames: (library: Draw) => draw.RgbaImage) {
  const canvas = document.querySelector("canvas")!;
  const image = frames(library);
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = canvas.getContext("2d")!;
  context.putImageData(new ImageData(image.data, image.width, image.height), 0, 0);
  const map = Array.from(context.getImageData(0, 0, image.width, image.height).data);
  const at = (x: number, y: number) => Array.from(context.getImageData(x, y, 1, 1).data);
  [canvas.width, canvas.height] = [132, 132];
  library.drawPhaseWheel(context);
  const wheel = [at(109, 66), at(66, 23), at(66, 66)];
  [canvas.width, canvas.height] = [240, 240];
  const dots = { phase: Float32Array.of(0, 2), amplitude: Float32Array.of(1, 0) };
  library.drawPolarPlot(context, dots, { size: 240, order: false, colourOf: () => "#ff0000" });
  return { map, wheel, dot: at(224, 120), centre: at(120 + 30, 120 + 30) };
}

describe("drawing in a browser", () => {
  it("shows the pixels that Node computes, without any package", async (context) => {
    needsChromium(context);
    const { result, problems } = await openPage(await serveFolder(root, { "/": PAGE }));
    const shown = await result<ReturnType<typeof drawOnCanvas>>("shown");
    expect(problems).toEqual([]);
    const image = twoFrames(draw);
    expect(shown.map).toHaveLength(36 * 36 * 4);
    expect(shown.map).toEqual(Array.from(image.data));

    const [right, top, middle] = shown.wheel;
    for (const [pixel, phase] of [
      [right!, 0],
      [top!, Math.PI / 2],
    ] as const)
      draw.phaseColour(draw.UNIFORM_CYCLE, phase).forEach((channel, i) => {
        // Near the rim, where little of the fade is left.
        expect(Math.abs(pixel[i]! - channel)).toBeLessThan(24);
      });
    expect(middle!.slice(0, 3).every((channel) => channel < 40)).toBe(true);
    expect(shown.dot[0]).toBeGreaterThan(200);
    expect(shown.dot[3]).toBeGreaterThan(150);
    expect(shown.centre[3]).toBe(0);
  });
});
