import { clone } from "@bufbuild/protobuf";
import { StriateError } from "../../../util/errors.js";
import type { Tensor } from "../../tensor.js";
import type { AttributeProto, FunctionProto, NodeProto } from "../generated/onnx_pb.js";
import { AttributeProtoSchema } from "../generated/onnx_pb.js";
import type { Sequence } from "./sequences.js";

/**
 * The names that nodes see: those of the graph, of a body round which others lie, or of one call of a function. What is
 * made once for every step of a loop has a frame for every step.
 */
export class Frame {
  readonly #values = new Map<string, Tensor | undefined>();
  readonly #sequences = new Map<string, Sequence>();

  private constructor(
    /** Version of the standard operators that its nodes are written in. */
    readonly opset: number,
    readonly outer: Frame | undefined,
    /** The function that is called, if it is one, and what its attributes are. */
    readonly called: FunctionProto | undefined,
    readonly attributes: ReadonlyMap<string, AttributeProto>,
    readonly caller: Frame | undefined,
  ) {}

  static ofGraph(opset: number): Frame {
    return new Frame(opset, undefined, undefined, new Map(), undefined);
  }

  /** Names of a body, which sees those round it. */
  inner(): Frame {
    return new Frame(this.opset, this, this.called, this.attributes, this.caller);
  }

  /** Names of a call of a function, which sees none but its own. */
  ofCall(called: FunctionProto, attributes: ReadonlyMap<string, AttributeProto>, opset: number): Frame {
    return new Frame(opset, undefined, called, attributes, this);
  }

  /** Whether it is the graph itself, whose values have names outside as well. */
  get isGraph(): boolean {
    return this.outer === undefined && this.called === undefined;
  }

  isWithin(called: FunctionProto): boolean {
    return this.called === called || this.caller?.isWithin(called) === true;
  }

  set(name: string, tensor: Tensor | undefined, what: string): void {
    this.#checkNew(name, what);
    this.#values.set(name, tensor);
  }

  setSequence(name: string, sequence: Sequence, what: string): void {
    this.#checkNew(name, what);
    this.#sequences.set(name, sequence);
  }

  #checkNew(name: string, what: string): void {
    if (this.#values.has(name) || this.#sequences.has(name))
      throw new StriateError(`${what}: the value "${name}" is made twice`);
  }

  /** The sequence of that name; undefined if there is none, or a tensor has it. */
  sequence(name: string): Sequence | undefined {
    return this.#sequences.get(name) ?? (this.#values.has(name) ? undefined : this.outer?.sequence(name));
  }

  has(name: string): boolean {
    return this.#values.has(name) || this.outer?.has(name) === true;
  }

  /** Undefined for an operand that a call of a function left out, too. */
  get(name: string): Tensor | undefined {
    return this.#values.has(name) ? this.#values.get(name) : this.outer?.get(name);
  }

  /** The attributes of a node, those that stand for an attribute of the function replaced by what the call gives. */
  attributesOf(node: NodeProto): AttributeProto[] {
    return node.attribute.flatMap((attribute) => {
      if (attribute.refAttrName === "" || this.called === undefined) return [attribute];
      const given = this.attributes.get(attribute.refAttrName);
      if (given === undefined) return [];
      const named = clone(AttributeProtoSchema, given);
      named.name = attribute.name;
      return [named];
    });
  }

  /** The values that it holds itself. */
  get own(): ReadonlyMap<string, Tensor> {
    return new Map([...this.#values].filter((entry): entry is [string, Tensor] => entry[1] !== undefined));
  }
}
