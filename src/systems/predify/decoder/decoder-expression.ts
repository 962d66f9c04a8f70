import { checkLength, checkOneOf } from "../../../util/check.js";
import { StriateError, check } from "../../../util/errors.js";
import { shorten } from "../../../util/json.js";
import { unknownName } from "../../../util/suggest.js";
import type { DecoderStep } from "./decoder-steps.js";

/*
 * Reads decoders that are written as in the authors' configurations, such as "Sequential(ConvTranspose2d(8,
 * 3, kernel_size=5, padding=2), ReLU())". The authors' code passes this Python expression to the interpreter.
 * The code in this file never evaluates it. Its parser reads calls, numbers, strings, tuples, lists and the
 * words True, False and None, and converts a few known calls to plain data.
 */

type Value = number | string | boolean | undefined | readonly Value[] | Call;

interface Call {
  readonly call: string;
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

const LONGEST = 10_000;
const DEEPEST = 16;
const TOKEN =
  /\s*(?:([A-Za-z_][\w.]*)|([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|'([^'\\]*)'|"([^"\\]*)"|([()[\],=]))/y;

interface Token {
  readonly kind: "word" | "number" | "string" | "sign";
  readonly text: string;
}

/**
 * Converts a decoder expression to decoder steps.
 *
 * @throws StriateError for anything other than the known calls with PyTorch's arguments.
 */
export function parseDecoder(expression: string, what = "decoder"): DecoderStep[] {
  const where = `${what} "${shorten(expression)}"`;
  check(
    expression.length <= LONGEST,
    () => `${where}: expected at most ${LONGEST} characters, got ${expression.length}`,
  );
  const reader = new Reader(tokens(expression, where), where);
  const value = reader.value(0);
  reader.end();
  return stepsOf(value, where);
}

function tokens(text: string, where: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null)
      throw new StriateError(`${where}: cannot read "${shorten(text.slice(at).trim(), 20)}"`);
    const [, word, number, single, double, sign] = match;
    if (word !== undefined) found.push({ kind: "word", text: word });
    else if (number !== undefined) found.push({ kind: "number", text: number });
    else if (sign !== undefined) found.push({ kind: "sign", text: sign });
    else found.push({ kind: "string", text: single ?? double ?? "" });
  }
  return found;
}

class Reader {
  #at = 0;

  constructor(
    readonly tokens: readonly Token[],
    readonly where: string,
  ) {}

  value(depth: number): Value {
    if (depth > DEEPEST) throw new StriateError(`${this.where}: calls are nested too deeply`);
    const token = this.#next("a value");
    if (token.kind === "number") return Number(token.text);
    if (token.kind === "string") return token.text;
    if (token.kind === "sign") {
      if (token.text === "(") return this.#list(")", depth);
      if (token.text === "[") return this.#list("]", depth);
      throw new StriateError(`${this.where}: expected a value, got "${token.text}"`);
    }
    if (token.text === "True" || token.text === "False") return token.text === "True";
    if (token.text === "None") return undefined;
    if (!this.#is("(")) {
      throw new StriateError(`${this.where}: expected a call or a plain value, got "${shorten(token.text)}"`);
    }
    return this.#call(token.text, depth);
  }

