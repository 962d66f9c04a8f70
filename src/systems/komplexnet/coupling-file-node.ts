import { readTorchCheckpoint } from "../../data/formats/torch-tensor-node.js";
import type { TensorData } from "../../graph/index.js";
import { tensorData } from "../../graph/index.js";
import { check } from "../../util/errors.js";
import { storedToFloat32 } from "../../util/safetensors.js";
import { readSafetensors } from "../../util/safetensors-node.js";
import { checkCouplingValues } from "./config.js";

/** Names that a coupling kernel goes by: ours, that of a checkpoint, that of the authors' state dictionary. */
const NAMES = ["coupling", "param.coupling", "kernel_kuramoto", "param.kernel_kuramoto"] as const;

/**
 * Reads a pretrained coupling kernel `[to, from, size, size]` from a safetensors file or one of PyTorch's (`.pt`, `.pth`;
 * nothing in it is executed): the tensor "coupling" (also of a checkpoint), "kernel_kuramoto" as the authors name it, or
 * the only tensor of the file. For `coupling: { kernel: "learnt", values }`.
 *
 * @throws StriateError for files that hold no such kernel: not four axes, not square, an even side, numbers that are not
 * finite; and for PyTorch files that hold anything but tensors.
 */
export async function readCoupling(path: string): Promise<TensorData> {
  const tensors = /\.(pt|pth)$/i.test(path) ? await torchTensors(path) : await storedTensors(path);
  const name = NAMES.find((one) => tensors.has(one)) ?? [...tensors.keys()][0];
  check(
    name !== undefined && (tensors.size === 1 || NAMES.some((one) => one === name)),
    () =>
      `coupling kernel "${path}": expected a tensor "coupling" or "kernel_kuramoto", or one tensor alone, got ` +
      ([...tensors.keys()].slice(0, 8).join(", ") || "none"),
  );
  const values = tensors.get(name)!();
  checkCouplingValues(values, `coupling kernel "${path}"`);
  return values;
}

type Tensors = ReadonlyMap<string, () => TensorData>;

async function storedTensors(path: string): Promise<Tensors> {
  const { tensors } = await readSafetensors(path);
  return new Map(
    [...tensors].map(([name, stored]) => [name, () => tensorData(storedToFloat32(stored), stored.shape)]),
  );
}

async function torchTensors(path: string): Promise<Tensors> {
  const { tensors } = await readTorchCheckpoint(path);
  return new Map(
    [...tensors].map(([name, { shape, data }]) => [
      name,
      () => {
        check(
          data instanceof Float32Array || data instanceof Float64Array,
          () => `coupling kernel "${path}": expected floats, got ${data.constructor.name}`,
        );
        return tensorData(Float32Array.from(data), shape);
      },
    ]),
  );
}
