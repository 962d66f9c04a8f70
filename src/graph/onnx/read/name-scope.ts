import { clone } from "@bufbuild/protobuf";
import { StriateError } from "../../../util/errors.js";
import type { Tensor } from "../../tensor.js";
import type { AttributeProto, FunctionProto, NodeProto } from "../generated/onnx_pb.js";
import { AttributeProtoSchema } from "../generated/onnx_pb.js";
import type { Sequence } from "./sequences.js";

/**
 * A scope of names that a node can read: the graph, a body inside other bodies, or one call of a function.
 * The body of a loop has one scope for each iteration.
 */
export class NameScope {
  readonly #values = new Map<string, Tensor | undefined>();
  readonly #sequences = new Map<string, Sequence>();

  private constructor(
    /** Version of the standard operators (opset) of the scope's nodes. */
    readonly opset: number,
    readonly outer: NameScope | undefined,
    /** The called function and its attributes, if the scope is a call of a function. */
    readonly called: FunctionProto | undefined,
    readonly attributes: ReadonlyMap<string, AttributeProto>,
    readonly caller: NameScope | undefined,
  ) {}

  static ofGraph(opset: number): NameScope {
    return new NameScope(opset, undefined, undefined, new Map(), undefined);
  }

  /** The scope of a body, which can also read the names of this scope. */
  inner(): NameScope {
    return new NameScope(this.opset, this, this.called, this.attributes, this.caller);
  }

  /** The scope of a function's call, which can read only its own names. */
  ofCall(called: FunctionProto, attributes: ReadonlyMap<string, AttributeProto>, opset: number): NameScope {
    return new NameScope(opset, undefined, called, attributes, this);
  }

  /** Whether this is the scope of the whole graph, whose names users see. */
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

  /** The sequence of that name, or undefined if none exists or the name is that of a tensor. */
  sequence(name: string): Sequence | undefined {
    return this.#sequences.get(name) ?? (this.#values.has(name) ? undefined : this.outer?.sequence(name));
  }

  has(name: string): boolean {
    return this.#values.has(name) || this.outer?.has(name) === true;
  }

  /** The tensor of that name, or undefined if none exists or the call of a function left the operand out. */
  get(name: string): Tensor | undefined {
    return this.#values.has(name) ? this.#values.get(name) : this.outer?.get(name);
  }

  /** The attributes of a node. References to the attributes of a function are replaced by their values in the call. */
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

  /** The tensors of this scope, without those of outer scopes. */
  get ownTensors(): ReadonlyMap<string, Tensor> {
    return new Map([...this.#values].filter((entry): entry is [string, Tensor] => entry[1] !== undefined));
  }
}