  end(): void {
    const rest = this.tokens[this.#at];
    if (rest !== undefined)
      throw new StriateError(`${this.where}: expected the end, got "${shorten(rest.text)}"`);
  }

  #call(call: string, depth: number): Call {
    this.#take("(");
    const positional: Value[] = [];
    const named = new Map<string, Value>();
    while (!this.#is(")")) {
      const [name, sign] = [this.tokens[this.#at], this.tokens[this.#at + 1]];
      if (name?.kind === "word" && sign?.kind === "sign" && sign.text === "=") {
        this.#at += 2;
        check(!named.has(name.text), () => `${this.where}: ${call} gets ${name.text} twice`);
        named.set(name.text, this.value(depth + 1));
      } else {
        check(named.size === 0, () => `${this.where}: ${call} gets a positional argument after a named one`);
        positional.push(this.value(depth + 1));
      }
      if (!this.#is(")")) this.#take(",");
    }
    this.#take(")");
    return { call, positional, named };
  }

  /**
   * Reads items up to `close`. A single item in parentheses is read as the item itself: "(2,)" means the same
   * as "(2)".
   */
  #list(close: string, depth: number): Value {
    const items: Value[] = [];
    while (!this.#is(close)) {
      items.push(this.value(depth + 1));
      if (!this.#is(close)) this.#take(",");
    }
    this.#take(close);
    return items.length === 1 && close === ")" ? items[0] : items;
  }

  #is(sign: string): boolean {
    const token = this.tokens[this.#at];
    return token?.kind === "sign" && token.text === sign;
  }

  #take(sign: string): void {
    const token = this.#next(`"${sign}"`);
    check(
      token.kind === "sign" && token.text === sign,
      () => `${this.where}: expected "${sign}", got "${shorten(token.text)}"`,
    );
  }

  #next(wanted: string): Token {
    const token = this.tokens[this.#at++];
    if (token === undefined) throw new StriateError(`${this.where}: expected ${wanted}, got the end`);
    return token;
  }
}

// ---- the known calls ---------------------------------------------------------------------------------------------------

const CONVOLUTION = ["in_channels", "out_channels", "kernel_size", "stride", "padding"];
/** Argument names of the known calls, in PyTorch's order. */
const SIGNATURES: Readonly<Record<string, readonly string[]>> = {
  ConvTranspose2d: [...CONVOLUTION, "output_padding", "groups", "bias", "dilation"],
  ConvTranspose3d: [...CONVOLUTION, "output_padding", "groups", "bias", "dilation"],
  Conv2d: [...CONVOLUTION, "dilation", "groups", "bias"],
  Conv3d: [...CONVOLUTION, "dilation", "groups", "bias"],
  Upsample: ["size", "scale_factor", "mode", "align_corners"],
  UpsamplingBilinear2d: ["size", "scale_factor"],
  ReLU: ["inplace"],
  Identity: [],
};

function stepsOf(value: Value, where: string): DecoderStep[] {
  const call = asCall(value);
  if (call === undefined) throw new StriateError(`${where}: expected a call such as ConvTranspose2d(...)`);
  const name = call.call.replace(/^(torch\.)?nn\./, "");
  if (name === "Sequential") {
    check(call.named.size === 0, () => `${where}: Sequential: expected modules, got a named argument`);
    check(call.positional.length > 0, () => `${where}: Sequential: expected at least one module, got none`);
    return call.positional.flatMap((item, position) =>
      stepsOf(item, where).map((step) => placed(step, position, where)),
    );
  }
  const signature = SIGNATURES[name];
  if (signature === undefined) {
    throw new StriateError(
      `${where}: ${unknownName("module", shorten(name, 40), ["Sequential", ...Object.keys(SIGNATURES)])}`,
    );
  }
  return moduleSteps(name, new Arguments(call, name, signature, where));
}

/**
 * Gives a step its position in the Sequential, after which its parameters are named. The authors' code has no
 * names for parameters in nested Sequentials.
 */
function placed(step: DecoderStep, position: number, where: string): DecoderStep {
  check(step.position === undefined, () => `${where}: a Sequential inside a Sequential is not supported`);
  return { ...step, position };
}

function asCall(value: Value): Call | undefined {
  return typeof value === "object" && "call" in value ? value : undefined;
}

function moduleSteps(name: string, given: Arguments): DecoderStep[] {
  switch (name) {
    case "ReLU":
      given.boolean("inplace", false);
      return [{ type: "relu" }];
    case "Identity":
      return [];
    case "Upsample":
    case "UpsamplingBilinear2d":
      return [upsample(name, given)];
    default: {
      const transposed = name.startsWith("ConvTranspose");
      const axes = name.endsWith("3d") ? 3 : 2;
      return [
        {
          type: transposed ? "convTranspose" : "conv",
          inChannels: given.whole("in_channels"),
          outChannels: given.whole("out_channels"),
          kernel: given.sizes("kernel_size", axes, undefined, 1),
          stride: given.sizes("stride", axes, 1, 1),
          padding: given.sizes("padding", axes, 0, 0),
          dilation: given.sizes("dilation", axes, 1, 1),
          ...(transposed && { outputPadding: given.sizes("output_padding", axes, 0, 0) }),
          groups: given.whole("groups", 1),
          bias: given.boolean("bias", true),
        },
      ];
    }
  }
}

function upsample(name: string, given: Arguments): DecoderStep {
  const mode = name === "Upsample" ? given.word("mode", "nearest") : "bilinear";
  const corners = name === "UpsamplingBilinear2d" || given.boolean("align_corners", false);
  checkOneOf(`${given.where}: Upsample: mode`, mode, ["nearest", "bilinear", "trilinear"]);
  check(!corners, () => `${given.where}: align_corners is not supported: use align_corners=False`);
  const [size, scale] = [given.numbers("size"), given.numbers("scale_factor")];
  check(
    (size === undefined) !== (scale === undefined),
    () => `${given.where}: Upsample: expected either size or scale_factor, got ${size ? "both" : "neither"}`,
  );
  return {
    type: "upsample",
    mode: mode === "nearest" ? "nearest" : "linear",
    ...(size && { size }),
    ...(scale && { scale }),
  };
}

/** The arguments of one call, by name. Each is checked when it is read. */
class Arguments {
  readonly #values = new Map<string, Value>();

  constructor(
    call: Call,
    readonly name: string,
    signature: readonly string[],
    readonly where: string,
  ) {
    check(
      call.positional.length <= signature.length,
      () =>
        `${where}: ${name}: expected at most ${signature.length} arguments, got ${call.positional.length}`,
    );
    for (const [i, value] of call.positional.entries()) this.#values.set(signature[i]!, value);
    for (const [key, value] of call.named) {
      check(
        signature.includes(key),
        () => `${where}: ${name}: ${unknownName("argument", shorten(key, 40), signature)}`,
      );
      check(!this.#values.has(key), () => `${where}: ${name} gets ${key} twice`);
      this.#values.set(key, value);
    }
  }

  whole(key: string, fallback?: number): number {
    const value = this.#values.get(key) ?? fallback;
    return this.#number(key, value, 1);
  }

  sizes(key: string, axes: number, fallback: number | undefined, least: number): number[] {
    const value = this.#values.get(key) ?? fallback;
    const list = Array.isArray(value) ? (value as readonly Value[]) : Array<Value>(axes).fill(value);
    checkLength(`${this.where}: ${this.name} ${key}`, list, axes);
    return list.map((item) => this.#number(key, item, least));
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.#values.get(key) ?? fallback;
    if (typeof value === "boolean") return value;
    return this.#wrong(key, "True or False", value);
  }

  word(key: string, fallback: string): string {
    const value = this.#values.get(key) ?? fallback;
    return typeof value === "string" ? value : this.#wrong(key, "a word in quotes", value);
  }

  /**
   * Reads one positive number for all axes, or one for each axis. Returns undefined if the argument is not
   * given.
   */
  numbers(key: string): number | number[] | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    const list = Array.isArray(value) ? (value as readonly Value[]) : [value];
    const numbers = list.map((item) =>
      typeof item === "number" && Number.isFinite(item) && item > 0
        ? item
        : this.#wrong(key, "positive numbers", item),
    );
    return Array.isArray(value) ? numbers : numbers[0]!;
  }

  #number(key: string, value: Value, least: number): number {
    const fits = typeof value === "number" && Number.isInteger(value) && value >= least && value <= 1e6;
    return fits ? value : this.#wrong(key, `a whole number of at least ${least}`, value);
  }

  #wrong(key: string, expected: string, value: Value): never {
    const came = value === undefined ? "nothing" : (asCall(value)?.call ?? JSON.stringify(value));
    throw new StriateError(
      `${this.where}: ${this.name} ${key}: expected ${expected}, got ${shorten(came, 40)}`,
    );
  }
}
