import type { TensorData } from "../../graph/index.js";
import { tensorData } from "../../graph/index.js";
import { check } from "../../util/errors.js";
import { storedToFloat32 } from "../../util/safetensors.js";
import { readSafetensors } from "../../util/safetensors-node.js";
import { checkCouplingValues } from "./config.js";

/** Names that a coupling kernel goes by: ours, that of a checkpoint, that of the authors' state dictionary. */
const NAMES = ["coupling", "param.coupling", "kernel_kuramoto", "param.kernel_kuramoto"] as const;

/**
 * Reads a pretrained coupling kernel `[to, from, size, size]` from a safetensors file: the tensor "coupling" (also of a
 * checkpoint), "kernel_kuramoto" as the authors name it, or the only tensor of the file. For
 * `coupling: { kernel: "learnt", values }`.
 *
 * Throws {@link StriateError} for files that hold no such kernel: not four axes, not square, an even side, numbers that are
 * not finite. PyTorch's `.pt` files are pickles, programs that run when they are opened; there is no safe reader for
 * them here, so they are refused with the way to convert them.
 */
export async function readCoupling(path: string): Promise<TensorData> {
  check(
    !/\.(pt|pth|pkl|bin)$/i.test(path),
    () =>
      `coupling kernel "${path}": expected a .safetensors file; PyTorch files are pickles, which run as programs. ` +
      'Convert it where PyTorch is: safetensors.torch.save_file({"coupling": torch.load(path)}, "coupling.safetensors")',
  );
  const { tensors } = await readSafetensors(path);
  const name =
    NAMES.find((one) => tensors.has(one)) ?? (tensors.size === 1 ? [...tensors.keys()][0] : undefined);
  check(
    name !== undefined,
    () =>
      `coupling kernel "${path}": expected a tensor "coupling" or "kernel_kuramoto", or one tensor alone, got ` +
      [...tensors.keys()].slice(0, 8).join(", "),
  );
  const stored = tensors.get(name)!;
  const values = tensorData(storedToFloat32(stored), stored.shape);
  checkCouplingValues(values, `coupling kernel "${path}"`);
  return values;
}
