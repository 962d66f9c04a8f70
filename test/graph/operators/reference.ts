/*
 * A second implementation of what is easy to get wrong, written from the definitions: loops over single elements,
 * no shared code with the operators.
 */

/** A dense tensor of plain numbers, row-major. */
export interface Dense {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** A tensor from a function of the coordinates. */
export function dense(shape: readonly number[], at: (...coordinates: number[]) => number): Dense {
  const data: number[] = [];
  const size = shape.reduce((a, b) => a * b, 1);
  for (let i = 0; i < size; i++) {
    const coordinates: number[] = [];
    let rest = i;
    for (const dim of shape.toReversed()) {
      coordinates.unshift(rest % dim);
      rest = Math.floor(rest / dim);
    }
    data.push(at(...coordinates));
  }
  return { shape, data };
}

export function element(x: Dense, ...coordinates: number[]): number {
  return x.data[coordinates.reduce((at, c, axis) => at * x.shape[axis]! + c, 0)]!;
}

export interface Window2 {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** [top, left, bottom, right] */
  readonly padding: readonly number[];
  readonly ceilMode: boolean;
}

/** PyTorch's pooling_output_shape. */
function pooledLength(length: number, w: Window2, axis: number): number {
  const [before, after] = [w.padding[axis]!, w.padding[axis + 2]!];
  const free = length + before + after - w.dilation[axis]! * (w.kernel[axis]! - 1) - 1;
  let count = Math.floor((free + (w.ceilMode ? w.stride[axis]! - 1 : 0)) / w.stride[axis]!) + 1;
  if (w.ceilMode && (count - 1) * w.stride[axis]! >= length + before) count -= 1;
  return count;
}

/** Every pooling: `summary` gets the cells of a window as [row, column, inside, in the padding that counts]. */
function pool2(
  x: Dense,
  w: Window2,
  summary: (cells: { value: number | undefined; counts: boolean }[]) => number,
): Dense {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  const shape = [n, c, pooledLength(height, w, 0), pooledLength(width, w, 1)];
  return dense(shape, (i, k, row, column) => {
    const cells: { value: number | undefined; counts: boolean }[] = [];
    for (let a = 0; a < w.kernel[0]!; a++) {
      for (let b = 0; b < w.kernel[1]!; b++) {
        const y = row * w.stride[0]! - w.padding[0]! + a * w.dilation[0]!;
        const z = column * w.stride[1]! - w.padding[1]! + b * w.dilation[1]!;
        const inside = y >= 0 && z >= 0 && y < height && z < width;
        cells.push({
          value: inside ? element(x, i, k, y, z) : undefined,
          counts: y < height + w.padding[2]! && z < width + w.padding[3]!,
        });
      }
    }
    return summary(cells);
  });
}

export function maxPool2(x: Dense, w: Window2): Dense {
  return pool2(x, w, (cells) => Math.max(...cells.map((cell) => cell.value ?? -Infinity)));
}

export function averagePool2(x: Dense, w: Window2, countPadding: boolean): Dense {
  return pool2(x, w, (cells) => {
    const total = cells.reduce((sum, cell) => sum + (cell.value ?? 0), 0);
    return total / cells.filter((cell) => (countPadding ? cell.counts : cell.value !== undefined)).length;
  });
}

/** PyTorch's adaptive pooling: mean or maximum over [floor(i * length / count), ceil((i + 1) * length / count)). */
export function adaptivePool2(x: Dense, size: readonly number[], kind: "average" | "max"): Dense {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  return dense([n, c, ...size], (i, k, row, column) => {
    const values: number[] = [];
    for (let y = Math.floor((row * height) / size[0]!); y < Math.ceil(((row + 1) * height) / size[0]!); y++) {
      const end = Math.ceil(((column + 1) * width) / size[1]!);
      for (let z = Math.floor((column * width) / size[1]!); z < end; z++) values.push(element(x, i, k, y, z));
    }
    return kind === "max" ? Math.max(...values) : values.reduce((a, b) => a + b, 0) / values.length;
  });
}

export interface Resize2 {
  readonly mode: "nearest" | "linear" | "cubic";
  readonly coordinates: string;
  readonly nearest: string;
  readonly excludeOutside: boolean;
}

/** Where output element i reads its input, by the table in ONNX's description of Resize. */
export function sourcePosition(i: number, length: number, count: number, coordinates: string): number {
  const scale = count / length;
  if (coordinates === "asymmetric") return i / scale;
  if (coordinates === "align_corners") return count === 1 ? 0 : (i * (length - 1)) / (count - 1);
  if (coordinates === "pytorch_half_pixel" && count === 1) return 0;
  return (i + 0.5) / scale - 0.5;
}

function weightsOf(
  position: number,
  length: number,
  { mode, nearest, excludeOutside }: Resize2,
): [number, number][] {
  const edge = (cell: number) => Math.max(0, Math.min(length - 1, cell));
  const low = Math.floor(position);
  const t = position - low;
  if (mode === "nearest") {
    const chosen = {
      floor: low,
      ceil: Math.ceil(position),
      round_prefer_floor: t <= 0.5 ? low : low + 1,
      round_prefer_ceil: t < 0.5 ? low : low + 1,
    }[nearest]!;
    return [[edge(chosen), 1]];
  }
  if (mode === "linear") {
    return [
      [edge(low), 1 - t],
      [edge(low + 1), t],
    ];
  }
  const a = -0.75;
  const kernel = (distance: number) => {
    const d = Math.abs(distance);
    if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
    return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
  };
  const cells = [low - 1, low, low + 1, low + 2];
  const used = excludeOutside ? cells.filter((cell) => cell >= 0 && cell < length) : cells;
  const total = used.reduce((sum, cell) => sum + kernel(position - cell), 0);
  return used.map((cell) => [edge(cell), kernel(position - cell) / (excludeOutside ? total : 1)]);
}

export function resize2(x: Dense, size: readonly number[], how: Resize2): Dense {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  return dense([n, c, ...size], (i, k, row, column) => {
    // Without a change of length, an axis is copied.
    const along = (at: number, length: number, count: number): [number, number][] =>
      length === count
        ? [[at, 1]]
        : weightsOf(sourcePosition(at, length, count, how.coordinates), length, how);
    let sum = 0;
    for (const [y, wy] of along(row, height, size[0]!)) {
      for (const [z, wz] of along(column, width, size[1]!)) sum += wy * wz * element(x, i, k, y, z);
    }
    return sum;
  });
}

/** NumPy's pad along every axis. */
export function padded(x: Dense, before: readonly number[], after: readonly number[], mode: string): Dense {
  const shape = x.shape.map((dim, axis) => dim + before[axis]! + after[axis]!);
  const source = (at: number, axis: number): number | undefined => {
    const dim = x.shape[axis]!;
    let i = at - before[axis]!;
    if (i >= 0 && i < dim) return i;
    if (mode === "constant") return undefined;
    if (mode === "edge") return i < 0 ? 0 : dim - 1;
    if (mode === "wrap") return (i + 10 * dim) % dim;
    while (i < 0 || i >= dim) i = i < 0 ? -i : 2 * (dim - 1) - i;
    return i;
  };
  return dense(shape, (...at) => {
    const from = at.map(source);
    return from.every((i) => i !== undefined) ? element(x, ...from) : 0;
  });
}

/** Cross-correlation as PyTorch's conv2d defines it. */
export function conv2(x: Dense, weight: Dense, bias: Dense | undefined, w: Window2, groups: number): Dense {
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const [out, perGroup] = weight.shape as [number, number];
  const shape = [n, out, pooledLength(height, w, 0), pooledLength(width, w, 1)];
  return dense(shape, (i, o, row, column) => {
    let sum = bias?.data[o] ?? 0;
    const first = Math.floor(o / (out / groups)) * (channels / groups);
    for (let k = 0; k < perGroup; k++) {
      for (let a = 0; a < w.kernel[0]!; a++) {
        for (let b = 0; b < w.kernel[1]!; b++) {
          const y = row * w.stride[0]! - w.padding[0]! + a * w.dilation[0]!;
          const z = column * w.stride[1]! - w.padding[1]! + b * w.dilation[1]!;
          if (y < 0 || z < 0 || y >= height || z >= width) continue;
          sum += element(weight, o, k, a, b) * element(x, i, first + k, y, z);
        }
      }
    }
    return sum;
  });
}

/** Scatters every input element through the kernel, then cuts the padding off. */
export function convTranspose2(
  x: Dense,
  weight: Dense,
  bias: Dense | undefined,
  w: Window2,
  groups: number,
  outputPadding: readonly number[],
): Dense {
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const perGroup = weight.shape[1]!;
  const length = (dim: number, axis: number) =>
    (dim - 1) * w.stride[axis]! +
    w.dilation[axis]! * (w.kernel[axis]! - 1) +
    1 -
    w.padding[axis]! -
    w.padding[axis + 2]! +
    outputPadding[axis]!;
  const result = dense(
    [n, perGroup * groups, length(height, 0), length(width, 1)],
    (_, o) => bias?.data[o] ?? 0,
  );
  const data = [...result.data];
  const [, out, rows, columns] = result.shape as [number, number, number, number];
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < channels; k++) {
      const group = Math.floor(k / (channels / groups));
      for (let o = 0; o < perGroup; o++) {
        for (let row = 0; row < height; row++) {
          for (let column = 0; column < width; column++) {
            for (let a = 0; a < w.kernel[0]!; a++) {
              for (let b = 0; b < w.kernel[1]!; b++) {
                const y = row * w.stride[0]! + a * w.dilation[0]! - w.padding[0]!;
                const z = column * w.stride[1]! + b * w.dilation[1]! - w.padding[1]!;
                if (y < 0 || z < 0 || y >= rows || z >= columns) continue;
                const at = ((i * out + group * perGroup + o) * rows + y) * columns + z;
                data[at]! += element(x, i, k, row, column) * element(weight, k, o, a, b);
              }
            }
          }
        }
      }
    }
  }
  return { shape: result.shape, data };
}

/** (x - mean) / sqrt(variance + epsilon) over the elements that share `key`. */
export function normalised(x: Dense, epsilon: number, key: (...coordinates: number[]) => string): Dense {
  const groups = new Map<string, number[]>();
  dense(x.shape, (...at) => {
    const group = groups.get(key(...at)) ?? [];
    groups.set(key(...at), group);
    return group.push(element(x, ...at));
  });
  return dense(x.shape, (...at) => {
    const values = groups.get(key(...at))!;
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    return (element(x, ...at) - mean) / Math.sqrt(variance + epsilon);
  });
}
