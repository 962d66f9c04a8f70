import type { Tensor, TensorData } from "../../../src/graph/index.js";
import { addAll, concat, input, mul, sum, unsqueeze } from "../../../src/graph/index.js";
import { namedParameters } from "../../../src/nn/module.js";
import {
  ComplexConv,
  ComplexLinear,
  ComplexReadout,
  Feedback,
  advance,
  complexMaxPool,
  kuramoto,
  phasesOf,
  rectangular,
  synchronyLoss,
} from "../../../src/systems/komplexnet/index.js";
import type { Evaluate } from "../evaluate.js";
import type { GoldenCase } from "../golden-case.js";
import { tensorOf } from "../golden-case.js";
import type { GoldenKind, Results } from "../harness.js";
import { wantedGradients } from "./model.js";

const has = (golden: GoldenCase, ...names: readonly string[]) =>
  names.every((name) => golden.tensors.has(name));

/** Graph inputs for all of a case's input.* and param.* tensors, by those names. */
function inputsOf(golden: GoldenCase): Map<string, Tensor> {
  const names = [...golden.tensors.keys()].filter((name) => /^(input|param)\./.test(name));
  return new Map(names.map((name) => [name, input(name, golden.tensors.get(name)!.shape)]));
}

/** sum of cotangent x output over all outputs that have a cotangent. */
function cotangentLoss(
  inputs: ReadonlyMap<string, Tensor>,
  outputs: Readonly<Record<string, Tensor>>,
): Tensor {
  const terms = Object.entries(outputs).flatMap(([name, output]) => {
    const cotangent = inputs.get(`input.cotangent.${name}`);
    return cotangent ? [sum(mul(cotangent, output))] : [];
  });
  return addAll(terms);
}

async function evaluateWithGradients(
  golden: GoldenCase,
  outputs: Readonly<Record<string, Tensor>>,
  loss: Tensor,
  wrt: ReadonlyMap<string, Tensor>,
  evaluate: Evaluate,
  state: Readonly<Record<string, TensorData>> = {},
): Promise<Results> {
  const named = Object.fromEntries(Object.entries(outputs).map(([name, value]) => [`output.${name}`, value]));
  const feeds = { ...Object.fromEntries(golden.tensors), ...state };
  const all = { ...named, "output.loss": loss, ...wantedGradients(golden, loss, wrt) };
  return new Map(Object.entries(await evaluate(all, feeds)));
}

/** A layer's parameters by the names that the case gives them, and their values. */
function layerParameters(golden: GoldenCase, layer: object, authors: string) {
  const tensors = new Map<string, Tensor>();
  const values: Record<string, TensorData> = {};
  for (const [name, tensor] of namedParameters(layer)) {
    const theirs = `param.${name.replace(/^map\b/, authors)}`;
    tensors.set(theirs, tensor);
    values[name] = tensorOf(golden, theirs);
  }
  return { tensors, values };
}

const biasesOf = (golden: GoldenCase, name: string) => (golden.config.bias ?? has(golden, name)) !== false;

const complexConv: GoldenKind = {
  name: "complex convolution",
  matches: (golden) => has(golden, "input.re", "param.kernel_conv.weight", "output.re"),
  run: (golden, evaluate) => {
    const [outChannels, inChannels, size] = tensorOf(golden, "param.kernel_conv.weight").shape;
    const layer = new ComplexConv({
      inChannels: inChannels!,
      outChannels: outChannels!,
      size: size!,
      stride: Number(golden.config.stride ?? 1),
      padding: Number(golden.config.padding ?? 0),
      biases: biasesOf(golden, "param.kernel_conv.bias"),
      singularGradients: true,
    });
    const { tensors, values } = layerParameters(golden, layer, "kernel_conv");
    const inputs = inputsOf(golden);
    const z = layer.forward(rectangular(inputs.get("input.re")!, inputs.get("input.im")!));
    const outputs = { re: z.real, im: z.imaginary };
    const loss = cotangentLoss(inputs, outputs);
    return evaluateWithGradients(golden, outputs, loss, new Map([...inputs, ...tensors]), evaluate, values);
  },
};

