import { access } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { showShape } from "../../graph/index.js";
import {
  Backbone,
  candidates,
  chooseCutPoints,
  listFeatureMaps,
  writePredifyConfig,
} from "../../systems/predify/index.js";
import { loadOnnx } from "../../graph/onnx/read/open-node.js";
import { DEFAULT_HYPERPARAMETERS } from "../../systems/predify/core/hyperparameters.js";
import { StriateError } from "../../util/errors.js";
import { ensureFolder, writeFileAtomic } from "../../util/files-node.js";
import type { InitOptions, InspectOptions } from "../commands/predify.js";
import type { Streams } from "../terminal/streams.js";
import { renderTable } from "../terminal/table.js";

async function backboneOf(
  path: string,
  { inputSize, noise, input: inputs }: InspectOptions | InitOptions,
): Promise<Backbone> {
  const options = { ...(inputSize && { inputSize }), ...(noise && { noise }), ...(inputs && { inputs }) };
  return new Backbone(await loadOnnx(path), options, `"${basename(path)}"`);
}

/** Prints the feature maps that a user needs to know to write a configuration. */
export async function inspectModel(path: string, options: InspectOptions, streams: Streams): Promise<void> {
  const backbone = await backboneOf(path, options);
  const places = candidates(backbone);
  const marks = new Map(places.map((place) => [place.name, place]));
  const shown = options.all ? listFeatureMaps(backbone) : places;
  const rows = shown.map(({ name, tensor, shape }) => {
    const place = marks.get(name);
    const mark = place === undefined ? "" : place.beforeChange ? "resolution" : "yes";
    return [name, tensor.node.type, showShape(shape), mark];
  });
  streams.out.write(
    `${renderTable({
      title: `${basename(path)}: image ${showShape(backbone.imageShape)}, answer "${backbone.outputName}"`,
      columns: ["tensor", "operator", "channels, space", "candidate"],
      alignLeft: ["operator", "channels, space", "candidate"],
      rows,
      notes: [
        "candidate: every path from the image to the output passes through it; resolution: the last candidate before the",
        "resolution changes, which the automatic rule prefers. A configuration may name any tensor or PyTorch module (features[3]).",
      ],
    })}\n`,
  );
}

/** Writes a configuration with the feature maps that the automatic rule chooses. */
export async function initConfig(path: string, options: InitOptions, streams: Streams): Promise<void> {
  const { out, force } = options;
  const taken = await access(out).then(
    () => true,
    () => false,
  );
  if (taken && !force)
    throw new StriateError(`"${out}" exists already: choose another file with --out, or give --force`);
  const backbone = await backboneOf(path, options);
  const cuts = chooseCutPoints(backbone, options.pcoders);
  const { feedforward, feedback, error } = DEFAULT_HYPERPARAMETERS;
  const text = writePredifyConfig({
    name: `P${basename(path, ".onnx").replaceAll(/\W/g, "_")}`,
    gradientScaling: true,
    sharedHyperparameters: false,
    inputSize: backbone.imageShape,
    more: { units: "measured" },
    pcoders: cuts.map(({ name }) => ({
      module: name,
      predictor: undefined,
      hyperparameters: { feedforward, feedback, pc: error },
    })),
  });
  await ensureFolder(dirname(out));
  await writeFileAtomic(out, text);
  streams.out.write(`${text}\n`);
  streams.err.write(
    `Written to ${out}. Next: striate predify ${path} --config ${out} --train-on FOLDER --out OUT.onnx\n`,
  );
}
