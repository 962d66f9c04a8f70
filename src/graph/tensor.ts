import { StriateError } from "../util/errors.js";
import type { Parts } from "../util/slices.js";
import type { Dim, Shape } from "./dims.js";
import { checkDim, showShape } from "./dims.js";
import type { DType, TensorData } from "./dtype.js";
import { fromNumbers, storedLength } from "./dtype.js";

/**
 * An ONNX attribute. A plain number is an INT, and a plain array is INTS. Floats are wrapped in objects,
 * because ONNX distinguishes the integer 1 from the float 1.0 and JavaScript does not.
 */
export type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: TensorData };
/** The attributes of a node by name, as in ONNX. */
export type Attributes = Readonly<Record<string, Attribute>>;

/**
 * An initialiser, which returns the values of a parameter before training. It must be a pure function of the
 * shape and of the random numbers that it draws.
 */
export type Initialiser = (shape: readonly number[], random: RandomSource) => Float32Array;

/**
 * The random numbers that an initialiser may draw: uniform in [0, 1), and standard normal. `Random` of
 * `util/random.ts` implements this interface.
 */
export interface RandomSource {
  uniform(): number;
  normal(): number;
}

/** A leaf of a graph: an input that is fed for each run, a parameter (trained or not), or a constant. */
export type Leaf =
  | { readonly kind: "input"; readonly name: string }
  | {
      readonly kind: "parameter";
      /** Name of the parameter, which `namedParameters` sets for a whole model. */
      name: string | undefined;
      readonly trainable: boolean;
      readonly initialiser: Initialiser;
    }
  | { readonly kind: "constant"; readonly data: TensorData };

/** Stack lines in this folder are skipped, because they do not show which line of a model made a node. */
const ENGINE = new URL(".", import.meta.url).pathname;

/**
 * The stack trace of the call that made a node. JavaScript formats it only when it is read, because
 * formatting takes as long as making the node.
 */
interface Origin {
  readonly stack?: string;
}

let nodes = 0;
let scopes: readonly string[] = [];
let inheritedOrigin: Origin | undefined;
let segments = 0;
let segment: number | undefined;

/**
 * Adds `name` to the scope of every node that is traced inside `body`, as exporters do with module paths.
 *
 * @example
 * ```ts
 * import { input, relu, scope } from "striate/graph";
 *
 * const y = scope("stem", () => relu(input("x", ["batch", 8])));
 * console.log(y.node.scope); // stem
 * ```
 */
export function scope<T>(name: string, body: () => T): T {
  return inScope([...scopes, name].join("/"), body);
}

/** Like `scope`, for work in several parts: nodes that other code traces between two parts are outside the scope. */
export function* scopeOfParts<T>(name: string, parts: Parts<T>): Parts<T> {
  const path = [...scopes, name].join("/");
  for (;;) {
    const { done, value } = inScope(path, () => parts.next());
    if (done === true) return value;
    yield;
  }
}

/** Like `scope`, but takes the whole path. */
function inScope<T>(path: string, body: () => T): T {
  const outer = scopes;
  scopes = path === "" ? [] : [path];
  try {
    return body();
  } finally {
    scopes = outer;
  }
}

/**
 * Marks what is traced inside `body`, such as one timestep, as a segment. If `gradients` recomputes, it keeps only what
 * one segment hands to another, and computes everything else inside a segment once more when the gradient needs it
 * (activation checkpointing: Chen et al., "Training deep nets with sublinear memory cost", 2016). A segment inside
 * another one is part of it.
 *
 * @example
 * ```ts
 * import { gradients, input, lower, recomputable, sum, tanh, topologicalOrder } from "striate/graph";
 *
 * const x = input("x", [4]);
 * let y = x;
 * for (let t = 0; t < 8; t++) y = recomputable(() => tanh(tanh(y)));
 * const count = (recompute: boolean) => {
 *   const [slope] = gradients(sum(y), [x], { recompute });
 *   const lowered = Object.values(lower({ slope: slope! }, "cpu"));
 *   return topologicalOrder(lowered).filter(({ type }) => type === "Tanh").length;
 * };
 * console.log(count(false), count(true)); // 16 22
 * ```
 */
export function recomputable<T>(body: () => T): T {
  return segment === undefined ? inSegment(segments++, body) : body();
}

/** A segment ({@link recomputable}) whose nodes are in the scope `name`: one timestep of an unrolled loop. */
export function timestep<T>(name: string, body: () => T): T {
  return recomputable(() => scope(name, body));
}

function inSegment<T>(number: number | undefined, body: () => T): T {
  const outer = segment;
  segment = number;
  try {
    return body();
  } finally {
    segment = outer;
  }
}

function captureOrigin(): Origin {
  const origin = {};
  Error.captureStackTrace(origin, GraphNode);
  return origin;
}

/** One operator call, or a leaf. Nodes are immutable. */
export class GraphNode {
  readonly id = nodes++;
  readonly outputs: Tensor[] = [];
  readonly scope = scopes.join("/");
  /** The segment ({@link recomputable}) to which the node belongs. Leaves belong to none. */
  readonly segment: number | undefined;
  readonly #origin: Origin;

  constructor(
    readonly type: string,
    readonly inputs: readonly (Tensor | undefined)[],
    readonly attributes: Attributes,
    readonly leaf?: Leaf,
    /** The name that an imported file gave the node. */
    readonly importedName?: string,
  ) {
    this.segment = leaf === undefined ? segment : undefined;
    // A stack trace keeps the objects of its functions alive. Constants may outlive the graph, so they get none.
    this.#origin = leaf?.kind === "constant" ? {} : (inheritedOrigin ?? captureOrigin());
  }

