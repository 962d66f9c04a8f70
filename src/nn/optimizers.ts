import type { Tensor } from "../graph/index.js";
import { add, div, mul, scaledAdd, sqrt, sub, tanh } from "../graph/index.js";
import { checkHalfOpen } from "../util/check.js";
import { StriateError, check } from "../util/errors.js";
import type { Optimizer, OptimizerStep, ParameterStep, PerParameter } from "./optimizer.js";
import { movingMean, perParameter, valueFor, withDecay } from "./optimizer.js";

/** Options of `sgd`, as in PyTorch. */
export interface SgdOptions {
  /** Momentum. Default 0, which is plain gradient descent and needs no state. */
  readonly momentum?: number;
  /** Whether to use Nesterov's form of momentum (default false). */
  readonly nesterov?: boolean;
  /** Default 0. */
  readonly weightDecay?: PerParameter;
}

/** Options of `adam` and `adamW` (Kingma & Ba 2015; Loshchilov & Hutter 2019). */
export interface AdamOptions {
  /** Decay rates of two running means, of the gradients and of their squares (default 0.9 and 0.999). */
  readonly betas?: readonly [number, number];
  /** Epsilon, which is added to the square root in the denominator, after bias correction (default 1e-8). */
  readonly epsilon?: number;
  /** Weight decay. Default 0 (Adam) or 0.01 (AdamW). */
  readonly weightDecay?: PerParameter;
}

/** Options of `rmsProp`, as in PyTorch. */
export interface RmsPropOptions {
  /** Decay rate of the running mean of squared gradients (default 0.99). */
  readonly alpha?: number;
  /** Epsilon, which is added to the denominator after taking the square root (default 1e-8). */
  readonly epsilon?: number;
  /** Default 0. */
  readonly momentum?: number;
  /**
   * Whether to divide gradients by their running standard deviation instead of their root mean square
   * (default false).
   */
  readonly centred?: boolean;
  /** Default 0. */
  readonly weightDecay?: PerParameter;
}

/**
 * Stochastic gradient descent, equal to PyTorch's SGD with dampening 0. For a parameter p with gradient g and
 * momentum buffer b, each step computes g = g + weightDecay p; b = momentum b + g; p = p - learningRate b.
 * Nesterov's form ends in p = p - learningRate (g + momentum b) instead.
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { momentum = 0, nesterov = false, weightDecay = 0 } = options;
  checkHalfOpen("SGD momentum", momentum, 0, 1);
  check(
    !nesterov || momentum > 0,
    () => `SGD: expected a momentum above 0 for Nesterov's form, got ${momentum}`,
  );
  return perParameter("sgd", momentum === 0 ? [] : ["momentum"], ({ learningRate }) => (step) => {
    const gradient = withDecay(step, weightDecay);
    const [buffer] = step.slots;
    const move = (direction: Tensor) => sub(step.parameter, mul(direction, learningRate));
    if (buffer === undefined) return [move(gradient)];
    const next = scaledAdd(buffer, momentum, gradient);
    return [move(nesterov ? scaledAdd(next, momentum, gradient) : next), next];
  });
}

/**
 * Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1), as in PyTorch. For a parameter p with gradient g,
 * betas b1 and b2 and steps t counted from 1, each step computes m = b1 m + (1 - b1) g; v = b2 v + (1 - b2)
 * g^2; p = p - learningRate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon). Weight decay is first added
 * to the gradient.
 *
 * @example
 * ```ts
 * import { adam, sgd } from "striate";
 *
 * const optimizer = adam({ betas: [0.9, 0.95] }); // or sgd({ momentum: 0.9, nesterov: true })
 * console.log(optimizer !== sgd()); // true
 * ```
 */
export function adam(options: AdamOptions = {}): Optimizer {
  const { weightDecay = 0 } = options;
  return adamRule("adam", options, ({ parameter }) => parameter, weightDecay);
}

/**
 * AdamW: {@link adam} with decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101). Instead of
 * adding the decay to the gradient, each step first multiplies the parameter by 1 - learningRate x
 * weightDecay.
 */
export function adamW(options: AdamOptions = {}): Optimizer {
  const { weightDecay = 0.01 } = options;
  const shrink = ({ parameter, name }: ParameterStep, learningRate: Tensor) => {
    const decay = valueFor(weightDecay, name);
    return decay === 0 ? parameter : mul(parameter, sub(1, mul(learningRate, decay)));
  };
  return adamRule("adamW", options, shrink, 0);
}

