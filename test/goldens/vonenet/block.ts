import type { Tensor, TensorData } from "../../../src/graph/index.js";
import { conv, constant, gradients, input, mul, sum } from "../../../src/graph/index.js";
import type { V1Noise } from "../../../src/systems/vonenet/index.js";
import { VOneBlock, colourWeight, v1GaborBank, inPixels } from "../../../src/systems/vonenet/index.js";
import { check } from "../../../src/util/errors.js";
import { isJsonObject, parseStrictJson } from "../../../src/util/json.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf } from "../golden-case.js";
import type { GoldenKind } from "../harness.js";
import { colourTensors, fieldsOf, pixelTensors } from "./filters.js";

const Q0 = "param.vone_block.simple_conv_q0.weight";
const Q1 = "param.vone_block.simple_conv_q1.weight";

/** (u8 / 255 - 0.5) / 0.5 in float32, the images that the files are about. */
export function imagesOf(golden: GoldenCase): TensorData {
  const { shape, data } = tensorOf(golden, "input.image_u8");
  const half = (value: number) => Math.fround(Math.fround(Math.fround(value / 255) - 0.5) / 0.5);
  return { dtype: "float32", shape, data: Float32Array.from(data as Uint8Array, half) };
}

/** The block that a case describes, its receptive fields drawn here. */
export function blockOf(golden: GoldenCase, noise?: V1Noise): VOneBlock {
  const { config, metadata, file } = golden;
  const number = (name: string, fallback?: number) => {
    const value = config[name] ?? fallback;
    check(typeof value === "number", () => `${file}: config ${name} is ${JSON.stringify(value)}`);
    return value;
  };
  const args = parseStrictJson(metadata.gabor_args ?? "null", "gabor_args");
  check(isJsonObject(args), () => `${file}: there are no gabor_args`);
  const fields = fieldsOf(args, number("simple"), number("complex"));
  const images = tensorOf(golden, "input.image_u8").shape;
  const whole = number("image", images[2]);
  // A crop has the resolution of the whole image.
  const visualDegrees = (number("deg", whole === 224 ? 8 : 2) * images[2]!) / whole;
  return new VOneBlock({
    fields,
    imageSize: images[2]!,
    visualDegrees,
    kernelSize: number("ksize"),
    stride: number("stride"),
    gain: number("k_exc"),
    ...(noise && { noise }),
  });
}

interface Mode {
  readonly key: string;
  readonly noise: V1Noise | undefined;
}

function modesOf(golden: GoldenCase): Mode[] {
  const listed = parseStrictJson(golden.metadata.noise_modes ?? "[]", "noise_modes");
  check(Array.isArray(listed), () => `${golden.file}: noise_modes is no list`);
  return listed.map((mode: unknown) => {
    check(
      isJsonObject(mode) && typeof mode.key === "string",
      () => `${golden.file}: a noise mode without key`,
    );
    const { key, mode: kind, noise_scale: scale, noise_level: level } = mode;
    return { key, noise: typeof kind === "string" ? ({ kind, scale, level } as V1Noise) : undefined };
  });
}

const block: GoldenKind = {
  name: "VOneBlock",
  matches: ({ tensors, metadata }) => tensors.has(Q0) && metadata.noise_modes !== undefined,
  compares: (name) => name.startsWith("input.gabor.") || name === Q0 || name === Q1,
  run: async (golden, evaluate) => {
    const data = imagesOf(golden);
    const images = input("images", data.shape);
    const feeds: Record<string, TensorData> = { images: data };
    const outputs: Record<string, Tensor> = {};
    const inputs = new Map<string, Tensor>();
    const fed = (name: string): Tensor => {
      const value = tensorOf(golden, name);
      feeds[name] = value;
      const made = inputs.get(name) ?? input(name, value.shape);
      inputs.set(name, made);
      return made;
    };
    for (const { key, noise } of modesOf(golden)) {
      const made = blockOf(golden, noise).forward(images, noise && fed("noise.normal"));
      outputs[`output.${key}`] = made;
      if (golden.tensors.has(`grad.input.${key}`)) {
        const loss = sum(mul(made, fed("input.grad_out")));
        outputs[`grad.input.${key}`] = gradients(loss, [images])[0]!;
      }
    }
    const own = blockOf(golden);
    const { image, deg } = golden.config;
    const geometry = { imageSize: Number(image), visualDegrees: Number(deg) };
    const gabor = Object.entries(pixelTensors(own.fields, geometry));
    // The files hold partners of simple cells as well, so all cells are taken as complex here.
    const parameters = inPixels(own.fields, geometry);
    const { size, ...bank } = v1GaborBank({ ...parameters, simple: 0, complex: own.cells }, own.bank.size);
    const weights = {
      q0: colourWeight(bank.kernels, bank.colour, size),
      q1: colourWeight(bank.quadrature, bank.quadratureColour, size),
    };
    for (const [name, weight] of Object.entries(weights)) {
      const window = { stride: own.stride, padding: size >> 1 };
      if (golden.tensors.has(`output.${name}`))
        outputs[`output.${name}`] = conv(images, constant(weight), undefined, window);
    }
    return new Map(
      Object.entries({
        ...(await evaluate(outputs, feeds)),
        ...Object.fromEntries(gabor.map(([name, value]) => [`input.gabor.${name}`, value])),
        ...colourTensors(golden, "input.gabor.", own.fields),
        [Q0]: weights.q0,
        [Q1]: weights.q1,
      }),
    );
  },
};

export const blockKinds: readonly GoldenKind[] = [block];
