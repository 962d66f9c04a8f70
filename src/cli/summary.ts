import { stat } from "node:fs/promises";
import { basename } from "node:path";
import pc from "picocolors";
import type { Tensor } from "../graph/index.js";
import { showShape } from "../graph/index.js";
import { loadOnnx } from "../graph/onnx/read/open-node.js";
import type { LayerCost, ModelSummary, PortSummary } from "../graph/summary.js";
import { summariseModel } from "../graph/summary.js";
import { StriateError } from "../util/errors.js";
import { unknownName } from "../util/suggest.js";
import { builtInModels } from "./models.js";
import type { Streams } from "./terminal/streams.js";
import { renderTable } from "./terminal/table.js";

/** Prints the layers of a model. `model` is a file or the name of a built-in model. */
export async function printSummary(model: string, streams: Streams): Promise<void> {
  const builtIn = builtInModels.find(({ name }) => name === model);
  const title = builtIn === undefined ? basename(model) : `${builtIn.name}: ${builtIn.summary}`;
  const outputs = builtIn === undefined ? await outputsOfFile(model) : builtIn.trace();
  streams.out.write(`${describeSummary(title, summariseModel(outputs))}\n`);
}

async function outputsOfFile(path: string): Promise<Readonly<Record<string, Tensor>>> {
  if (!path.endsWith(".onnx") && !(await exists(path))) {
    const names = builtInModels.map(({ name }) => name);
    throw new StriateError(`${unknownName("model", path, names)}, or the path of an .onnx file`);
  }
  return (await loadOnnx(path, { what: `"${path}"` })).outputs;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The summary as text: inputs and outputs, one line for each layer, totals. */
export function describeSummary(title: string, summary: ModelSummary): string {
  const { inputs, outputs, layers, total, nodes } = summary;
  const table = renderTable({
    title,
    columns: ["layer", "operators", "output", "parameters", "fixed", "bytes", "multiply-adds"],
    alignLeft: ["operators", "output"],
    rows: [
      ...layers.map((layer) => [
        layer.name,
        describeOperators(layer.operators),
        showShape(layer.shape),
        ...costs(layer),
      ]),
      [`${layers.length} layers`, `${nodes} nodes`, "", ...costs(total)],
    ],
    notes: [
      "parameters are trained, fixed values are not; multiply-adds are for one sample" +
        (total.exact ? "" : "; ≥ marks a lower bound: some lengths are known only when the model runs"),
    ],
  });
  return [table, describePorts("inputs ", inputs), describePorts("outputs", outputs)].join("\n");
}

function costs({ parameters, fixed, bytes, multiplyAdds, exact }: LayerCost): string[] {
  return [
    count(parameters),
    count(fixed),
    describeBytes(bytes),
    `${exact ? "" : "≥ "}${count(multiplyAdds)}`,
  ];
}

/** The operators such as "Conv, Add, Relu x3": at most four, then the number of the rest. */
function describeOperators(operators: ReadonlyMap<string, number>): string {
  const shown = [...operators].slice(0, 4).map(([type, times]) => `${type}${times > 1 ? ` x${times}` : ""}`);
  const rest = [...operators.values()].slice(4).reduce((sum, times) => sum + times, 0);
  return rest === 0 ? shown.join(", ") : `${shown.join(", ")}, ${rest} more`;
}

/** Writes 1234567 as "1,234,567", and 0 as an empty text, so that other numbers stand out. */
function count(value: number): string {
  return value === 0 ? "" : value.toLocaleString("en-US");
}

function describeBytes(bytes: number): string {
  if (bytes === 0) return "";
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

function describePorts(what: string, ports: readonly PortSummary[]): string {
  const list = ports.map(({ name, dtype, shape }) => `${name} ${dtype}${showShape(shape)}`);
  const shown = list.length > 6 ? [...list.slice(0, 5), `and ${list.length - 5} more`] : list;
  return `${pc.dim(what)} ${shown.join(", ")}`;
}
