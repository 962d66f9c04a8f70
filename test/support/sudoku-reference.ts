import type { TensorData } from "../../src/graph/index.js";

/*
 * The Sudoku network as the equations say it, one board, position after position in doubles. It reads the authors' state
 * dictionary and shares nothing with the network that it checks.
 */

type Vector = readonly number[];

export interface SudokuReferenceOptions {
  readonly n: number;
  readonly heads: number;
  readonly timesteps: number;
  /** Whether read-outs go on with three convolutions. */
  readonly nonlinear: boolean;
}

const CELLS = 81;

/** The logits of one board, [81, 9], and the energies of the last layer, timesteps + 1 of them. */
export function sudokuReference(
  dictionary: ReadonlyMap<string, TensorData>,
  tokens: ArrayLike<number>,
  /** [channels, 81] */
  noise: ArrayLike<number>,
  { n, heads, timesteps, nonlinear }: SudokuReferenceOptions,
): { readonly logits: number[]; readonly energies: number[] } {
  const has = (name: string) => dictionary.has(name);
  const of = (name: string) => Array.from(dictionary.get(name)!.data as ArrayLike<number>, Number);
  /** A 1 x 1 convolution at one position. */
  const map = (name: string, x: Vector): number[] => {
    const [weight, bias] = [of(`${name}.weight`), of(`${name}.bias`)];
    return bias.map((b, row) => x.reduce((sum, v, i) => sum + weight[row * x.length + i]! * v, b));
  };
  const [gamma] = of("gamma");
  const embedding = of("embedding.weight");
  const channels = embedding.length / 10;
  const width = channels / heads;
  const cells = Array.from({ length: CELLS }, (_, p) => p);
  let c = cells.map((p) => embedding.slice(tokens[p]! * channels, (tokens[p]! + 1) * channels));
  let x: Vector[] = cells.map((p) =>
    c[p]!.map((value, k) => (tokens[p]! > 0 ? value : noise[k * CELLS + p]!)),
  );
  const unit = (v: Vector) => {
    const lengths = Array.from({ length: channels / n }, (_, i) =>
      Math.hypot(...v.slice(i * n, (i + 1) * n)),
    );
    return v.map((value, k) => value / lengths[Math.floor(k / n)]!);
  };
  let energies: number[] = [];
  for (let layer = 0; has(`layers.${layer}.1.0.bias`); layer++) {
    const [kuramoto, readout] = [`layers.${layer}.0`, `layers.${layer}.1`];
    const matrices = ["q", "k", "v", "o"].map((one) => of(`${kuramoto}.connectivity.mat_${one}`));
    /** The 2 x 2 matrices of position p on the pairs of a head's vector. */
    const turn = (matrix: Vector, p: number, u: Vector) =>
      u.map((_, i) => {
        const at = ((p * width) / 2 + (i >> 1)) * 4 + (i % 2) * 2;
        return matrix[at]! * u[i - (i % 2)]! + matrix[at + 1]! * u[i - (i % 2) + 1]!;
      });
    const coupled = (state: readonly Vector[]): Vector[] => {
      const all = state.map((v) => map(`${kuramoto}.connectivity.W_qkv`, v));
      const mixed = cells.map(() => new Array<number>(channels).fill(0));
      for (let head = 0; head < heads; head++) {
        const part = (which: number) =>
          cells.map((p) =>
            turn(
              matrices[which]!,
              p,
              Array.from({ length: width }, (_, d) => all[p]![which * channels + d * heads + head]!),
            ),
          );
        const [q, k, v] = [part(0), part(1), part(2)];
        for (const p of cells) {
          const scores = k.map((key) => Math.exp(dot(q[p]!, key) / Math.sqrt(width)));
          const total = scores.reduce((a, b) => a + b);
          const mean = q[p]!.map((_, d) => scores.reduce((sum, s, j) => sum + (s / total) * v[j]![d]!, 0));
          turn(matrices[3]!, p, mean).forEach((value, d) => (mixed[p]![d * heads + head] = value));
        }
      }
      return mixed.map((v) => map(`${kuramoto}.connectivity.W_o`, v));
    };
    const omega = has(`${kuramoto}.omg.omg_param`) ? of(`${kuramoto}.omg.omg_param`) : undefined;
    const rotated = (v: Vector) =>
      v.map((value, k) => {
        if (omega === undefined) return value;
        const plane = omega.length === 2 ? 0 : k >> 1;
        const frequency = Math.hypot(omega[2 * plane]!, omega[2 * plane + 1]!);
        return k % 2 === 0 ? frequency * v[k + 1]! : -frequency * v[k - 1]!;
      });
    x = x.map(unit);
    energies = [0];
    for (let t = 0; t < timesteps; t++) {
      const pull = coupled(x);
      let energy = 0;
      x = x.map((v, p) => {
        const y = v.map((_, k) => pull[p]![k]! + c[p]![k]!);
        energy -= dot(v, y);
        const along = v.map((_, k) => {
          const own = k - (k % n);
          return dot(v.slice(own, own + n), y.slice(own, own + n));
        });
        const turning = rotated(v);
        return unit(v.map((value, k) => value + gamma! * (turning[k]! + y[k]! - along[k]! * value)));
      });
      energies.push(energy);
    }
    const bias = of(`${readout}.0.bias`);
    c = x.map((v) => {
      const vectors = map(`${readout}.0.invconv`, v);
      const z = bias.map((b, o) => b + Math.hypot(...vectors.slice(o * n, (o + 1) * n)));
      if (!nonlinear) return z;
      const inner = map(`${readout}.1.fn.fn.0.fn.2`, rectified(z));
      const change = map(`${readout}.1.fn.fn.1.fn.2`, rectified(inner));
      return map(`${readout}.2.fn.2`, rectified(z.map((value, o) => value + change[o]!)));
    });
  }
  return { logits: c.flatMap((z) => map("out.1", rectified(z))), energies };
}

function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function rectified(x: Vector): number[] {
  return x.map((value) => Math.max(value, 0));
}