  /**
   * Runs `body`, whose nodes replace this node. They get its origin and its segment, and its scope unless `path` is
   * another scope.
   */
  replaced<T>(body: () => T, path = this.scope): T {
    const outer = inheritedOrigin;
    inheritedOrigin = this.#origin;
    try {
      return inSegment(this.segment, () => inScope(path, body));
    } finally {
      inheritedOrigin = outer;
    }
  }

  /** Like `replaced`, for nodes that compute the same once more and belong to no segment. */
  repeated<T>(body: () => T): T {
    return this.replaced(() => inSegment(undefined, body));
  }

  /** Where the node was made: its imported name, its scope, and the first stack line outside the engine. */
  get where(): string {
    const line = this.#origin.stack
      ?.split("\n")
      .slice(1)
      .find((text) => !text.includes(ENGINE) && !text.includes("node:internal"));
    const parts = [
      this.importedName === undefined ? "" : `node "${this.importedName}"`,
      this.scope === "" ? "" : `in ${this.scope}`,
      line === undefined ? "" : line.trim(),
    ];
    return parts.filter((part) => part !== "").join(" ");
  }
}

/**
 * A value in a graph. It has a type and a shape, but no numbers. A shape may contain named lengths ("batch").
 */
export class Tensor {
  constructor(
    readonly node: GraphNode,
    readonly index: number,
    readonly dtype: DType,
    readonly shape: Shape,
    /** Elements known while tracing (whole numbers or axis lengths), for shape arithmetic. */
    readonly known?: readonly Dim[],
  ) {}

  get rank(): number {
    return this.shape.length;
  }

  toString(): string {
    const name = this.node.leaf !== undefined && "name" in this.node.leaf ? this.node.leaf.name : undefined;
    return `${name ?? this.node.type} ${this.dtype}${showShape(this.shape)}`;
  }
}

function leafTensor(leaf: Leaf, dtype: DType, shape: Shape, known?: readonly Dim[]): Tensor {
  const node = new GraphNode(leaf.kind, [], {}, leaf);
  const tensor = new Tensor(node, 0, dtype, shape, known);
  node.outputs.push(tensor);
  return tensor;
}

/**
 * An input: a value that is fed for every run. `shape` may contain names: `["batch", 1, 32, 32]`.
 *
 * @example
 * ```ts
 * import { input, relu } from "striate/graph";
 *
 * const images = input("images", ["batch", 3, 32, 32]);
 * console.log(relu(images).shape.join(", ")); // batch, 3, 32, 32
 * ```
 */
export function input(name: string, shape: Shape, dtype: DType = "float32"): Tensor {
  if (name === "") throw new StriateError("an input needs a name");
  const dims = shape.map((dim) => checkDim(dim, `input "${name}"`));
  return leafTensor({ kind: "input", name }, dtype, dims);
}

/** State that a model owns: a weight (trainable) or a buffer such as a running mean (not trainable). */
export function parameter(
  shape: readonly number[],
  initialiser: Initialiser,
  options: { readonly trainable?: boolean; readonly name?: string } = {},
): Tensor {
  const dims = shape.map((dim) => checkDim(dim, `parameter ${options.name ?? ""}`));
  const { trainable = true, name } = options;
  return leafTensor({ kind: "parameter", name, trainable, initialiser }, "float32", dims);
}

/**
 * A constant tensor. A number or an array of numbers becomes float32 unless another `dtype` is given.
 *
 * @example
 * ```ts
 * import { constant, input, mul } from "striate/graph";
 *
 * const half = mul(input("x", ["batch", 10]), constant(0.5));
 * console.log(half.shape.join(", ")); // batch, 10
 * ```
 */
export function constant(
  values: number | readonly number[] | TensorData,
  shape?: readonly number[],
  dtype: DType = "float32",
): Tensor {
  let data: TensorData;
  if (typeof values === "number") data = { dtype, shape: [], data: fromNumbers(dtype, [values]) };
  else if ("data" in values) data = values;
  else data = { dtype, shape: shape ?? [values.length], data: fromNumbers(dtype, values) };
  const size = data.shape.reduce((a, b) => a * b, 1);
  if (storedLength(data.dtype, size) !== data.data.length) {
    throw new StriateError(
      `constant of shape ${showShape(data.shape)}: expected ${size} values, got ${data.data.length}`,
    );
  }
  const whole = (data.dtype === "int64" || data.dtype === "int32") && data.shape.length <= 1 && size <= 64;
  const known = whole ? Array.from(data.data as ArrayLike<number | bigint>, Number) : undefined;
  return leafTensor({ kind: "constant", data }, data.dtype, data.shape, known);
}

/** An int64 constant. ONNX requires this type for axes, shapes and pads. */
export function integers(values: readonly number[]): Tensor {
  return constant(values, [values.length], "int64");
}

/** Whether a tensor is a parameter: a leaf that has an initialiser, trainable or not. */
export function isParameter(tensor: Tensor): boolean {
  return tensor.node.leaf?.kind === "parameter";
}

/** The values of a constant leaf, or undefined for any other tensor. */
export function constantData(tensor: Tensor): TensorData | undefined {
  const leaf = tensor.node.leaf;
  return leaf?.kind === "constant" ? leaf.data : undefined;
}
