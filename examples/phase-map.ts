// Draws the phases of a ring of waves, with the wheel that explains their colours. After `npm run build`:
// npx tsx examples/phase-map.ts phases.png wheel.svg
import { writeFileSync } from "node:fs";
import { drawPhaseWheel, meanPhases, phaseMap, svg, TWO_HUE_CYCLE } from "striate/draw";
import { encodePng } from "striate/node";

const [, , picture = "phases.png", legend = "wheel.svg"] = process.argv;

// Two channels of 64 x 64 oscillators: a spiral, and a noisier copy of it. They are silent outside of a ring.
const [channels, side] = [2, 64];
const phases = new Float32Array(channels * side * side);
const amplitudes = new Float32Array(channels * side * side);
for (let unit = 0; unit < phases.length; unit++) {
  const channel = Math.floor(unit / (side * side));
  const x = (unit % side) - 31.5;
  const y = Math.floor((unit % (side * side)) / side) - 31.5;
  const radius = Math.hypot(x, y);
  phases[unit] = Math.atan2(-y, x) + radius / 5 + channel * (Math.random() - 0.5);
  amplitudes[unit] = Math.exp(-(((radius - 18) / 9) ** 2));
}

const means = meanPhases({ channels, height: side, width: side, phases, amplitudes });
const map = TWO_HUE_CYCLE; // readable with every common colour-vision deficiency
const image = phaseMap(means, { map, scale: 6, background: map.silent });
writeFileSync(picture, encodePng(image));
const wheel = svg({ width: 132, height: 132, label: "Phases and their colours" }, (context) => {
  drawPhaseWheel(context, { map, ink: "#333" });
});
writeFileSync(legend, wheel);
console.log(`${picture}: ${image.width} x ${image.height} pixels; ${legend}`);