const complexLinear: GoldenKind = {
  name: "complex linear layer",
  matches: (golden) => has(golden, "input.re", "param.weights.weight", "output.re"),
  run: (golden, evaluate) => {
    const [outFeatures, inFeatures] = tensorOf(golden, "param.weights.weight").shape;
    const biases = biasesOf(golden, "param.weights.bias");
    const layer = new ComplexLinear({
      inFeatures: inFeatures!,
      outFeatures: outFeatures!,
      biases,
      singularGradients: true,
    });
    const { tensors, values } = layerParameters(golden, layer, "weights");
    const inputs = inputsOf(golden);
    const z = layer.forward(rectangular(inputs.get("input.re")!, inputs.get("input.im")!));
    const outputs = { re: z.real, im: z.imaginary };
    const loss = cotangentLoss(inputs, outputs);
    return evaluateWithGradients(golden, outputs, loss, new Map([...inputs, ...tensors]), evaluate, values);
  },
};

const complexReadout: GoldenKind = {
  name: "complex read-out",
  matches: (golden) => has(golden, "input.re", "param.weights.weight", "output.pred"),
  run: (golden, evaluate) => {
    const [outFeatures, inFeatures] = tensorOf(golden, "param.weights.weight").shape;
    const biases = biasesOf(golden, "param.weights.bias");
    const layer = new ComplexReadout({
      inFeatures: inFeatures!,
      outFeatures: outFeatures!,
      biases,
      singularGradients: true,
    });
    const { tensors, values } = layerParameters(golden, layer, "weights");
    const inputs = inputsOf(golden);
    const { logits, complex } = layer.forward(rectangular(inputs.get("input.re")!, inputs.get("input.im")!));
    const outputs = { pred: logits, last_re: complex.real, last_im: complex.imaginary };
    const loss = cotangentLoss(inputs, outputs);
    return evaluateWithGradients(golden, outputs, loss, new Map([...inputs, ...tensors]), evaluate, values);
  },
};

const maxPool: GoldenKind = {
  name: "complex max-pool",
  matches: (golden) => has(golden, "input.re", "output.indices"),
  run: (golden, evaluate) => {
    const inputs = inputsOf(golden);
    const z = rectangular(inputs.get("input.re")!, inputs.get("input.im")!);
    const pooled = complexMaxPool(z, Number(golden.config.kernel));
    const outputs = { re: pooled.real, im: pooled.imaginary };
    const loss = cotangentLoss(inputs, outputs);
    return evaluateWithGradients(golden, { ...outputs, indices: pooled.indices }, loss, inputs, evaluate);
  },
};

const kuramotoSteps: GoldenKind = {
  name: "kuramoto update",
  matches: (golden) => has(golden, "input.amp", "input.phases", "param.kernel_kuramoto"),
  run: (golden, evaluate) => {
    const { config } = golden;
    const scalar = (name: string) => {
      const stored = golden.tensors.get(`param.${name}`)?.data[0];
      return Number(stored ?? config[name]);
    };
    const inputs = inputsOf(golden);
    const [amplitude, start, kernel] = ["input.amp", "input.phases", "param.kernel_kuramoto"].map((name) =>
      inputs.get(name)!,
    ) as [Tensor, Tensor, Tensor];
    const increment = kuramoto(amplitude, kernel, {
      rate: scalar("lr_kuramoto"),
      desynchrony: scalar("epsilon"),
    });
    const masks = inputs.get("input.masks");
    const steps = Number(config.steps ?? 1);
    let phases = phasesOf(start);
    const outputs: Record<string, Tensor> = { delta_phase: increment(phases) };
    const trace: Tensor[] = [];
    for (let t = 1; t <= steps; t++) {
      phases = advance(phases, [increment(phases)]);
      outputs[`phases_after_${t}`] = phases.radians;
      if (masks) {
        const background = config.bg_kernel === true;
        const l = synchronyLoss({ phases: phases.radians, amplitude, masks, background });
        trace.push(
          concat(
            [l.loss, l.synchrony, l.desynchrony].map((v) => unsqueeze(v, [0, 1])),
            1,
          ),
        );
      }
    }
    outputs.phases = phases.radians;
    if (trace.length > 0) outputs.synch_trace = concat(trace, 0);
    const wanted = Object.fromEntries(
      Object.entries(outputs).filter(([name]) => golden.tensors.has(`output.${name}`)),
    );
    const loss = cotangentLoss(inputs, { phases: phases.radians });
    return evaluateWithGradients(golden, wanted, loss, inputs, evaluate);
  },
};

