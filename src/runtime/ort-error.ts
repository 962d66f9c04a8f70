import { StriateError } from "../util/errors.js";

/**
 * Messages that mean a lack of memory. Some are from ONNX Runtime ("Integer overflow" means a size above 4
 * GB). Some are from its WebAssembly build, which aborts ("Aborted") or accesses addresses beyond its memory.
 * Others are from JavaScript, for arrays that are too long.
 */
const OUT_OF_MEMORY =
  /alloc|^integer overflow|out of memory|memory limit|^Aborted\(|memory access out of bounds|offset is out of bounds|(?:invalid|out-of-range) (?:typed )?array (?:buffer )?length/i;

/**
 * Advice to the user for each kind of failure. The first pattern that ONNX Runtime's message matches decides.
 */
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
    "axis lengths inside the model do not fit the inputs: an exporter may have fixed the batch size or the image size",
  ],
];

/** Turns a message of ONNX Runtime into "DESCRIPTION, at node "NAME" (TYPE); advice". */
export function describeOrtError(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error))
    .replace(/^(?:failed to call \w+\(\)|Can't create a session)\. ERROR_CODE: \d+, ERROR_MESSAGE: /, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  return missingFile(text) ?? inputProblem(text) ?? nodeProblem(text);
}

/**
 * Whether an error that JavaScript or a library has thrown means a lack of memory. A StriateError does not
 * count, because its message already explains the cause.
 */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && !(error instanceof StriateError) && OUT_OF_MEMORY.test(error.message);
}

/**
 * Turns any error into a StriateError. `doing` describes what failed, for example "the model cannot be run".
 */
export function ortError(doing: string, error: unknown): StriateError {
  return error instanceof StriateError
    ? error
    : new StriateError(`${doing}: ${describeOrtError(error)}`, { cause: error });
}

/**
 * The advice for a server that lacks the files of onnxruntime-web or answers with an HTML page; undefined for
 * other errors.
 */
function missingFile(text: string): string | undefined {
  if (!text.startsWith("no available backend found")) return undefined;
  const script = /Failed to fetch dynamically imported module: (\S+)/.exec(text)?.[1];
  const what =
    script !== undefined
      ? `${script} cannot be loaded as a script`
      : /argument is empty|fetching of the wasm failed|404/.test(text)
        ? "the server does not have the WebAssembly file of onnxruntime-web"
        : text.includes("expected magic word")
          ? "the server sent something else, such as an HTML page, instead of the WebAssembly file of onnxruntime-web"
          : undefined;
  return what === undefined
    ? undefined
    : `${what}: serve ort-wasm-simd-threaded*.wasm and *.mjs from the folder dist/ of onnxruntime-web, and give their address as wasmPaths`;
}

/** The description of an input that does not fit the model; undefined for other errors. */
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

/** Removes the location in ONNX Runtime's source code with which many messages begin. */
function withoutSource(text: string): string {
  return text
    .replace(/^\/\S+:\d+ .*? was false\. /, "")
    .replace(/^\/\S+:\d+ .*?\) (?=[A-Z])/, "")
    .replace(/^[\w/]+\.(?:h|cc):\d+ \w+ /, "");
}

/** The node that a message about a model that cannot be loaded names, if any. */
function nodeIn(text: string): string | undefined {
  const found =
    /In Node, \("(.*?)", (\w+),/.exec(text) ??
    /Node \((.*?)\) Op \((\w+)\)/.exec(text) ??
    /Node:\s?(\S+) (\w+) Error/.exec(text);
  if (found) return `node "${found[1]!}" (${found[2]!})`;
  const missing = /implementation for (\w+)\(\d+\) node with name '(.*?)'/.exec(text);
  return missing ? `node "${missing[2]!}" (${missing[1]!})` : undefined;
}
