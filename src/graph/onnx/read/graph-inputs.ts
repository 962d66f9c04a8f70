import { StriateError } from "../../../util/errors.js";
import type { Dim, Shape } from "../../dims.js";
import { checkDim, isStaticShape, showShape } from "../../dims.js";
import { dtypeFromOnnx } from "../../dtype.js";
import type { Tensor } from "../../tensor.js";
import { constant, input } from "../../tensor.js";
import { LONGEST_AXIS } from "./decode.js";
import type { TensorShapeProto_Dimension, TypeProto_Tensor, ValueInfoProto } from "../generated/onnx_pb.js";
import type { Sequence } from "./sequences.js";
import { isSequence } from "./sequences.js";

/** A constant in place of an input: one number for all elements, or one for each element. */
export function filled(input: Tensor, value: number | readonly number[], what: string): Tensor {
  const { shape, dtype } = input;
  if (!isStaticShape(shape))
    throw new StriateError(
      `${what} is ${showShape(shape)}: a value for it needs a known shape (inputShapes)`,
    );
  const size = shape.reduce((a, b) => a * b, 1);
  const values = typeof value === "number" ? Array<number>(size).fill(value) : value;
  if (values.length !== size)
    throw new StriateError(`${what}: expected ${size} values, got ${values.length}`);
  return constant(values, shape, dtype);
}

/** The tensors of a value by name: the tensor itself, or the tensors of a sequence as `NAME_0`, `NAME_1` and so on. */
export function named(name: string, item: Tensor | Sequence): [string, Tensor][] {
  return isSequence(item) ? item.map((tensor, i) => [`${name}_${i}`, tensor]) : [[name, item]];
}

/**
 * Makes the inputs of one file. Axis names that are not valid in Striate's graphs ("floor(h/2)", "", -1) are
 * replaced by valid names.
 */
export class InputReader {
  readonly #symbols = new Map<string, string>();
  readonly #taken = new Set<string>();

  constructor(
    readonly what: string,
    readonly shapes: Readonly<Record<string, Shape>>,
  ) {}

  /**
   * The tensor of an input, or the tensors of a sequence. An optional input is read as a value that is present.
   *
   * @throws StriateError for a map, and for a sequence whose tensors have no shapes in `inputShapes`
   */
  read(info: ValueInfoProto): Tensor | Sequence {
    const { name, type } = info;
    const given = type?.optionalType?.elemType ?? type;
    const of = given?.sequenceType?.elemType?.tensorType;
    if (of !== undefined) return this.#sequence(name, of);
    if (given?.tensorType !== undefined) return this.#tensor(name, given.tensorType);
    throw new StriateError(
      `${this.what}: input "${name}": expected a tensor, or a sequence of tensors; maps and sparse tensors are not supported`,
    );
  }

  #sequence(name: string, type: TypeProto_Tensor): Sequence {
    const elements: Tensor[] = [];
    for (let i = 0; Object.hasOwn(this.shapes, `${name}_${i}`); i++)
      elements.push(this.#tensor(`${name}_${i}`, type));
    if (elements.length > 0) return elements;
    throw new StriateError(
      `${this.what}: input "${name}" is a sequence, whose length must be known: give the shapes of its tensors in inputShapes, as "${name}_0", "${name}_1" and so on`,
    );
  }

  #tensor(name: string, type: TypeProto_Tensor): Tensor {
    const what = `${this.what}: input "${name}"`;
    const dtype = dtypeFromOnnx(type.elemType, what);
    const declared = type.shape?.dim.map((dim, axis) => this.#dim(dim, name, axis, what));
    const given = Object.hasOwn(this.shapes, name) ? this.shapes[name] : undefined;
    const shape = given?.map((dim) => checkDim(dim, what)) ?? declared;
    if (shape === undefined)
      throw new StriateError(`${what} has no shape in the file: give it in inputShapes`);
    if (declared !== undefined && !fits(shape, declared)) {
      throw new StriateError(
        `${what}: expected a shape that fits ${showShape(declared)} in the file, got ${showShape(shape)}`,
      );
    }
    return input(name, shape, dtype);
  }

  #dim({ value }: TensorShapeProto_Dimension, name: string, axis: number, what: string): Dim {
    if (value.case === "dimValue") {
      const length = Number(value.value);
      if (length > LONGEST_AXIS)
        throw new StriateError(`${what}: axis ${axis} of length ${length} is too long`);
      if (length >= 1) return length;
    } else if (value.case === "dimParam" && /[A-Za-z]/.test(value.value)) return this.#symbol(value.value);
    return this.#symbol(`${name}_${axis}`);
  }

  #symbol(given: string): string {
    const known = this.#symbols.get(given);
    if (known !== undefined) return known;
    const plain = given.replaceAll(/[^\w.:/+-]/g, "_").slice(0, 60);
    const stem = /^[A-Za-z_]/.test(plain) ? plain : `_${plain}`;
    let symbol = stem;
    for (let i = 2; this.#taken.has(symbol); i++) symbol = `${stem}_${i}`;
    this.#taken.add(symbol);
    this.#symbols.set(given, symbol);
    return symbol;
  }
}

function fits(given: Shape, declared: Shape): boolean {
  return (
    given.length === declared.length &&
    given.every((dim, axis) => typeof declared[axis] === "string" || dim === declared[axis])
  );
}
