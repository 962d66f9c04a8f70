import { basename } from "node:path";
import type { CompletePreprocessing, Preprocessing } from "../../data/images/preprocessing.js";
import {
  PREPROCESSING_NAMES,
  completePreprocessing,
  knownPreprocessing,
} from "../../data/images/preprocessing.js";
import type { Tensor } from "../../graph/index.js";
import { showShape, topologicalOrder } from "../../graph/index.js";
import { isStatic } from "../../graph/dims.js";
import { changedModel } from "../../graph/onnx/changed-model.js";
import { openOnnx } from "../../graph/onnx/read/open-node.js";
import type { ImportedModel } from "../../graph/onnx/read/read.js";
import type { State } from "../../nn/module.js";
import { withKuramoto } from "../../systems/akorn/index.js";
import { Backbone } from "../../systems/predify/core/backbone.js";
import type { CutPoint } from "../../systems/predify/core/cut-points.js";
import { throughMaps } from "../../systems/predify/core/cut-points.js";
import type { EVNetVariant, Variant } from "../../systems/vonenet/index.js";
import { VOneBlock, evnetFrontEnd, sampleReceptiveFields, withV1 } from "../../systems/vonenet/index.js";
import { describeModel, inputRoles } from "../../train/model-description.js";
import type { NoiseKind } from "../../train/task.js";
import { LOGITS, beforeSoftmax, scoresOf, withHead } from "../../train/with-head.js";
import { StriateError, check } from "../../util/errors.js";
import { freshBackbone, isBackbone } from "./backbones.js";
import { BACKBONES } from "./choices.js";

/** V1 in front of a network, as plain data. */
export interface V1Settings {
  /** How the properties of the receptive fields are drawn. */
  readonly variant: Variant;
  /** A variant of EVNet, whose retina and V1 come before the network instead. */
  readonly retina?: EVNetVariant;
  /** Whether V1's responses have noise like that of cortical cells, drawn for every image. Default false. */
  readonly noise?: boolean;
  /** Visual angle of an image in degrees. Default: size / 32, which is 2 for 64 and 7 for 224 pixels. */
  readonly visualDegrees?: number;
  /** Number of cells, half of them simple. Default 512. */
  readonly cells?: number;
  /** Name of the value that V1 replaces. Default: see {@link v1Place}. */
  readonly at?: string;
}

/** A Kuramoto layer inside a network, as plain data. */
export interface KuramotoSettings {
  /** Name of the feature map. Default: see {@link kuramotoPlace}. */
  readonly at?: string;
  /** T, the number of Kuramoto steps. Default 4. */
  readonly steps?: number;
  /** n, the number of components of an oscillator. Default 4. */
  readonly rotatingDimensions?: number;
}

/** A network to train, as plain data. */
export interface NetworkSettings {
  /** One of `BACKBONES`, or the path of an .onnx file. */
  readonly model: string;
  /** Height and width of the images in pixels, if the model leaves them open. Default 64 for a backbone. */
  readonly size?: number;
  /** Factor of a backbone's numbers of channels. Default 1. */
  readonly width?: number;
  /** Preprocessing of the images. Required for a file that does not state its own. */
  readonly preprocessing?: Preprocessing;
  /** Name of the output with the scores, if a file has several. */
  readonly output?: string;
  readonly v1?: V1Settings;
  readonly kuramoto?: KuramotoSettings;
}

/** A network that is ready to be trained. */
export interface TrainableNetwork {
  /** Name for messages and reports. */
  readonly name: string;
  readonly model: ImportedModel;
  readonly images: Tensor;
  readonly logits: Tensor;
  /** [channels, height, width] */
  readonly imageShape: readonly [channels: number, height: number, width: number];
  readonly preprocessing: CompletePreprocessing;
  readonly noise: Readonly<Record<string, NoiseKind>>;
  /** The values of all parameters. */
  readonly values: State;
  /** Whether the weights come from a file. */
  readonly pretrained: boolean;
  /** Names of the parameters with random values: those that were added to a file, or all of a backbone. */
  readonly added: ReadonlySet<string>;
  /** What was decided about the network, in sentences for the terminal and the report. */
  readonly choices: readonly string[];
}

const BACKBONE_SIZE = 64;
/** Mean and standard deviation of ImageNet's pixels, the usual preprocessing of networks that are trained anew. */
const FRESH: Preprocessing = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/**
 * Opens a network for the given classes: a backbone with random weights, or a file whose last layer is replaced unless
 * it already names these classes. Oscillators and V1 are added as the settings say.
 *
 * @param seed random seed of the new weights
 * @throws StriateError for a network that cannot be trained on labelled images; the error says what is missing
 */
