import type { TensorData } from "../../../graph/index.js";
import { check } from "../../../util/errors.js";
import { SUBCORTICAL, withoutPrefix } from "../authors-names.js";
import type { SubcorticalWeights } from "./subcortical-block.js";
import { PATHWAYS } from "./pathways.js";

/**
 * Takes the tensors of retina and thalamus out of a state dictionary of EVNet's authors, for the option
 * `weights` of a `SubcorticalBlock`. `p` and `m` are the numbers of P and M cells: the dictionary of a
 * network with one pathway does not say which one that is. Tensors of the contrast normalisation may be
 * missing.
 *
 * @throws StriateError if kernels or gains are missing, or have other numbers of cells.
 */
export function subcorticalWeights(
  tensors: ReadonlyMap<string, TensorData>,
  { p, m }: { readonly p: number; readonly m: number },
): SubcorticalWeights {
  const bare = withoutPrefix(tensors);
  const present = PATHWAYS.filter((pathway) => (pathway === "P" ? p : m) > 0);
  const weights = present.map((pathway, index) => {
    const cells = pathway === "P" ? p : m;
    const start = index === 0 ? 0 : p;
    const kernels = (stage: string) => bare.get(`${SUBCORTICAL}${stage}.multi_conv.convs.${index}.weight`);
    const numbers = (name: string) => {
      const all = bare.get(SUBCORTICAL + name);
      return all && part(all, name, { start, cells, total: p + m });
    };
    const [dog, kExc] = [kernels("dog"), numbers("k_exc")];
    check(
      dog && kExc,
      () => `retina weights: pathway ${pathway}: "${SUBCORTICAL}${dog ? "k_exc" : "dog"}" is missing`,
    );
    const normalisation = {
      pool: kernels("contrast_norm"),
      c50: numbers("contrast_norm.c50"),
      n: numbers("contrast_norm.n"),
    };
    return [pathway, { dog, kExc, ...normalisation }] as const;
  });
  return Object.fromEntries(weights);
}

interface Part {
  readonly start: number;
  readonly cells: number;
  readonly total: number;
}

/** The numbers of one pathway from a tensor [1, total, 1, 1]. */
function part({ shape, data }: TensorData, name: string, { start, cells, total }: Part): TensorData {
  check(
    shape.join() === [1, total, 1, 1].join(),
    () => `retina weights: "${SUBCORTICAL}${name}": expected [1, ${total}, 1, 1], got [${shape.join(", ")}]`,
  );
  const values = Float32Array.from(data.slice(start, start + cells) as ArrayLike<number>);
  return { dtype: "float32", shape: [1, cells, 1, 1], data: values };
}
