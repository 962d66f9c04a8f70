import { scalarData } from "../../graph/dtype.js";
import type { Shape, Tensor, TensorData } from "../../graph/index.js";
import {
  abs,
  add,
  clip,
  div,
  input,
  l2Norm,
  less,
  max,
  maximum,
  minimum,
  mul,
  reshape,
  sign,
  sub,
  tensorData,
  where,
} from "../../graph/index.js";
import type { Classifier, ImageBatch, ProgramParts } from "../classifier.js";
import { differentiated, labelFeeds } from "../classifier.js";
import type { AttackLoss } from "../losses.js";
import type { Norm } from "./ball.js";

/*
 * These functions run one step of a gradient-based attack as one graph, which contains the step, the
 * projection onto the ball, the loss and its gradient.
 */

/**
 * Makes a graph input for an attack. The prefix distinguishes it from the network's own inputs and
 * parameters.
 */
function attackInput(name: string, shape: Shape): Tensor {
  return input(ATTACK + name, shape);
}

const ATTACK = "attack:";
const SPACE = [1, 2, 3];

function lengthOf(x: Tensor): Tensor {
  return l2Norm(x, SPACE, { keepAxes: true });
}

/** Projects x onto the ball around the clean images and clips it to [0, 1]. */
function project(x: Tensor, clean: Tensor, radius: Tensor, norm: Norm): Tensor {
  if (norm === "Linf") return clip(maximum(minimum(x, add(clean, radius)), sub(clean, radius)), 0, 1);
  const difference = sub(x, clean);
  const length = lengthOf(difference);
  const unit = div(difference, add(length, 1e-12));
  return clip(add(clean, mul(unit, minimum(length, radius))), 0, 1);
}

/**
 * Normalises a gradient to length 1; 0 stays 0. Gradients below 1e-6 are first scaled so that their largest
 * value is 1, because otherwise their squares would underflow or their length would be below `FLOOR`.
 */
function unitLength(g: Tensor): Tensor {
  const largest = max(abs(g), SPACE, { keepAxes: true });
  const scaled = where(less(largest, 1e-6), div(g, maximum(largest, 1e-38)), g);
  return div(scaled, maximum(lengthOf(scaled), FLOOR));
}

/** The norm by which a step of projected gradient descent normalises the gradient and projects. */
export type PgdForm = "Linf" | "L2" | "L2-akorn";

/**
 * One step of projected gradient descent along the gradient g: x + step * sign(g) or x + step * g / ‖g‖, then
 * projected onto the ball. A negative `step` descends. "L2-akorn" rescales under the inverted condition, as
 * AKOrN's code does: perturbations shorter than the radius are stretched to it and longer ones are not
 * shortened, so results may leave the ball.
 */
function pgdUpdate(x: Tensor, g: Tensor, form: PgdForm): Tensor {
  const clean = attackInput("clean", x.shape);
  const [radius, step] = [attackInput("radius", []), attackInput("step", [])];
  if (form === "Linf") return project(add(x, mul(step, sign(g))), clean, radius, "Linf");
  const moved = add(x, mul(step, unitLength(g)));
  const delta = sub(moved, clean);
  const length = lengthOf(delta);
  const ratio = div(radius, maximum(length, FLOOR));
  const factor = form === "L2" ? minimum(ratio, 1) : maximum(ratio, 1);
  return clip(add(clean, mul(delta, factor)), 0, 1);
}

const FLOOR = 1e-12;

export interface PgdStep {
  readonly current: ImageBatch;
  readonly clean: ImageBatch;
  readonly labels: Int32Array;
  readonly targets?: Int32Array;
  readonly radius: number;
  /** Step size; a negative one descends. */
  readonly step: number;
}

/** Computes the gradient at the current images and takes a step along it, in one run of the network. */
export async function pgdStep(
  classifier: Classifier,
  loss: AttackLoss,
  form: PgdForm,
  { current, clean, labels, targets, radius, step }: PgdStep,
): Promise<ImageBatch> {
  const program = await classifier.program(`pgd ${loss} ${form}`, (parts) => {
    const x = attackInput("current", [parts.batch, ...parts.imageShape]);
    const { gradient, loss: _loss, logits: _logits, ...count } = differentiated(loss, x, parts);
    return { next: pgdUpdate(x, gradient, form), ...count };
  });
  const { next } = await program.run(current.count, {
    ...feedsOf(classifier, { current, clean }, { radius, step }),
    ...labelFeeds(loss, labels, targets),
  });
  return { count: current.count, data: next! };
}

