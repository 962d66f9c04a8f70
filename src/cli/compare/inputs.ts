import { existsSync, statSync } from "node:fs";
import { basename, extname, join, normalize } from "node:path";
import type { ImageSource } from "../../data/images/image-source.js";
import { shortAttackName } from "../../robustness/attacks/index.js";
import type { ResultCard } from "../../robustness/card.js";
import { CONSTANT_SETS } from "../../robustness/corruptions/index.js";
import type { Severity } from "../../robustness/corruptions/kinds.js";
import type { CardFile } from "../../robustness/read-card-node.js";
import { readCard } from "../../robustness/read-card-node.js";
import { flagOf } from "../../util/command-words.js";
import { check, StriateError } from "../../util/errors.js";
import type { CompareOptions } from "../commands/compare.js";
import type { RobustnessOptions } from "../commands/robustness.js";
import type { MeasureContext } from "../robustness/measure.js";
import { measureNetwork } from "../robustness/measure.js";

/** An argument of `striate compare`: a result card, or a network that has to be measured. */
type Input =
  | { readonly kind: "card"; readonly file: CardFile }
  | { readonly kind: "network"; readonly path: string; readonly onnx: string };

/** The networks to compare, and the images if a network was measured. */
export interface ComparedInputs {
  readonly files: readonly CardFile[];
  readonly source?: ImageSource;
}

/** The options that a result card decides, because all networks must be measured in the same way. */
const DECIDED = [
  "images",
  "attackImages",
  "corruptions",
  "severities",
  "reencode",
  "constants",
  "attacks",
  "eps",
  "norm",
  "batch",
  "seed",
] as const satisfies readonly (keyof RobustnessOptions)[];

/**
 * Reads the result cards, and measures the networks as the first card says, or as the options say if there is no card. A
 * measurement that was stopped continues.
 *
 * @throws StriateError for an argument that is none of these, networks without --data, data that are not those of the
 * first card, and options that the card decides
 */
export async function compareInputs(
  paths: readonly string[],
  options: CompareOptions,
  given: Readonly<Record<string, unknown>>,
  context: Pick<MeasureContext, "stem" | "signal" | "progress">,
): Promise<ComparedInputs> {
  check(paths.length > 1, () => `expected at least two networks to compare, got ${paths.length}`);
  const inputs = await Promise.all(paths.map(openInput));
  const networks = inputs.filter((input) => input.kind === "network");
  const card = inputs.find((input) => input.kind === "card")?.file.card;
  check(
    networks.length === 0 || options.data !== undefined,
    () => `${networks[0]!.path}: expected --data with the images on which networks are measured, got none`,
  );
  const unused = card && DECIDED.find((key) => given[key] !== undefined);
  check(
    unused === undefined,
    () =>
      `${flagOf(unused!)} has no effect beside a result card, which says how all networks are measured: leave it out`,
  );
  const settings: RobustnessOptions = {
    ...options,
    data: options.data ?? "",
    ...(card && optionsOf(card)),
  };
  const stems = new Set<string>();
  let expected = card?.protocol.data.sha256;
  let source: ImageSource | undefined;
  const files: CardFile[] = [];
  for (const input of inputs) {
    if (input.kind === "card") {
      files.push(input.file);
      continue;
    }
    const name = basename(normalize(input.path));
    const stem = freeStem(`${context.stem}.${name.replace(/\.onnx$/, "")}`, stems);
    const measured = await measureNetwork(input.onnx, settings, {
      ...context,
      name,
      stem,
      checkData: (digest) => {
        check(
          expected === undefined || digest === expected,
          () =>
            `${name}: expected --data with the images and the classes on which ${card ? "the network of the first result card" : "the first network"} was measured, got others`,
        );
        expected = digest;
      },
    });
    source ??= measured.source;
    files.push({ path: input.path, card: measured.card, records: measured.records });
    if (context.signal.aborted) break;
  }
  return { files, ...(source && { source }) };
}

async function openInput(path: string): Promise<Input> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    const onnx = join(path, "model.onnx");
    check(
      existsSync(onnx),
      () => `"${path}": expected the folder of a finished training run, found no model.onnx in it`,
    );
    return { kind: "network", path, onnx };
  }
  const ending = extname(path);
  if (ending === ".onnx") return { kind: "network", path, onnx: path };
  if (ending === ".json") return { kind: "card", file: await readCard(path) };
  throw new StriateError(
    `expected a result card (.json), a network (.onnx) or the folder of a training run, got "${path}"`,
  );
}

/** The options of `striate robustness` with which the network of a card was measured. */
function optionsOf({ protocol, attacks }: ResultCard): Partial<RobustnessOptions> {
  const { data, seed, batch, corruptions, severities, constants, reencode } = protocol;
  const plans = [...new Set(attacks.map(({ plan }) => plan))];
  const names = plans.map((plan) => {
    const name = shortAttackName(plan);
    check(
      name,
      () => `the first result card has the attack "${plan}", which this version of Striate does not know`,
    );
    return name;
  });
  const set = CONSTANT_SETS.find((one) => one === constants);
  return {
    images: data.images,
    seed,
    batch,
    reencode,
    ...(set && { constants: String(set) }),
    ...(corruptions.length > 0 && { corruptions, severities: severities as readonly Severity[] }),
    ...(names.length > 0 && {
      attacks: names,
      attackImages: data.attacked,
      norm: attacks[0]!.norm,
      eps: [...new Set(attacks.map(({ epsilon }) => epsilon))],
    }),
  };
}

function freeStem(wanted: string, taken: Set<string>): string {
  let stem = wanted;
  for (let i = 2; taken.has(stem); i++) stem = `${wanted}-${i}`;
  taken.add(stem);
  return stem;
}