const synchrony: GoldenKind = {
  name: "synchrony loss",
  matches: (golden) =>
    has(golden, "input.phases", "input.amp", "input.masks", "output.synch") &&
    !has(golden, "param.kernel_kuramoto"),
  run: (golden, evaluate) => {
    const inputs = inputsOf(golden);
    const [phases, amplitude, masks] = ["phases", "amp", "masks"].map((name) =>
      inputs.get(`input.${name}`)!,
    ) as [Tensor, Tensor, Tensor];
    const objects = Number(golden.config.num_objects ?? Number(masks.shape[1]) - 1);
    const result = synchronyLoss({
      phases,
      amplitude,
      masks,
      background: golden.config.bg_kernel === true,
      overlapChannel: masks.shape[1] === objects + 2,
    });
    const outputs = { synch: result.synchrony, desynch: result.desynchrony };
    return evaluateWithGradients(golden, outputs, result.loss, inputs, evaluate);
  },
};

const feedbackUpdates: GoldenKind = {
  name: "feedback updates",
  matches: (golden) => has(golden, "input.outA_re", "param.kernel_kuramoto_l2"),
  run: (golden, evaluate) => {
    const inputs = inputsOf(golden);
    const at = (name: string) => inputs.get(name)!;
    const rate = (layer: string) => Number(tensorOf(golden, `param.lr_kuramoto_${layer}`).data[0]);
    const z = (name: string) => rectangular(at(`input.${name}_re`), at(`input.${name}_im`));
    const [channels, , size] = tensorOf(golden, "param.kernel_kuramoto_l2").shape;
    const hidden = tensorOf(golden, "param.kernel_kuramoto_l3").shape[1]!;
    const classes = tensorOf(golden, "param.kernel_kuramoto_l4").shape[1]!;
    const feedback = new Feedback(
      { channels: channels!, hidden, classes },
      {
        size: size!,
        rates: [rate("l2"), rate("l3"), rate("l4")],
        desynchrony: Number(golden.tensors.get("param.epsilon_l2")?.data[0] ?? 0),
        frozenAfterFirstStep: false,
      },
    );
    namedParameters(feedback);
    const [l2, l3, l4] = feedback.increments(phasesOf(at("input.phases")), {
      convolution: z("outA"),
      hidden: z("pred1"),
      readout: z("pred2"),
    });
    const outputs = { delta_from_l2: l2, delta_from_l3: l3, delta_from_l4: l4 };
    const loss = cotangentLoss(inputs, { delta: addAll([l2, l3, l4]) });
    const wrt = new Map([
      ...inputs,
      ["param.kernel_kuramoto_l2", feedback.fromConvolution],
      ["param.kernel_kuramoto_l3", feedback.fromHidden],
      ["param.kernel_kuramoto_l4", feedback.fromReadout],
    ]);
    const values = {
      fromConvolution: tensorOf(golden, "param.kernel_kuramoto_l2"),
      fromHidden: tensorOf(golden, "param.kernel_kuramoto_l3"),
      fromReadout: tensorOf(golden, "param.kernel_kuramoto_l4"),
    };
    return evaluateWithGradients(golden, outputs, loss, wrt, evaluate, values);
  },
};

export const operatorKinds: readonly GoldenKind[] = [
  complexConv,
  complexLinear,
  complexReadout,
  maxPool,
  kuramotoSteps,
  synchrony,
  feedbackUpdates,
];
