import { readTorchCheckpoint } from "../../data/formats/torch-tensor-node.js";
import type { TensorData } from "../../graph/index.js";
import { tensorData } from "../../graph/index.js";
import { check } from "../../util/errors.js";
import { storedToFloat32 } from "../../util/safetensors.js";
import { readSafetensors } from "../../util/safetensors-node.js";
import { checkCouplingValues } from "./config.js";

/**
 * Possible names of a coupling kernel in a file: our name and the authors' name, each also as it is in a
 * checkpoint.
 */
const NAMES = ["coupling", "param.coupling", "kernel_kuramoto", "param.kernel_kuramoto"] as const;

/**
 * Reads a pretrained coupling kernel of shape `[to, from, size, size]`. Pass it as `values` in the option
 * `coupling: { kernel: "learnt", values }`. The file is a safetensors file or a PyTorch file (`.pt` or
 * `.pth`, from which no code is executed). The kernel is the tensor "coupling" (in a checkpoint
 * "param.coupling"), the tensor "kernel_kuramoto", as the authors name it, or the file's only tensor.
 *
 * @throws StriateError if the kernel is missing, does not have four axes, is not square, has an even side, or
 * is not finite, or if a PyTorch file contains anything but tensors.
 */
export async function readCoupling(path: string): Promise<TensorData> {
  const tensors = /\.(pt|pth)$/i.test(path) ? await torchTensors(path) : await storedTensors(path);
  const name = NAMES.find((one) => tensors.has(one)) ?? [...tensors.keys()][0];
  check(
    name !== undefined && (tensors.size === 1 || NAMES.some((one) => one === name)),
    () =>
      `coupling kernel "${path}": expected a tensor "coupling" or "kernel_kuramoto", or a single tensor, got ` +
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
          () => `coupling kernel "${path}": expected floating-point numbers, got ${data.constructor.name}`,
        );
        return tensorData(Float32Array.from(data), shape);
      },
    ]),
  );
}