function adamRule(
  name: string,
  { betas: [beta1, beta2] = [0.9, 0.999], epsilon = 1e-8 }: AdamOptions,
  start: (step: ParameterStep, learningRate: Tensor) => Tensor,
  weightDecay: PerParameter,
): Optimizer {
  checkHalfOpen(`${name} beta 1`, beta1, 0, 1);
  checkHalfOpen(`${name} beta 2`, beta2, 0, 1);
  return perParameter(name, ["mean", "square"], ({ step: done, learningRate }) => {
    // Numerator and denominator are multiplied by sqrt(1 - b2^t). The bias correction then needs a few scalar
    // operations instead of a pass over every parameter.
    const root = sqrt(biasCorrection(beta2, done));
    const scale = div(mul(learningRate, root), biasCorrection(beta1, done));
    const small = mul(root, epsilon);
    return (step) => {
      const gradient = withDecay(step, weightDecay);
      const mean = movingMean(step.slots[0]!, gradient, beta1);
      const square = movingMean(step.slots[1]!, mul(gradient, gradient), beta2);
      const direction = div(mean, add(sqrt(square), small));
      return [sub(start(step, learningRate), mul(direction, scale)), mean, square];
    };
  });
}

/**
 * Computes 1 - beta^t with t = done + 1, through the identity 1 - e^-2a = 2 tanh(a) / (1 + tanh(a)) with a =
 * -t ln(beta) / 2. In float32, the direct form loses five digits in the first steps.
 */
function biasCorrection(beta: number, done: OptimizerStep["step"]): Tensor {
  const h = tanh(mul(add(done, 1), -Math.log(beta) / 2));
  return div(mul(h, 2), add(h, 1));
}

/**
 * RMSprop (Tieleman & Hinton 2012), as in PyTorch. For a parameter p with gradient g, each step computes g =
 * g + weightDecay p; v = alpha v + (1 - alpha) g^2; p = p - learningRate g / (sqrt(v) + epsilon). If
 * `centred` is true, the squared running mean of g is subtracted from v under the root. With momentum, the
 * last part becomes b = momentum b + g / (sqrt(v) + epsilon); p = p - learningRate b.
 */
export function rmsProp(options: RmsPropOptions = {}): Optimizer {
  const { alpha = 0.99, epsilon = 1e-8, momentum = 0, centred = false, weightDecay = 0 } = options;
  checkHalfOpen("RMSprop alpha", alpha, 0, 1);
  checkHalfOpen("RMSprop momentum", momentum, 0, 1);
  const slots = ["square", ...(centred ? ["mean"] : []), ...(momentum > 0 ? ["momentum"] : [])];
  return perParameter("rmsProp", slots, ({ learningRate }) => (step) => {
    const gradient = withDecay(step, weightDecay);
    const square = movingMean(step.slots[0]!, mul(gradient, gradient), alpha);
    const mean = centred ? movingMean(step.slots[1]!, gradient, alpha) : undefined;
    const spread = mean === undefined ? square : sub(square, mul(mean, mean));
    const ratio = div(gradient, add(sqrt(spread), epsilon));
    const buffer = momentum > 0 ? scaledAdd(step.slots.at(-1)!, momentum, ratio) : undefined;
    const next = sub(step.parameter, mul(buffer ?? ratio, learningRate));
    return [next, ...[square, mean, buffer].filter((state) => state !== undefined)];
  });
}

type Plain<T extends { readonly weightDecay?: PerParameter }> = Omit<T, "weightDecay"> & {
  readonly weightDecay?: number;
};

/** An optimizer described by plain data, for configuration files and workers. */
export type OptimizerConfig =
  | ({ readonly type: "sgd" } & Plain<SgdOptions>)
  | ({ readonly type: "adam" | "adamW" } & Plain<AdamOptions>)
  | ({ readonly type: "rmsProp" } & Plain<RmsPropOptions>);

/** Makes the optimizer that a configuration describes. Throws {@link StriateError} for an unknown type. */
export function optimizerOf(config: OptimizerConfig): Optimizer {
  switch (config.type) {
    case "sgd":
      return sgd(config);
    case "adam":
      return adam(config);
    case "adamW":
      return adamW(config);
    case "rmsProp":
      return rmsProp(config);
    default:
      throw new StriateError(
        `unknown optimizer "${(config as { type: string }).type}": expected one of sgd, adam, adamW, rmsProp`,
      );
  }
}
