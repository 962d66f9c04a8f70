// Watches KomplexNet's phases timestep by timestep: two bars fall into step, each on its own, then one of them moves.
// A few seconds. After `npm run build`: npx tsx examples/stepper.ts
import { writeFile } from "node:fs/promises";
import { KomplexNet, KomplexNetTask, Random, exportStep, initialState, openStepper } from "striate";
import { nodeRuntime } from "striate/node";

const size = 32;
/** An image of bars, each from column `left` to just before column `right`. */
const bars = (...places: readonly (readonly [number, number])[]): Float32Array =>
  Float32Array.from({ length: size ** 2 }, (_, i) => {
    const [x, y] = [i % size, Math.floor(i / size)];
    return y >= 6 && y < 26 && places.some(([left, right]) => x >= left && x < right) ? 1 : 0;
  });

// The coupling starts close to a Gaussian, so the phases synchronise without training.
const model = new KomplexNetTask(new KomplexNet({ kuramotoMode: "channels" }), { phases: true });
const values = initialState(model.parameters, (name) => Random.derive(1, name));
const stepper = await openStepper(nodeRuntime, { model, values }, { device: "cpu", seed: 2 });
for (let t = 0; t < 30; t++) {
  const right = t < 15 ? ([23, 27] as const) : ([16, 20] as const);
  const step = await stepper.step({ images: bars([5, 9], right), desynchrony: 0.202 });
  const [phases, amplitude] = [step.phases!.data as Float32Array, step.amplitude!.data as Float32Array];
  const agreement = [[3, 11] as const, [right[0] - 2, right[1] + 2] as const].map(([from, to]) => {
    let [x, y, units] = [0, 0, 0];
    phases.forEach((phase, i) => {
      if (amplitude[i] === 0 || i % size < from || i % size >= to) return;
      [x, y, units] = [x + Math.cos(phase), y + Math.sin(phase), units + 1];
    });
    return Math.hypot(x, y) / units;
  });
  const [a, b] = agreement.map((value) => value.toFixed(2));
  console.log(`timestep ${t + 1}: agreement of phases ${a} in the left bar, ${b} in the right one`);
}
await stepper.close();
// Writes the same network as a file for a browser, a phone or any ONNX Runtime. Its metadata say which output
// feeds which input.
const file = process.argv[2] ?? "komplexnet.step.onnx";
await writeFile(file, exportStep(model, values, { system: "KomplexNet" }).bytes);