export async function openNetwork(
  settings: NetworkSettings,
  classes: readonly string[],
  seed: number,
): Promise<TrainableNetwork> {
  const { model: source, v1, kuramoto } = settings;
  const choices: string[] = [];
  const fresh = isBackbone(source);
  const name = fresh ? source : basename(source, ".onnx");
  const file = fresh ? undefined : await modelInFile(settings, classes, seed, choices);
  let model = isBackbone(source)
    ? freshBackbone(source, {
        classes: classes.length,
        size: settings.size ?? BACKBONE_SIZE,
        seed,
        ...(settings.width !== undefined && { width: settings.width }),
      })
    : file!.model;
  let { imageShape } = portsOf(model, name);
  const side = sideOf(imageShape, name);
  const known = fresh
    ? (settings.preprocessing ?? describeModel(model.metadata, name).preprocessing ?? FRESH)
    : knownPreprocessing(
        settings.preprocessing,
        describeModel(model.metadata, name).preprocessing,
        imageShape,
        name,
      )?.preprocessing;
  check(
    known,
    () =>
      `${name}: its file does not state the preprocessing: give --preprocessing with one of ${PREPROCESSING_NAMES.join(", ")}`,
  );
  let preprocessing: Preprocessing = known;
  if (kuramoto) {
    const at = kuramoto.at ?? kuramotoPlace(model, name);
    choices.push(`oscillators at "${at}"`);
    const { steps = 4, rotatingDimensions = 4 } = kuramoto;
    const coupling = { type: "convolution", kernel: 3 } as const;
    ({ model } = withKuramoto(model, at, { steps, rotatingDimensions, coupling, seed }));
  }
  if (v1) {
    const degrees = v1.visualDegrees ?? side / 32;
    const front = frontEnd(v1, { imageSize: side, visualDegrees: degrees }, seed);
    const at = v1.at ?? v1Place(model, front.block.outputSize, name);
    const stage = v1.retina === undefined ? "V1" : "retina and V1";
    choices.push(`${stage} in place of everything up to "${at}", for images of ${degrees} degrees`);
    const gain = hasNormalisation(model) ? 1 : 0.05;
    const network = withV1(model, { ...front, replaces: at, seed, gain });
    const { layout: _layout, colours: _colours, ...crop } = completePreprocessing(preprocessing, 3);
    const { mean: _mean, std: _std, scale: _scale, ...resizing } = crop;
    ({ model } = network);
    preprocessing = { ...resizing, ...network.description.preprocessing };
  }
  const ports = portsOf(model, name);
  ({ imageShape } = ports);
  return {
    name,
    model,
    ...ports,
    logits: model.outputs[LOGITS]!,
    preprocessing: completePreprocessing(preprocessing, imageShape[0]),
    values: new Map([...model.parameters].map(([key, { data }]) => [key, data])),
    pretrained: !fresh,
    added: new Set(
      [...model.parameters].flatMap(([key, { tensor }]) => (file?.own.has(tensor) === true ? [] : [key])),
    ),
    choices,
  };
}

/** Reads a file and gives it one score for each class. `own` are the parameters that the file has. */
async function modelInFile(
  { model: path, size, output }: NetworkSettings,
  classes: readonly string[],
  seed: number,
  choices: string[],
): Promise<{ readonly model: ImportedModel; readonly own: ReadonlySet<Tensor> }> {
  check(
    path.endsWith(".onnx"),
    () => `expected one of ${BACKBONES.join(", ")} or an .onnx file, got "${path}"`,
  );
  const file = await openOnnx(path);
  let model = file.read();
  const [name, images] = imagesOf(model, basename(path));
  const open = images.shape.slice(2).some((length) => !isStatic(length));
  if (open) {
    check(size !== undefined, () => `"${basename(path)}" leaves the image size open: give --size`);
    model = file.read({ inputShapes: { [name]: [images.shape[0]!, images.shape[1]!, size, size] } });
  } else
    check(
      size === undefined || images.shape[2] === size,
      () =>
        `"${basename(path)}" takes images of ${showShape(images.shape)}: expected no other --size, got ${size!}`,
    );
  const own = new Set([...model.parameters.values()].map(({ tensor }) => tensor));
  const named = describeModel(model.metadata, basename(path)).classes;
  if (JSON.stringify(named) === JSON.stringify(classes)) {
    choices.push("the last layer of the file, which already has these classes");
    const scores = beforeSoftmax(scoresOf(model, output));
    const change = { replacements: new Map(), outputs: { [LOGITS]: scores }, parameters: new Map() };
    return { model: changedModel(model, change), own };
  }
  choices.push(`a new last layer for ${classes.length} classes`);
  return { model: withHead(model, { classes, seed, ...(output !== undefined && { output }) }), own };
}

