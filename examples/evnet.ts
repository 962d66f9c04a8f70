// Shows spots of light to a retina, and puts retina and V1 before a network in an ONNX file that takes 64 x 64 images in the
// place of its first stage. After `npm run build`: npx tsx examples/evnet.ts [model.onnx name-of-a-value]
import { writeFileSync } from "node:fs";
import { input, tensorData, writeOnnx } from "striate/graph";
import { loadOnnx, nodeRuntime } from "striate/node";
import { evnetFrontEnd, retinaStimulus, withV1, writeV1Network } from "striate/vonenet";

// 64 pixels that span 2 degrees of visual angle; V1 sees the four channels of the retina at every fourth pixel.
const { retina, block } = evnetFrontEnd("no-noise", { imageSize: 64, visualDegrees: 2 });
const responses = retina.forward(input("images", ["batch", 3, 64, 64]));
const session = await nodeRuntime.createSession(writeOnnx({ responses }).bytes);

/** Responses at the centre of the image: a red/green P cell, and an M cell. */
async function centre(luminance: number, radius: number): Promise<[p: number, m: number]> {
  const image = retinaStimulus(retina, { luminance, contrast: 0.8, radius });
  const { responses } = await session.run({ images: tensorData(image, [1, 3, 64, 64]) });
  const at = (channel: number) => Number(responses!.data[(channel * 64 + 32) * 64 + 32]);
  return [at(0), at(3)];
}

for (const radius of [0.05, 0.1, 0.2, 0.4, 0.8]) {
  const [p, m] = await centre(0.5, radius);
  console.log(`spot of ${radius} degrees: P ${p.toFixed(2)}, M ${m.toFixed(2)}`);
}
for (const luminance of [0.05, 0.5]) {
  const [p, m] = await centre(luminance, 0.2);
  console.log(`background ${luminance}: P ${p.toFixed(2)}, M ${m.toFixed(2)}`);
}
await session.close();

const [, , file, replaces = ""] = process.argv;
if (file !== undefined) {
  const network = withV1(await loadOnnx(file), { retina, block: block!, ...(replaces && { replaces }) });
  writeFileSync("with-retina.onnx", writeV1Network(network).bytes);
  console.log("with-retina.onnx: retina, V1 and a bottleneck to be learned, before the network");
}
