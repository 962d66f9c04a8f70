import { clone } from "@bufbuild/protobuf";
import { StriateError } from "../../../util/errors.js";
import type { Tensor } from "../../tensor.js";
import type { AttributeProto, FunctionProto, NodeProto } from "../generated/onnx_pb.js";
import { AttributeProtoSchema } from "../generated/onnx_pb.js";
import type { Item, Sequence } from "./sequences.js";
import { isSequence } from "./sequences.js";

/**
 * A scope of names that a node can read: the graph, a body inside other bodies, or one call of a function.
 * The body of a loop has one scope for each iteration.
 */
export class NameScope {
  readonly #values = new Map<string, Item>();

  private constructor(
    /** Version of the standard operators (opset) of the scope's nodes. */
    readonly opset: number,
    readonly outer: NameScope | undefined,
    /** The called function and its attributes, if the scope is a call of a function. */
    readonly called: FunctionProto | undefined,
    readonly attributes: ReadonlyMap<string, AttributeProto>,
    readonly caller: NameScope | undefined,
    /** Changes the tensors that the scope's nodes read from outer scopes. */
    readonly gate?: (tensor: Tensor) => Tensor,
  ) {}

  static ofGraph(opset: number): NameScope {
    return new NameScope(opset, undefined, undefined, new Map(), undefined);
  }

  /** The scope of a body, which can also read the names of this scope, through the `gate` if there is one. */
  inner(gate?: (tensor: Tensor) => Tensor): NameScope {
    return new NameScope(this.opset, this, this.called, this.attributes, this.caller, gate);
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

  /** Adds a value to the scope: a tensor, a sequence, or undefined for an optional value that is empty. */
  set(name: string, item: Item, what: string): void {
    if (this.#values.has(name)) throw new StriateError(`${what}: the value "${name}" is made twice`);
    this.#values.set(name, item);
  }

  has(name: string): boolean {
    return this.#values.has(name) || this.outer?.has(name) === true;
  }

  /** The value of that name, or undefined if none exists or if it is empty. */
  item(name: string): Item {
    if (this.#values.has(name)) return this.#values.get(name);
    const outer = this.outer?.item(name);
    if (outer === undefined || this.gate === undefined) return outer;
    return isSequence(outer) ? outer.map(this.gate) : this.gate(outer);
  }

  /** The sequence of that name, or undefined if none exists or the name is that of a tensor. */
  sequence(name: string): Sequence | undefined {
    const item = this.item(name);
    return item !== undefined && isSequence(item) ? item : undefined;
  }

  /** The tensor of that name, or undefined if none exists or the value is a sequence or empty. */
  get(name: string): Tensor | undefined {
    const item = this.item(name);
    return item !== undefined && isSequence(item) ? undefined : item;
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
    return new Map(
      [...this.#values].filter(
        (entry): entry is [string, Tensor] => entry[1] !== undefined && !isSequence(entry[1]),
      ),
    );
  }
}
