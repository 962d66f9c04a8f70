import type { Tensor } from "../../../graph/index.js";
import {
  add,
  cos,
  div,
  equal,
  less,
  matmul,
  mean,
  mul,
  reshape,
  scope,
  showShape,
  sin,
  sqrt,
  sub,
  sum,
  transposeMatrix,
  where,
} from "../../../graph/index.js";
import { check } from "../../../util/errors.js";
import type { MaskLayout } from "../phases.js";
import { groupMasks } from "../phases.js";

/** Inputs of the synchrony loss. */
export interface SynchronyInputs extends Partial<MaskLayout> {
  /** Phases in radians, [batch, oscillators, height, width]. */
  readonly phases: Tensor;
  /** Amplitudes in the shape of the phases. Silent units (amplitude 0) count as units of phase 0. */
  readonly amplitude: Tensor;
  /** One-hot masks [batch, 1 + objects (+ overlap), 1, height, width]. */
  readonly masks: Tensor;
}

/** The synchrony loss and its parts, as scalars averaged over the batch. */
export interface SynchronyLoss {
  /** (synchrony + desynchrony) / bound. */
  readonly loss: Tensor;
  /** 0 if the phases within each group are equal, 1 if they cancel out. */
  readonly synchrony: Tensor;
  /** 0 if the groups' mean phases are spread evenly around the circle. */
  readonly desynchrony: Tensor;
}

/**
 * Measures how far the phases within each of G groups are from being equal, and how far the mean phases of
 * the groups are from being evenly spread. For phases phi of pixels and oscillator channels c:
 *
 *     order[g,c] = |sum over the pixels of g of exp(i phi[c])| / pixels of g
 *     synchrony   = 1 - mean over g and c of order
 *     desynchrony = sum_{m=1..G/2} |sum_g exp(i m theta_g)|^2 / (2 G m^2),  theta_g mean phase of group g
 *     loss = (synchrony + desynchrony) / (1 + G/2 sum_m 1/m^2)
 *
 * (TMLR 2025, synchrony loss.) exp(i m theta) is computed from exp(i theta) by repeated multiplication, so
 * the angle theta itself is not needed.
 *
 * Throws `StriateError` if the masks do not fit the phases.
 */
export function synchronyLoss(inputs: SynchronyInputs): SynchronyLoss {
  return scope("synchronyLoss", () => {
    const { phases, amplitude, masks, background = false, overlapChannel = false } = inputs;
    const groups = groupMasks(masks, { background, overlapChannel });
    check(
      groups.shape.slice(2).join() === phases.shape.slice(2).join(),
      () => `masks: expected masks that fit phases ${showShape(phases.shape)}, got ${showShape(masks.shape)}`,
    );
    const count = groups.shape[1] as number;
    const flatGroups = reshape(groups, [groups.shape[0]!, count, -1]);
    // Sums for each group and oscillator channel: [batch, groups, channels].
    const total = (perUnit: Tensor) => {
      const flat = reshape(perUnit, [perUnit.shape[0]!, perUnit.shape[1]!, -1]);
      return matmul(flatGroups, transposeMatrix(flat));
    };
    const silent = equal(amplitude, 0);
    const x = total(where(silent, 1, cos(phases)));
    const y = total(where(silent, 0, sin(phases)));

    const pixels = sum(flatGroups, 2, { keepAxes: true });
    const order = div(length(x, y), where(equal(pixels, 0), 1, pixels));
    const synchrony = sub(1, mean(order));

    const harmonics = Math.floor(count / 2);
    const desynchrony = mean(spread(mean(x, 2), mean(y, 2), harmonics));
    let bound = 1;
    for (let m = 1; m <= harmonics; m++) bound += count / 2 / m ** 2;
    return { loss: div(add(synchrony, desynchrony), bound), synchrony, desynchrony };
  });
}

function length(x: Tensor, y: Tensor): Tensor {
  return sqrt(add(add(mul(x, x), mul(y, y)), 1e-30));
}

/**
 * Computes the desynchrony of each sample from the components x and y of the groups' mean vectors, [batch,
 * groups]. If a mean vector vanishes, its phase counts as 0.
 */
function spread(x: Tensor, y: Tensor, harmonics: number): Tensor {
  const count = x.shape[1] as number;
  const size = length(x, y);
  const none = less(size, 1e-12);
  const [c1, s1] = [where(none, 1, div(x, size)), where(none, 0, div(y, size))];
  let [c, s] = [c1, s1];
  let result: Tensor | undefined;
  for (let m = 1; m <= harmonics; m++) {
    if (m > 1) [c, s] = [sub(mul(c, c1), mul(s, s1)), add(mul(s, c1), mul(c, s1))];
    const [re, im] = [sum(c, 1), sum(s, 1)];
    const term = mul(add(mul(re, re), mul(im, im)), 1 / (2 * count * m ** 2));
    result = result ? add(result, term) : term;
  }
  // A single group has no other group to be desynchronised from.
  return result ?? mul(sum(c, 1), 0);
}