/** Takes a step like {@link pgdStep}, but along a given gradient. */
export async function pgdStepAlong(
  classifier: Classifier,
  form: PgdForm,
  gradient: Float32Array,
  { current, clean, radius, step }: Omit<PgdStep, "labels" | "targets">,
): Promise<ImageBatch> {
  const program = await classifier.program(`pgd along ${form}`, ({ batch, imageShape }) => {
    const [x, g] = [
      attackInput("current", [batch, ...imageShape]),
      attackInput("gradient", [batch, ...imageShape]),
    ];
    return { next: pgdUpdate(x, g, form) };
  });
  const images = { current, clean, gradient: { count: current.count, data: gradient } };
  const { next } = await program.run(current.count, feedsOf(classifier, images, { radius, step }));
  return { count: current.count, data: next! };
}

export interface ApgdStep {
  readonly current: ImageBatch;
  readonly previous: ImageBatch;
  readonly gradient: Float32Array;
  readonly clean: ImageBatch;
  readonly labels: Int32Array;
  readonly targets?: Int32Array;
  readonly radius: number;
  /** Step size of each image. */
  readonly stepSize: Float32Array;
  /** Weight of the step without momentum: 1 at the first iteration, 0.75 afterwards. */
  readonly mix: number;
}

/**
 * One iteration of APGD (arXiv:2003.01690, algorithm 1, line 7): z = P(x + eta g') and x' = P(x + a (z - x) +
 * (1 - a) (x - previous)). P is the projection, eta the step size, a is `mix`, and g' is sign(g) for Linf and
 * g / ‖g‖ for L2. The result includes the loss, gradient and logits at x'.
 */
export async function apgdStep(
  classifier: Classifier,
  loss: AttackLoss,
  norm: Norm,
  step: ApgdStep,
): Promise<Record<"next" | "loss" | "gradient" | "logits", Float32Array>> {
  const program = await classifier.program(`apgd ${loss} ${norm}`, (parts) => apgdGraph(parts, loss, norm));
  const { current, previous, clean, gradient, labels, targets, radius, stepSize, mix } = step;
  const results = await program.run(current.count, {
    ...feedsOf(
      classifier,
      { current, previous, clean, along: { count: current.count, data: gradient } },
      { radius, mix },
    ),
    ...labelFeeds(loss, labels, targets),
    [`${ATTACK}stepSize`]: tensorData(stepSize, [current.count]),
  });
  return results as Record<"next" | "loss" | "gradient" | "logits", Float32Array>;
}

function apgdGraph(parts: ProgramParts, loss: AttackLoss, norm: Norm): Record<string, Tensor> {
  const shape = [parts.batch, ...parts.imageShape];
  const [x, previous, clean, g] = ["current", "previous", "clean", "along"].map((name) =>
    attackInput(name, shape),
  ) as [Tensor, Tensor, Tensor, Tensor];
  const [radius, mix] = [attackInput("radius", []), attackInput("mix", [])];
  const stepSize = reshape(attackInput("stepSize", [parts.batch]), [-1, 1, 1, 1]);
  const direction = norm === "Linf" ? sign(g) : unitLength(g);
  const reached = project(add(x, mul(stepSize, direction)), clean, radius, norm);
  const momentum = mul(sub(x, previous), sub(1, mix));
  const next = project(add(add(x, mul(sub(reached, x), mix)), momentum), clean, radius, norm);
  return { next, ...differentiated(loss, next, parts) };
}

/** Makes the values of an attack's inputs: batches of images, and numbers that apply to all images. */
function feedsOf(
  classifier: Classifier,
  images: Readonly<Record<string, ImageBatch>>,
  numbers: Readonly<Record<string, number>>,
): Record<string, TensorData> {
  const { imageShape } = classifier.network;
  return Object.fromEntries([
    ...Object.entries(images).map(
      ([name, { count, data }]) => [ATTACK + name, tensorData(data, [count, ...imageShape])] as const,
    ),
    ...Object.entries(numbers).map(([name, value]) => [ATTACK + name, scalarData(value)] as const),
  ]);
}
