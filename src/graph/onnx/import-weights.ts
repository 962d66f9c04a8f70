import { clone, create, toBinary } from "@bufbuild/protobuf";
import { StriateError, check } from "../../util/errors.js";
import { float32ToBfloat16, float32ToFloat16 } from "../../util/half.js";
import type { DType, TypedArray } from "../dtype.js";
import { bytesPerElement, dtypeFromOnnx } from "../dtype.js";
import { bytesOf } from "./write/encode.js";
import { externalBytes, isExternal } from "./read/external-data.js";
import type { GraphProto, ModelProto, TensorProto } from "./generated/onnx_pb.js";
import {
  GraphProtoSchema,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
  TensorProto_DataLocation,
} from "./generated/onnx_pb.js";
import type { OnnxFile } from "./read/read.js";
import { initializerRoles } from "./read/initializer-roles.js";
import type { ModelParts, StorableModel } from "./write/storable.js";
import { storable } from "./write/storable.js";

/** A tensor of a weight file, in row-major order. */
export interface ForeignTensor {
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** Options for matching the names of a weight file with those of a model. */
export interface ImportWeightsOptions {
  /** Prefix of the names in the weight file, such as "ema.module.". By default, `importWeights` finds it. */
  readonly prefix?: string;
  /**
   * Whether the model may keep its own values for weights that the weight file lacks or has in another shape.
   * Default false.
   */
  readonly partial?: boolean;
}

/**
 * The model with its new values, and a record of the tensor that went into each weight. Everything else in
 * the model is unchanged.
 */
export interface ImportedWeights extends StorableModel {
  /** Names of the replaced weights in the model, each with its name in the weight file. */
  readonly placed: ReadonlyMap<string, string>;
  /** The prefix of names in the weight file that corresponds to `modelPrefix` in the model. */
  readonly prefix: string;
  readonly modelPrefix: string;
  /** Weights of the model that keep their values because the file has no tensor of their name. */
  readonly missing: readonly string[];
  /** Weights of the model that keep their values because the file's tensor has another shape, with both shapes. */
  readonly otherShape: ReadonlyMap<string, string>;
  /**
   * Tensors of the weight file that match no weight of the model, except for PyTorch's counters of batches.
   */
  readonly unused: readonly string[];
}

/**
 * Puts the tensors of a weight file into a model, by name and shape. The names may have different prefixes
 * ("module.conv1.weight" and "conv1.weight"); the function takes the prefixes that match the most weights.
 *
 * @throws StriateError if no tensor fits, if two sets of tensors fit equally well, or (unless `partial` is
 * true) if a tensor has another shape than its weight, a weight has no tensor, or a tensor has no weight
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { importWeights } from "striate";
 * import { openOnnx, readTorchCheckpoint } from "striate/node";
 *
 * const { tensors } = await readTorchCheckpoint("checkpoint.pth");
 * const { bytes } = importWeights(await openOnnx("resnet18.onnx"), tensors);
 * await writeFile("trained.onnx", bytes);
 * ```
 */
export function importWeights(
  file: OnnxFile,
  tensors: ReadonlyMap<string, ForeignTensor>,
  options: ImportWeightsOptions = {},
): ImportedWeights {
  const { what } = file;
  const model = file.copy();
  const graph = model.graph!;
  const weights = weightsOf(graph, what);
  const fit = fitNames(weights, tensors, options.prefix, what);
  const counterparts = [...tensors.keys()].filter(
    (name) => name.startsWith(fit.prefix) && !name.endsWith("num_batches_tracked"),
  );
  separateSharedWeights(graph, weights, new Set(counterparts.map(fit.weightOf)));
  const placed = new Map<string, string>();
  const missing: string[] = [];
  const otherShape = new Map<string, string>();
  for (const proto of weights.values()) {
    const name = fit.counterpartOf(proto.name);
    const tensor = name === undefined ? undefined : tensors.get(name);
    if (name === undefined || tensor === undefined) {
      missing.push(proto.name);
      continue;
    }
    if (proto.dims.join() !== tensor.shape.join()) {
      const shapes = `expected to be [${proto.dims.join(", ")}], got [${tensor.shape.join(", ")}] ("${name}" in the weight file)`;
      check(options.partial, () => `${what}: "${proto.name}" is ${shapes}`);
      otherShape.set(proto.name, shapes);
      continue;
    }
    setValues(proto, tensor);
    placed.set(proto.name, name);
  }
  const known = new Set([...placed.keys(), ...otherShape.keys()]);
  const unused = counterparts.filter((name) => !known.has(fit.weightOf(name)));
  check(missing.length === 0 || options.partial, () => describeMissing(what, missing, weights.size));
  check(unused.length === 0 || options.partial, () => describeUnused(what, unused));
  for (const proto of graph.initializer) if (isExternal(proto)) embedValues(proto, file);
  return Object.assign(storable(partsOf(model)), {
    placed,
    prefix: fit.prefix,
    modelPrefix: fit.modelPrefix,
    missing,
    otherShape,
    unused,
  });
}

/** Element types to which weights of checkpoints can be converted. */
const TRAINED: ReadonlySet<DType> = new Set(["float32", "float64", "float16", "bfloat16"]);

/**
 * The initializers that are weights, by name. Weights are the initializers whose values come from training.
 */
function weightsOf(graph: GraphProto, what: string): Map<string, TensorProto> {
  const roles = initializerRoles(graph);
  const found = graph.initializer.filter(
    ({ name, dims, dataType }) =>
      roles.get(name) !== "setting" &&
      dims.length > 0 &&
      TRAINED.has(dtypeFromOnnx(dataType, `${what}: initializer "${name}"`)),
  );
  check(found.length > 0, () => `${what}: expected a model with weights, found none`);
  return new Map(found.map((proto) => [proto.name, proto]));
}

interface Fit {
  readonly prefix: string;
  readonly modelPrefix: string;
  /** Functions that map the name of a weight to its name in the weight file, and back. */
  readonly counterpartOf: (weight: string) => string | undefined;
  readonly weightOf: (counterpart: string) => string;
}

/** The prefixes for which the largest number of weights have a counterpart of the same shape. */
function fitNames(
  weights: ReadonlyMap<string, TensorProto>,
  tensors: ReadonlyMap<string, ForeignTensor>,
  stated: string | undefined,
  what: string,
): Fit {
  const byEnding = new Map<string, string[]>();
  for (const name of tensors.keys()) {
    if (stated !== undefined && !name.startsWith(stated)) continue;
    for (const ending of stated === undefined ? endingsOf(name) : [name.slice(stated.length)])
      byEnding.set(ending, [...(byEnding.get(ending) ?? []), name]);
  }
  const votes = new Map<string, number>();
  for (const [name, { dims }] of weights) {
    for (const ending of endingsOf(name)) {
      for (const other of byEnding.get(ending) ?? []) {
        if (tensors.get(other)!.shape.join() !== dims.join()) continue;
        const key = JSON.stringify([other.slice(0, -ending.length), name.slice(0, -ending.length)]);
        votes.set(key, (votes.get(key) ?? 0) + 1);
      }
    }
  }
  const ranked = [...votes].sort(([a, m], [b, n]) => n - m || a.length - b.length);
  const [best, second] = ranked;
  if (best === undefined) throw noCounterpartError(what, weights, tensors, stated);
  const [prefix, modelPrefix] = JSON.parse(best[0]) as [string, string];
  const [otherPrefix] = second?.[1] === best[1] ? (JSON.parse(second[0]) as [string, string]) : [prefix];
  check(
    otherPrefix === prefix || overlap(prefix, otherPrefix),
    () =>
      `${what}: tensors that begin with "${prefix}" match as well as those with "${otherPrefix}": choose one with the option prefix`,
  );
  return {
    prefix,
    modelPrefix,
    counterpartOf: (weight) =>
      weight.startsWith(modelPrefix) ? prefix + weight.slice(modelPrefix.length) : undefined,
    weightOf: (counterpart) => modelPrefix + counterpart.slice(prefix.length),
  };
}

/**
 * Gives each layer its own weight again if PyTorch's exporter wrote equal weights only once, as for the batch
 * norms of an untrained network. In place of each further weight, the exporter writes an Identity node under
 * the name of that weight.
 */
function separateSharedWeights(
  graph: GraphProto,
  weights: Map<string, TensorProto>,
  expected: ReadonlySet<string>,
): void {
  graph.node = graph.node.filter(({ opType, input: [from = ""], output: [name = ""] }) => {
    const shared = opType === "Identity" && expected.has(name) ? weights.get(from) : undefined;
    if (shared === undefined) return true;
    const copied = clone(TensorProtoSchema, shared);
    copied.name = name;
    graph.initializer.push(copied);
    weights.set(name, copied);
    return false;
  });
}

/** Whether two prefixes, such as "module." and "module.layer1.", select the same tensors at different depths. */
function overlap(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

/** A name and its endings: "a.b.c", "b.c", "c". */
function endingsOf(name: string): string[] {
  const parts = name.split(".");
  return parts.map((_, i) => parts.slice(i).join("."));
}

function noCounterpartError(
  what: string,
  weights: ReadonlyMap<string, TensorProto>,
  tensors: ReadonlyMap<string, ForeignTensor>,
  stated: string | undefined,
): StriateError {
  const first = (names: Iterable<string>) => [...names].slice(0, 3).join(", ");
  const beginning = stated === undefined ? "" : ` that begins with "${stated}"`;
  return new StriateError(
    `${what}: none of its ${weights.size} weights (${first(weights.keys())}, ...) has a counterpart of its name and shape among the ` +
      `${tensors.size} tensors of the weight file (${first(tensors.keys())}, ...)${beginning}`,
  );
}

function describeMissing(what: string, missing: readonly string[], total: number): string {
  const shown = missing.slice(0, 5).join(", ") + (missing.length > 5 ? ", ..." : "");
  const merged = missing.some((name) => /^onnx::|_fused|folded/i.test(name))
    ? ". Names such as onnx::Conv_1 come from an exporter that merged batch norms into convolutions or transposed matrices; " +
      "export the network without constant folding, in training mode"
    : "";
  return (
    `${what}: ${missing.length} of its ${total} weights have no counterpart in the weight file: ${shown}${merged}. ` +
    `With "partial" they keep their values`
  );
}

function describeUnused(what: string, unused: readonly string[]): string {
  const shown = unused.slice(0, 5).join(", ") + (unused.length > 5 ? ", ..." : "");
  return (
    `${what}: ${unused.length} tensors of the weight file match no weight: ${shown}. Either the model has another structure, or an ` +
    `exporter merged weights (equal weights into one, or batch norms into convolutions). With "partial" they are left out`
  );
}

function setValues(proto: TensorProto, { data }: ForeignTensor): void {
  const dtype = dtypeFromOnnx(proto.dataType, proto.name);
  clearValues(proto).rawData = bytesOf({ dtype, shape: [], data: asFloats(dtype, data) });
}

function asFloats(dtype: DType, data: TypedArray): TypedArray {
  const numbers = Float64Array.from(data as ArrayLike<number>, Number);
  if (dtype === "float64") return numbers;
  const floats = data instanceof Float32Array ? data : Float32Array.from(numbers);
  if (dtype === "bfloat16") return float32ToBfloat16(floats);
  return dtype === "float16" ? float32ToFloat16(floats) : floats;
}

/** Moves values from another file into the model. */
function embedValues(proto: TensorProto, file: OnnxFile): void {
  const name = `${file.what}: initializer "${proto.name}"`;
  const width = bytesPerElement(dtypeFromOnnx(proto.dataType, name));
  const size = Math.ceil(proto.dims.reduce((product, length) => product * Number(length), width));
  const bytes = externalBytes(proto, size, name, file.externalData);
  clearValues(proto).rawData = bytes;
}

function clearValues(proto: TensorProto): TensorProto {
  proto.dataLocation = TensorProto_DataLocation.DEFAULT;
  proto.externalData = [];
  proto.floatData = [];
  proto.doubleData = [];
  proto.int32Data = [];
  proto.int64Data = [];
  proto.uint64Data = [];
  return proto;
}

/** The parts of a model that was read. They contain everything that its file contains. */
function partsOf(model: ModelProto): ModelParts {
  const { graph, ...rest } = model;
  return {
    head: () => toBinary(ModelProtoSchema, create(ModelProtoSchema, rest)),
    graph: () => toBinary(GraphProtoSchema, create(GraphProtoSchema, { ...graph!, initializer: [] })),
    initializers: graph!.initializer.map((tensor) => ({
      rawData: tensor.rawData,
      describe: (outside) => toBinary(TensorProtoSchema, describedTensor(tensor, outside)),
    })),
  };
}

function describedTensor(
  tensor: TensorProto,
  outside: Readonly<Record<string, string>> | undefined,
): TensorProto {
  if (outside === undefined) {
    const description: Partial<TensorProto> = { ...tensor };
    delete description.rawData;
    return create(TensorProtoSchema, description as TensorProto);
  }
  const { dims, dataType, name } = tensor;
  return create(TensorProtoSchema, {
    dims,
    dataType,
    name,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(outside).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    ),
  });
}
