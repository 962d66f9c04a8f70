import { StriateError } from "../util/errors.js";

/**
 * How a lack of memory is told: by ONNX Runtime ("Integer overflow" of a size beyond 4 GB), by its WebAssembly, which ends all
 * of itself ("Aborted") or writes beyond its memory, and by browsers about arrays.
 */
const OUT_OF_MEMORY =
  /alloc|^integer overflow|out of memory|memory limit|^Aborted\(|memory access out of bounds|offset is out of bounds|(?:invalid|out-of-range) (?:typed )?array (?:buffer )?length/i;

/** What a user can do about a kind of failure, by what ONNX Runtime says of it. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    OUT_OF_MEMORY,
    "there is not enough memory: run fewer images at once, take a smaller network, or close other programs",
  ],
  [
    /implementation|not implemented|no kernel|find kernel|unsupported|is not a registered/i,
    "this device lacks the operator: choose another device (cpu runs most), or export the model with another opset",
  ],
  [/indices|index|out of (bounds|range)/i, "an index lies outside its axis: check labels and token numbers"],
  [
    /dimension|shape|broadcast|mismatch|rank|axis/i,
    "lengths inside the model do not fit what was fed: an exporter may have fixed the batch or the image size",
  ],
];

/** "DESCRIPTION, at node "NAME" (TYPE); what to do" out of a message of ONNX Runtime. */
export function describeOrtError(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error))
    .replace(/^(?:failed to call \w+\(\)|Can't create a session)\. ERROR_CODE: \d+, ERROR_MESSAGE: /, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  return missingFile(text) ?? inputProblem(text) ?? nodeProblem(text);
}

/** Whether JavaScript or a library says that memory is at its end; errors of ours have said so already. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && !(error instanceof StriateError) && OUT_OF_MEMORY.test(error.message);
}

/** As one clear error. `doing` says what failed: 'the model cannot be run'. */
export function ortError(doing: string, error: unknown): StriateError {
  return error instanceof StriateError
    ? error
    : new StriateError(`${doing}: ${describeOrtError(error)}`, { cause: error });
}

/** A page's server lacks the files of onnxruntime-web, or answers with a page of its own. */
function missingFile(text: string): string | undefined {
  if (!text.startsWith("no available backend found")) return undefined;
  const script = /Failed to fetch dynamically imported module: (\S+)/.exec(text)?.[1];
  const what =
    script !== undefined
      ? `${script} cannot be loaded as a script`
      : /argument is empty|fetching of the wasm failed|404/.test(text)
        ? "the server does not have the WebAssembly file of onnxruntime-web"
        : text.includes("expected magic word")
          ? "in place of the WebAssembly file of onnxruntime-web something else came, such as an HTML page"
          : undefined;
  return what === undefined
    ? undefined
    : `${what}: serve ort-wasm-simd-threaded*.wasm and *.mjs of its folder dist/, and say where they are with wasmPaths`;
}

/** What was fed does not fit the model's input. */
function inputProblem(text: string): string | undefined {
  const lengths = /^Got invalid dimensions for input: (.+?) for the following indices (.*)$/.exec(text);
  if (lengths) {
    const axes = [...lengths[2]!.matchAll(/index: (\d+) Got: (\d+) Expected: (\d+)/g)].map(
      ([, axis, got, expected]) => `axis ${axis!} has length ${got!}, expected ${expected!}`,
    );
    return `input "${lengths[1]!}": ${axes.join(", ")}`;
  }
  const rank = /^Invalid rank for input: (.+?) Got: (\d+) Expected: (\d+)/.exec(text);
  if (rank) return `input "${rank[1]!}" has ${rank[2]!} axes, expected ${rank[3]!}`;
  const type =
    /^Unexpected input data type\. Actual: \(tensor\((\w+)\)\) ?, expected: \(tensor\((\w+)\)\)/.exec(text);
  return type ? `an input has elements of type ${type[1]!}, expected ${type[2]!}` : undefined;
}

function nodeProblem(text: string): string {
  const [, type, name, why] =
    /^Non-zero status code returned while running (\S+) node\. Name:'(.*?)' Status Message: (.*)$/.exec(
      text,
    ) ?? [];
  const reason = withoutSource(why ?? text);
  const where = type === undefined ? nodeIn(text) : `node "${name!}" (${type})`;
  const advice = ADVICE.find(([pattern]) => pattern.test(reason))?.[1];
  const named = where === undefined || reason.includes(where) ? reason : `${where}: ${reason}`;
  return advice === undefined ? named : `${named.replace(/[.;]$/, "")}; ${advice}`;
}

/** Without the place in ONNX Runtime's own source that many messages begin with. */
function withoutSource(text: string): string {
  return text
    .replace(/^\/\S+:\d+ .*? was false\. /, "")
    .replace(/^\/\S+:\d+ .*?\) (?=[A-Z])/, "")
    .replace(/^[\w/]+\.(?:h|cc):\d+ \w+ /, "");
}

/** The node in messages about models that cannot be loaded. */
function nodeIn(text: string): string | undefined {
  const found =
    /In Node, \("(.*?)", (\w+),/.exec(text) ??
    /Node \((.*?)\) Op \((\w+)\)/.exec(text) ??
    /Node:\s?(\S+) (\w+) Error/.exec(text);
  if (found) return `node "${found[1]!}" (${found[2]!})`;
  const missing = /implementation for (\w+)\(\d+\) node with name '(.*?)'/.exec(text);
  return missing ? `node "${missing[2]!}" (${missing[1]!})` : undefined;
}
