import type { Tensor } from "../../../graph/index.js";
import { conv, convTranspose, div, mul, parameter, relu, scope, showShape } from "../../../graph/index.js";
import type { AxisMatrix } from "../../../graph/operators/linear/axis-matrix.js";
import { multiplySpace } from "../../../graph/operators/linear/axis-matrix.js";
import { fans, torchDefault } from "../../../nn/init.js";
import { checkMultiple } from "../../../util/check.js";
import { StriateError, check } from "../../../util/errors.js";
import type { ConvolutionStep, DecoderStep, FeatureShape, UpsampleStep } from "./decoder-steps.js";
import { resizeScale, spaceAfter } from "./decoder-steps.js";
import { mixingPays, resizeAndConvolve } from "./mixed-upsampling.js";
import { resizeMatrix } from "./upsampling.js";

interface Weights {
  readonly weight: Tensor;
  readonly bias?: Tensor;
}

/** The units of a decoder's values: their standard deviations, scalars. */
export interface DecoderUnits {
  readonly source: Tensor;
  readonly target: Tensor;
}

/**
 * The decoder of a PCoder. From a representation it predicts the value at the next lower cut point, or the
 * image if there is none. The weight of a transposed convolution has the shape [in, out / groups, ...kernel];
 * weights and biases start uniform in ±1 / sqrt(fan), with fan = (out / groups) x (kernel elements), as in
 * PyTorch. Parameters are named as in the authors' state dictionaries.
 */
export class Decoder {
  /**
   * The parameters: `{ weight, bias }` for a single convolution, otherwise a record of these by position in
   * the Sequential.
   */
  readonly pmodule: Weights | Readonly<Record<string, Weights>>;
  readonly #weights = new Map<DecoderStep, Weights>();

  /**
   * @param source shape of the representation: [channels, ...space]
   * @param target shape of the predicted value: [channels, ...space]
   * @throws StriateError if the steps do not map `source` to `target`
   */
  constructor(
    readonly steps: readonly DecoderStep[],
    readonly source: FeatureShape,
    readonly target: FeatureShape,
    readonly what: string,
  ) {
    checkShapes(steps, source, target, what);
    const byPosition: Record<string, Weights> = {};
    let bare: Weights | undefined;
    for (const step of steps) {
      if (step.type === "relu" || step.type === "upsample") continue;
      const weights = makeWeights(step);
      this.#weights.set(step, weights);
      if (step.position === undefined) bare = weights;
      else byPosition[step.position] = weights;
    }
    this.pmodule = bare ?? byPosition;
  }

  /**
   * Maps a representation r [batch, ...source] to its prediction [batch, ...target]. With units s and t of the two, the
   * prediction is t D(r / s). All steps are homogeneous, so the units change a few weights instead of whole maps.
   */
  forward(representation: Tensor, units?: DecoderUnits): Tensor {
    return scope("decoder", () => {
      const weights = this.#inUnits(units);
      const isPlain = weights.size === 0 && units !== undefined;
      let x = isPlain ? mul(representation, div(units.target, units.source)) : representation;
      for (let i = 0; i < this.steps.length; i++) {
        const joined = this.#joined(x, i, weights);
        if (joined !== undefined) i++;
        x = joined ?? this.#step(x, this.steps[i]!, weights);
      }
      return x;
    });
  }