/** The input for images: the only one that is neither noise nor a constant. */
function imagesOf(model: ImportedModel, name: string): readonly [string, Tensor] {
  const { others } = inputRoles(model, describeModel(model.metadata, name), name);
  const [first] = others;
  const shown = others.map((key) => `"${key}" ${showShape(model.inputs[key]!.shape)}`).join(", ");
  check(
    first !== undefined && others.length === 1,
    () => `${name}: expected one input for images, got ${shown || "none"}`,
  );
  const tensor = model.inputs[first]!;
  check(
    tensor.rank === 4 && tensor.dtype === "float32" && (tensor.shape[1] === 1 || tensor.shape[1] === 3),
    () =>
      `${name}: expected images as float32[batch, 1 or 3, height, width], got "${first}" as ${tensor.dtype}${showShape(tensor.shape)}`,
  );
  return [first, tensor];
}

function portsOf(
  model: ImportedModel,
  name: string,
): Pick<TrainableNetwork, "images" | "imageShape" | "noise"> {
  const [, images] = imagesOf(model, name);
  const { noise } = inputRoles(model, describeModel(model.metadata, name), name);
  return { images, imageShape: images.shape.slice(1) as unknown as TrainableNetwork["imageShape"], noise };
}

interface Geometry {
  readonly imageSize: number;
  readonly visualDegrees: number;
}

function sideOf([, height, width]: readonly number[], name: string): number {
  check(height === width, () => `${name}: expected square images, got ${height} x ${width}`);
  return height!;
}

function frontEnd(
  { variant, retina, noise = false, cells = 512 }: V1Settings,
  geometry: Geometry,
  seed: number,
) {
  const stride = geometry.imageSize >= 128 ? 4 : geometry.imageSize >= 48 ? 2 : 1;
  const [simple, complex] = [Math.ceil(cells / 2), Math.floor(cells / 2)];
  if (retina !== undefined) {
    const {
      retina: block,
      block: v1,
      lgnToV2 = false,
    } = evnetFrontEnd(retina, {
      ...geometry,
      simple,
      complex,
      seed,
      stride,
      colourListLength: cells,
    });
    check(v1, () => `retina: expected a variant with V1, got "${retina}"`);
    return { retina: block, block: v1, lgnToV2 };
  }
  const fields = sampleReceptiveFields({ variant, simple, complex, seed });
  return {
    block: new VOneBlock({ ...geometry, fields, stride, ...(noise && { noise: { kind: "neuronal" } }) }),
  };
}

/** The feature maps through which all paths pass and which a convolution reads, in their order. */
function placesIn(model: ImportedModel, name: string): CutPoint[] {
  const read = new Set(
    topologicalOrder(Object.values(model.outputs)).flatMap(({ type, inputs }) =>
      type === "Conv" ? [inputs[0]] : [],
    ),
  );
  return throughMaps(new Backbone(model, {}, name)).filter(({ name: key }) =>
    read.has(model.values.get(key)),
  );
}

/**
 * The value that V1 replaces unless the user names one: the first feature map with as many positions as V1's responses
 * which a convolution reads, and through which all paths from the images pass. In a ResNet it is the output of the stem.
 *
 * @throws StriateError if there is none
 */
export function v1Place(model: ImportedModel, side: number, name: string): string {
  const places = placesIn(model, name);
  const found = places.find(({ shape }) => shape[1] === side && shape[2] === side);
  if (found) return found.name;
  throw new StriateError(
    `${name}: expected a feature map of ${side} x ${side} positions that V1 could replace, got ${sizesOf(places)}: name a value (--v1-at)`,
  );
}

/** Smallest side of the feature map to which oscillators are added. */
const SMALLEST = 7;

/**
 * The feature map to which oscillators are added unless the user names one: the last one with at least 7 x 7 positions
 * which a convolution reads, and through which all paths from the images pass.
 *
 * @throws StriateError if there is none
 */
export function kuramotoPlace(model: ImportedModel, name: string): string {
  const places = placesIn(model, name);
  const found = places.findLast(({ shape }) => shape.slice(1).every((length) => length >= SMALLEST));
  if (found) return found.name;
  throw new StriateError(
    `${name}: expected a feature map of at least ${SMALLEST} x ${SMALLEST} positions for oscillators, got ${sizesOf(places)}: name a value (--kuramoto NAME)`,
  );
}

function sizesOf(places: readonly CutPoint[]): string {
  return places.map(({ name, shape }) => `"${name}" ${shape.slice(1).join(" x ")}`).join(", ") || "none";
}

/** Whether the network normalises by statistics that follow the activations, so that their scale does not matter. */
function hasNormalisation(model: ImportedModel): boolean {
  return topologicalOrder(Object.values(model.outputs)).some(
    ({ type, inputs }) => type === "BatchNormalization" && inputs[3]?.node.leaf?.kind === "parameter",
  );
}