  /** The weights of all convolutions: the first one takes values in the units of the source, the last one gives the target's. */
  #inUnits(units: DecoderUnits | undefined): ReadonlyMap<DecoderStep, Weights> {
    if (units === undefined) return this.#weights;
    const steps = [...this.#weights.keys()];
    return new Map(
      Array.from(this.#weights, ([step, { weight, bias }]): [DecoderStep, Weights] => {
        const [isFirst, isLast] = [step === steps[0], step === steps.at(-1)];
        const taken = isFirst ? div(weight, units.source) : weight;
        return [
          step,
          {
            weight: isLast ? mul(taken, units.target) : taken,
            ...(bias && { bias: isLast ? mul(bias, units.target) : bias }),
          },
        ];
      }),
    );
  }

  /**
   * If step `i` resizes and a convolution follows it, computes both together, provided that this is cheaper.
   * Otherwise returns undefined.
   */
  #joined(x: Tensor, i: number, all: ReadonlyMap<DecoderStep, Weights>): Tensor | undefined {
    const [step, next] = [this.steps[i]!, this.steps[i + 1]];
    if (step.type !== "upsample" || next?.type !== "convTranspose") return undefined;
    const space = x.shape.slice(2) as number[];
    const matrices = resizeMatrices(space, step, this.what);
    const after = matrices.map(({ rows }) => rows);
    if (!mixingPays(next, space, after)) return undefined;
    const { weight, bias } = all.get(next)!;
    return resizeAndConvolve(x, weight, bias, matrices as [AxisMatrix, AxisMatrix], next.padding);
  }

  #step(x: Tensor, step: DecoderStep, all: ReadonlyMap<DecoderStep, Weights>): Tensor {
    if (step.type === "relu") return relu(x);
    if (step.type === "upsample")
      return multiplySpace(x, resizeMatrices(x.shape.slice(2) as number[], step, this.what));
    const { weight, bias } = all.get(step)!;
    const { stride, padding, dilation, groups, outputPadding } = step;
    const options = { stride, padding: [...padding, ...padding], dilation, groups };
    return step.type === "conv"
      ? conv(x, weight, bias, options)
      : convTranspose(x, weight, bias, { ...options, ...(outputPadding && { outputPadding }) });
  }

  /**
   * Computes the number of elements of the prediction that the central element of the representation can
   * affect. The central element has index floor(n / 2) on every axis of length n. Only the decoder's
   * structure counts, not its activations or weights. The number is 0 if the decoder does not read the
   * central element, for example because it resizes to a smaller size.
   */
  centralWindow(): number {
    const channels = this.#reachedChannels();
    const cells = this.#space.map((length, axis) => this.#reachedCells(axis, Math.floor(length / 2)));
    return cells.reduce((product, reached) => product * reached, channels);
  }

  /**
   * Computes C of a PCoderN from the structure of the decoder. It equals {@link centralWindow}, except that
   * on each axis it uses the element nearest to the centre that affects the prediction.
   */
  window(): number {
    const cells = this.#space.map((length, axis) => {
      const centre = Math.floor(length / 2);
      const nearest = Array.from({ length }, (_, i) => i).sort(
        (a, b) => Math.abs(a - centre) - Math.abs(b - centre),
      );
      for (const cell of nearest) {
        const reached = this.#reachedCells(axis, cell);
        if (reached > 0) return reached;
      }
      return 0;
    });
    return cells.reduce((product, reached) => product * reached, this.#reachedChannels());
  }

  get #space(): readonly number[] {
    return this.source.slice(1);
  }

  #reachedChannels(): number {
    let channels = new Set([Math.floor(this.source[0]! / 2)]);
    for (const step of this.steps)
      if (step.type === "conv" || step.type === "convTranspose") channels = groupReach(channels, step);
    return channels.size;
  }

  /**
   * Computes how many elements of the prediction, along one axis, the element `start` of the representation
   * can affect.
   */
  #reachedCells(axis: number, start: number): number {
    let cells = new Set([start]);
    let space = this.#space;
    for (const step of this.steps) {
      if (step.type === "relu") continue;
      const after = spaceAfter(step, space, this.what);
      const [length, count] = [space[axis]!, after[axis]!];
      cells =
        step.type === "upsample"
          ? resizeReach(cells, step, axis, length, count)
          : convolutionReach(cells, step, axis, count);
      space = after;
    }
    return cells.size;
  }
}

function checkShapes(
  steps: readonly DecoderStep[],
  source: FeatureShape,
  target: FeatureShape,
  what: string,
): void {
  let [channels, space] = [source[0]!, source.slice(1)];
  for (const step of steps) {
    if (step.type === "conv" || step.type === "convTranspose") {
      const { inChannels, outChannels, groups } = step;
      const [given, wanted] = [channels, inChannels];
      check(given === wanted, () => `${what}: convolution: expected ${given} input channels, got ${wanted}`);
      checkMultiple(`${what}: convolution: input channels`, inChannels, groups);
      checkMultiple(`${what}: convolution: output channels`, outChannels, groups);
      channels = outChannels;
    }
    space = spaceAfter(step, space, what);
  }
  const made = [channels, ...space];
  if (made.join() !== target.join()) {
    throw new StriateError(
      `${what}: expected a prediction of ${showShape(target)} from ${showShape(source)}, got ${showShape(made)}`,
    );
  }
}

function makeWeights(step: ConvolutionStep): Weights {
  const { inChannels, outChannels, groups, kernel } = step;
  const shape =
    step.type === "conv"
      ? [outChannels, inChannels / groups, ...kernel]
      : [inChannels, outChannels / groups, ...kernel];
  const standard = torchDefault(fans(shape).fanIn);
  return {
    weight: parameter(shape, standard),
    ...(step.bias && { bias: parameter([outChannels], standard) }),
  };
}

function resizeMatrices(space: readonly number[], step: UpsampleStep, what: string): AxisMatrix[] {
  const after = spaceAfter(step, space, what);
  return space.map((length, axis) => {
    const count = after[axis]!;
    return resizeMatrix(length, count, resizeScale(step, axis, length, count), step.mode);
  });
}

function resizeReach(
  from: ReadonlySet<number>,
  step: UpsampleStep,
  axis: number,
  length: number,
  count: number,
): Set<number> {
  const { values } = resizeMatrix(length, count, resizeScale(step, axis, length, count), step.mode);
  const rows = Array.from({ length: count }, (_, row) => row);
  return new Set(rows.filter((row) => [...from].some((cell) => values[row * length + cell] !== 0)));
}

function convolutionReach(
  from: ReadonlySet<number>,
  step: ConvolutionStep,
  axis: number,
  count: number,
): Set<number> {
  const [s, p, d] = [step.stride[axis]!, step.padding[axis]!, step.dilation[axis]!];
  const reached = new Set<number>();
  for (const cell of from) {
    for (let k = 0; k < step.kernel[axis]!; k++) {
      const at = step.type === "convTranspose" ? cell * s - p + k * d : (cell + p - k * d) / s;
      if (Number.isInteger(at) && at >= 0 && at < count) reached.add(at);
    }
  }
  return reached;
}

function groupReach(channels: ReadonlySet<number>, step: ConvolutionStep): Set<number> {
  const [into, out] = [step.inChannels / step.groups, step.outChannels / step.groups];
  const reached = new Set<number>();
  for (const channel of channels) {
    const group = Math.floor(channel / into);
    for (let i = 0; i < out; i++) reached.add(group * out + i);
  }
  return reached;
}
